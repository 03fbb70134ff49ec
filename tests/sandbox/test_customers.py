"""Saved cards that are charged while their holder is away, and cash balances."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient

CARD_AT_ONCE = "4000000000000077"


def away(customer: str, method: str, amount: int = 5_000) -> Any:
    return {
        "amount": amount,
        "currency": "usd",
        "customer": customer,
        "payment_method": method,
        "off_session": True,
        "confirm": True,
    }


def test_a_card_saved_on_a_page_is_charged_later(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "lab@example.com"})
    asked: Any = {
        "mode": "setup",
        "customer": customer.id,
        "currency": "usd",
        "success_url": "http://localhost:8000/back",
    }
    session = sdk.v1.checkout.sessions.create(asked)
    page = httpx.get(session.url or "").text
    httpx.post(session.url or "", data={"card": CARD_AT_ONCE})
    done = sdk.v1.checkout.sessions.retrieve(session.id)
    setup = sdk.v1.setup_intents.retrieve(str(done.setup_intent))

    paid = sdk.v1.payment_intents.create(away(customer.id, str(setup.payment_method)))

    assert "Save a card" in page
    assert ("complete", "no_payment_required") == (done.status, done.payment_status)
    assert ("succeeded", setup.payment_method) == (paid.status, paid.payment_method)


def test_a_card_used_once_can_be_kept_for_later(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({})
    price = {"currency": "usd", "unit_amount": 10_000, "product_data": {"name": "Balance"}}
    asked: Any = {
        "mode": "payment",
        "customer": customer.id,
        "line_items": [{"price_data": price}],
        "payment_intent_data": {"setup_future_usage": "off_session"},
        "success_url": "http://localhost:8000/back",
    }
    session = sdk.v1.checkout.sessions.create(asked)
    httpx.post(session.url or "", data={"card": CARD_AT_ONCE})

    (kept,) = sdk.v1.customers.payment_methods.list(customer.id).data
    again = sdk.v1.payment_intents.create(away(customer.id, kept.id))
    sdk.v1.payment_methods.detach(kept.id)

    assert ("succeeded", customer.id) == (again.status, again.customer)
    assert sdk.v1.customers.payment_methods.list(customer.id).data == []


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_authenticationRequired", "authentication_required"),
        ("pm_card_chargeCustomerFail", "card_declined"),
    ],
)
def test_a_saved_card_may_refuse_while_its_holder_is_away(
    sdk: stripe.StripeClient, token: str, code: str
) -> None:
    customer = sdk.v1.customers.create({})
    method = sdk.v1.payment_methods.attach(token, {"customer": customer.id})

    with pytest.raises(stripe.CardError) as declined:
        sdk.v1.payment_intents.create(away(customer.id, method.id))

    assert code == declined.value.code


def test_cash_waits_unreconciled_and_pays_the_oldest_intent(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    customer = sdk.v1.customers.create({"name": "A lab"})
    wanted: Any = {
        "amount": 8_000,
        "currency": "usd",
        "customer": customer.id,
        "payment_method_types": ["customer_balance"],
        "payment_method_data": {"type": "customer_balance"},
        "payment_method_options": {
            "customer_balance": {
                "funding_type": "bank_transfer",
                "bank_transfer": {"type": "us_bank_transfer"},
            }
        },
        "confirm": True,
    }
    intent = sdk.v1.payment_intents.create(wanted)

    controls.fund_customer(customer.id, 3_000, "usd", "LAB-7")
    partly = sdk.v1.payment_intents.retrieve(intent.id)
    controls.fund_customer(customer.id, 7_000, "usd", "LAB-7")

    paid = sdk.v1.payment_intents.retrieve(intent.id)
    left = sdk.v1.customers.cash_balance.retrieve(customer.id)
    kinds = [(line.type, line.amount) for line in sdk.v1.balance_transactions.list().data]
    told = partly.next_action.display_bank_transfer_instructions  # type: ignore[union-attr]
    assert ("requires_action", "requires_action") == (intent.status, partly.status)
    assert told is not None
    assert told.amount_remaining == 5_000
    assert paid.status == "succeeded"
    assert left.available is not None
    assert {"usd": 2_000} == left.available.to_dict()
    assert [
        ("payment", 8_000),
        ("payment_unreconciled", -5_000),
        ("payment_unreconciled", 7_000),
        ("payment_unreconciled", -3_000),
        ("payment_unreconciled", 3_000),
    ] == kinds


def test_cash_that_is_reconciled_by_hand_waits_for_us(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    cash: Any = {"settings": {"reconciliation_mode": "manual"}}
    customer = sdk.v1.customers.create({"cash_balance": cash})

    controls.fund_customer(customer.id, 3_000, "usd", "LAB-7")

    (funded,) = sdk.v1.customers.cash_balance_transactions.list(customer.id).data
    assert ("funded", 3_000, "LAB-7") == (
        funded.type,
        funded.net_amount,
        funded.funded.bank_transfer.reference if funded.funded else None,
    )
