"""Money that goes back: refunds that fail later, disputes won and lost, debits that return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import Listener

DAY = 86_400
Fund = Callable[..., stripe.PaymentIntent]


def moved(sdk: stripe.StripeClient, source: str) -> list[tuple[str, int, int]]:
    """Type, amount and fee of each balance transaction of a source, the oldest first."""
    lines = sdk.v1.balance_transactions.list({"source": source}).data
    return [(line.type, line.amount, line.fee) for line in reversed(lines)]


def available(sdk: stripe.StripeClient) -> int:
    return sdk.v1.balance.retrieve().available[0].amount


def test_parts_are_refunded_until_nothing_is_left(
    sdk: stripe.StripeClient, fund: Fund, listening: Listener
) -> None:
    fund(50_000)
    intent = fund(10_000)
    charge = str(intent.latest_charge)

    first = sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 2_500})
    sdk.v1.refunds.create({"charge": charge, "amount": 2_500})
    sdk.v1.refunds.create({"charge": charge})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"charge": charge})

    assert refused.value.code == "charge_already_refunded"
    assert [("refund", -2_500, 0)] == moved(sdk, first.id)
    assert [5_000, 2_500, 2_500] == [one.amount for one in sdk.v1.refunds.list().data]
    assert (10_000, True) == (
        sdk.v1.charges.retrieve(charge).amount_refunded,
        sdk.v1.charges.retrieve(charge).refunded,
    )
    listening.wait_for("charge.refunded", 3)


def test_a_refund_may_come_back_days_later(
    sdk: stripe.StripeClient, fund: Fund, controls: ControlClient, listening: Listener
) -> None:
    fund(50_000)
    charge = str(fund(10_000, method="pm_card_refundFail").latest_charge)
    refund = sdk.v1.refunds.create({"charge": charge, "amount": 4_000})
    before = available(sdk)

    controls.advance(DAY)

    failed = sdk.v1.refunds.retrieve(refund.id)
    assert ("succeeded", "failed") == (refund.status, failed.status)
    assert [("refund", -4_000, 0), ("refund_failure", 4_000, 0)] == moved(sdk, refund.id)
    assert before + 4_000 == available(sdk)
    assert sdk.v1.charges.retrieve(charge).amount_refunded == 0
    listening.wait_for("refund.failed")


def test_a_refund_waits_for_money_and_never_takes_the_balance_below_zero(
    sdk: stripe.StripeClient, fund: Fund, controls: ControlClient
) -> None:
    intent = fund(10_000)

    refund = sdk.v1.refunds.create({"payment_intent": intent.id})
    fund(10_000)
    controls.advance(DAY)

    assert ("pending", "insufficient_funds") == (refund.status, refund.pending_reason)
    assert sdk.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert available(sdk) == 2 * 9_680 - 10_000


def test_a_dispute_takes_money_and_a_fee_and_winning_gives_the_money_back(
    sdk: stripe.StripeClient, fund: Fund, controls: ControlClient, listening: Listener
) -> None:
    charge = str(fund(10_000).latest_charge)

    dispute = controls.open_dispute(charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"charge": charge})
    sdk.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "winning_evidence"}})

    won = sdk.v1.disputes.retrieve(dispute)
    assert refused.value.code == "charge_disputed"
    assert won.status == "won"
    assert [("adjustment", -10_000, 1_500), ("adjustment", 10_000, 0)] == moved(sdk, dispute)
    assert ["dispute", "dispute_reversal"] == [
        line.reporting_category for line in won.balance_transactions
    ]
    assert 9_680 - 1_500 == available(sdk)
    for kind in ("created", "funds_withdrawn", "updated", "funds_reinstated", "closed"):
        listening.wait_for(f"charge.dispute.{kind}")


def test_an_inquiry_takes_nothing_until_it_is_escalated_and_lost(
    sdk: stripe.StripeClient, fund: Fund, controls: ControlClient
) -> None:
    charge = str(fund(10_000).latest_charge)
    dispute = controls.open_dispute(charge, reason="general", inquiry=True)
    asked = sdk.v1.disputes.retrieve(dispute)

    controls.close_dispute(dispute, "escalated")
    sdk.v1.disputes.close(dispute)

    lost = sdk.v1.disputes.retrieve(dispute)
    assert ("warning_needs_response", []) == (asked.status, asked.balance_transactions)
    assert ("lost", 1) == (lost.status, len(lost.balance_transactions))
    assert 9_680 - 10_000 - 1_500 == available(sdk)


def test_the_card_that_disputes_does_so_once_its_charge_settled(
    sdk: stripe.StripeClient, fund: Fund, controls: ControlClient
) -> None:
    charge = str(fund(10_000, method="pm_card_createDispute").latest_charge)

    controls.advance(1)

    assert [charge] == [one.charge for one in sdk.v1.disputes.list({"charge": charge}).data]
    assert sdk.v1.charges.retrieve(charge).disputed


def test_a_bank_debit_is_processing_for_days_then_succeeds_and_may_still_return(
    sdk: stripe.StripeClient, controls: ControlClient, listening: Listener
) -> None:
    price = {"currency": "usd", "unit_amount": 10_000, "product_data": {"name": "Balance"}}
    asked: Any = {
        "mode": "payment",
        "line_items": [{"price_data": price}],
        "success_url": "http://localhost:8000/back",
    }
    session = sdk.v1.checkout.sessions.create(asked)
    httpx.post(session.url or "", data={"card": "000123456789"})
    during = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    controls.advance(4 * DAY)
    intent: Any = sdk.v1.payment_intents.retrieve(str(during.payment_intent.id))  # type: ignore[union-attr]

    controls.return_payment(intent.latest_charge)

    charge = sdk.v1.charges.retrieve(intent.latest_charge)
    assert ("complete", "unpaid") == (during.status, during.payment_status)
    assert during.payment_intent.status == "processing"  # type: ignore[union-attr]
    assert intent.status == "succeeded"
    assert [("payment", 10_000, 80), ("payment_failure_refund", -10_000, 0)] == moved(
        sdk, charge.id
    )
    assert ("failed", -80) == (charge.status, available(sdk))
    listening.wait_for("checkout.session.async_payment_succeeded")
