"""Checkout and payments: the page, the card's answer, and the balance that follows."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import Listener


def open_session(sdk: stripe.StripeClient, amount: int = 25_000, **more: Any) -> Any:
    wanted: Any = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": amount,
                    "product_data": {"name": "Balance <b>for</b> judgements"},
                },
            }
        ],
        "success_url": "http://localhost:8000/back?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:8000/balance",
        "client_reference_id": "top-up-1",
        "metadata": {"top_up_id": "T1"},
        "payment_intent_data": {"metadata": {"top_up_id": "T1"}},
        **more,
    }
    return sdk.v1.checkout.sessions.create(wanted)


def pay(session: Any, card: str) -> httpx.Response:
    return httpx.post(session.url, data={"card": card, "email": "lab@demo.test"})


def test_paying_sends_the_payer_back_and_the_money_to_the_balance(
    sdk: stripe.StripeClient, listening: Listener
) -> None:
    session = open_session(sdk)

    answer = pay(session, "4000000000000077")

    paid = sdk.v1.checkout.sessions.retrieve(session.id)
    intent = sdk.v1.payment_intents.retrieve(str(paid.payment_intent))
    charge = sdk.v1.charges.retrieve(str(intent.latest_charge))
    moved = sdk.v1.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (303, f"http://localhost:8000/back?s={session.id}") == (
        answer.status_code,
        answer.headers["Location"],
    )
    assert ("complete", "paid", None) == (paid.status, paid.payment_status, paid.url)
    assert ("succeeded", 25_000, "T1") == (
        intent.status,
        intent.amount_received,
        intent.metadata["top_up_id"],
    )
    assert (25_000, 755, 24_245, "charge") == (moved.amount, moved.fee, moved.net, moved.type)
    assert charge.id == moved.source
    listening.wait_for("charge.updated")
    assert [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ] == listening.types()


def test_the_balance_transaction_is_null_until_the_charge_settles(
    sdk: stripe.StripeClient, controls: ControlClient, listening: Listener
) -> None:
    controls.settle_after(600)
    session = open_session(sdk)
    pay(session, "4242424242424242")
    succeeded = listening.wait_for("charge.succeeded")["data"]["object"]
    early = sdk.v1.charges.retrieve(succeeded["id"]).balance_transaction
    before = sdk.v1.balance.retrieve()

    controls.advance(600)

    updated = listening.wait_for("charge.updated")["data"]
    assert (None, None) == (succeeded["balance_transaction"], early)
    assert (0, 0) == (before.pending[0].amount, before.available[0].amount)
    assert updated["previous_attributes"] == {"balance_transaction": None}
    assert updated["object"]["balance_transaction"].startswith("txn_")
    assert sdk.v1.balance.retrieve().pending[0].amount == 24_245


def test_a_declined_card_charges_nothing_and_leaves_the_page_open(
    sdk: stripe.StripeClient, listening: Listener
) -> None:
    session = open_session(sdk)

    declined = pay(session, "4000000000009995")
    paid = pay(session, "4000000000000077")

    again = sdk.v1.checkout.sessions.retrieve(session.id)
    charges = sdk.v1.charges.list({"payment_intent": str(again.payment_intent)})
    assert (402, 303) == (declined.status_code, paid.status_code)
    assert "insufficient funds" in declined.text
    assert ["succeeded", "failed"] == [charge.status for charge in charges.data]
    assert sdk.v1.balance.retrieve().available[0].amount == 24_245
    assert listening.wait_for("payment_intent.payment_failed")["data"]["object"][
        "last_payment_error"
    ]["decline_code"] == ("insufficient_funds")


def test_paying_twice_charges_once(sdk: stripe.StripeClient) -> None:
    session = open_session(sdk)

    pay(session, "4000000000000077")
    second = pay(session, "4000000000000077")

    assert "has been paid" in second.text
    assert len(sdk.v1.charges.list().data) == 1


def test_an_unpaid_session_expires_after_a_day(
    sdk: stripe.StripeClient, controls: ControlClient, listening: Listener
) -> None:
    session = open_session(sdk)

    controls.advance(24 * 3_600)

    expired = listening.wait_for("checkout.session.expired")["data"]["object"]
    late = pay(session, "4000000000000077")
    assert (session.id, "expired", None) == (expired["id"], expired["status"], expired["url"])
    assert "has expired" in late.text
    assert sdk.v1.charges.list().data == []


def test_the_page_escapes_names_and_allows_the_way_back(sdk: stripe.StripeClient) -> None:
    session = open_session(sdk)

    answer = httpx.get(session.url)

    assert "Balance &lt;b&gt;for&lt;/b&gt; judgements" in answer.text
    assert "form-action 'self' http://localhost:8000" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|style=", answer.text)


def test_a_declined_intent_is_a_card_error_that_its_key_replays(sdk: stripe.StripeClient) -> None:
    wanted: Any = {
        "amount": 5_000,
        "currency": "usd",
        "payment_method": "pm_card_chargeDeclined",
        "confirm": True,
    }
    faults = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as fault:
            sdk.v1.payment_intents.create(wanted, {"idempotency_key": "declined"})
        faults.append(fault.value)

    assert ["card_declined"] * 2 == [fault.code for fault in faults]
    assert faults[1].headers is not None
    assert faults[1].headers["Idempotent-Replayed"] == "true"
    assert ["failed"] == [charge.status for charge in sdk.v1.charges.list().data]


def test_an_intent_is_confirmed_later_or_cancelled(sdk: stripe.StripeClient) -> None:
    first = sdk.v1.payment_intents.create({"amount": 5_000, "currency": "usd"})
    second = sdk.v1.payment_intents.create({"amount": 5_000, "currency": "usd"})

    confirmed = sdk.v1.payment_intents.confirm(first.id, {"payment_method": "pm_card_visa"})
    cancelled = sdk.v1.payment_intents.cancel(second.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.payment_intents.confirm(second.id, {"payment_method": "pm_card_visa"})

    assert ("succeeded", "canceled") == (confirmed.status, cancelled.status)
    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"success_url": "not a url"}, "success_url"),
        ({"mode": "subscription"}, "mode"),
        ({"line_items": []}, "line_items"),
        ({"expires_at": 1}, "expires_at"),
        ({"frobnicate": "yes"}, "frobnicate"),
        ({"metadata": {"k" * 41: "v"}}, "metadata"),
    ],
)
def test_a_faulty_session_is_refused_by_name(
    sdk: stripe.StripeClient, change: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(sdk, **change)

    assert (param, 400) == (refused.value.param, refused.value.http_status)


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (12_345, "kwd", "parameter_invalid_integer"),
        (12_350, "isk", "parameter_invalid_integer"),
        (5_000, "zzz", None),
    ],
)
def test_amounts_that_a_currency_does_not_have_are_refused(
    sdk: stripe.StripeClient, amount: int, currency: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.payment_intents.create({"amount": amount, "currency": currency})

    assert code == refused.value.code


@pytest.mark.parametrize(
    ("currency", "fee"), [("usd", 320), ("jpy", 360), ("kwd", 590), ("huf", 320)]
)
def test_the_fee_fits_the_currency(
    sdk: stripe.StripeClient, fund: Any, currency: str, fee: int
) -> None:
    fund(10_000, currency)

    moved = sdk.v1.balance_transactions.list().data[0]

    assert (currency, fee, 10_000 - fee) == (moved.currency, moved.fee, moved.net)
