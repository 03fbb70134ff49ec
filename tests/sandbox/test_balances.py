"""Balances: top-ups, currencies, reserves, accounts below zero, schedules, payouts that turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import Listener

DAY = 86_400
Fund = Callable[..., stripe.PaymentIntent]
Payee = Callable[[], str]


def there(account: str) -> Any:
    return {"stripe_account": account}


def available(sdk: stripe.StripeClient, account: str | None = None) -> dict[str, int]:
    rows = sdk.v1.balance.retrieve({}, there(account) if account else {}).available
    return {row.currency: row.amount for row in rows}


def test_a_top_up_lands_the_next_day_and_may_be_taken_back(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    landed = sdk.v1.topups.create({"amount": 9_000, "currency": "usd", "description": "wires"})
    failed = sdk.v1.topups.create({"amount": 1_000, "currency": "usd"})
    controls.fail_topup(failed.id)
    controls.advance(DAY)
    line = sdk.v1.balance_transactions.list({"source": landed.id}).data[0]
    between = available(sdk)

    controls.reverse_topup(landed.id)

    assert ("topup", 9_000, "wires") == (line.type, line.amount, line.description)
    assert ({"usd": 9_000}, {"usd": 0}) == (between, available(sdk))
    assert ["failed", "reversed"] == [one.status for one in sdk.v1.topups.list().data]


def test_one_settlement_currency_converts_charges_and_refunds_at_the_rate_of_the_day(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Fund
) -> None:
    controls.settle_in("usd")
    controls.set_rate("eur", "usd", "1.1")
    fund(100_000)
    intent = fund(10_000, "eur")
    controls.set_rate("eur", "usd", "1.2")

    refund = sdk.v1.refunds.create({"payment_intent": intent.id})

    charge = sdk.v1.charges.retrieve(str(intent.latest_charge))
    came = sdk.v1.balance_transactions.retrieve(str(charge.balance_transaction))
    went = sdk.v1.balance_transactions.retrieve(str(refund.balance_transaction))
    assert (11_000, "usd", 1.1, 349) == (came.amount, came.currency, came.exchange_rate, came.fee)
    assert (-12_000, "usd", 1.2) == (went.amount, went.currency, went.exchange_rate)
    assert ("eur", 10_000) == (charge.currency, charge.amount)


def test_a_transfer_lands_in_the_accounts_own_currency_and_its_reversal_takes_all_of_it(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Fund
) -> None:
    fund(100_000)
    controls.set_rate("usd", "gbp", "0.7777")
    wanted: Any = {"country": "GB", "capabilities": {"transfers": {"requested": True}}}
    account = sdk.v1.accounts.create(wanted).id
    controls.enable(account)

    transfer = sdk.v1.transfers.create({"amount": 1_001, "currency": "usd", "destination": account})
    arrived = available(sdk, account)
    for part in (334, 334, 333):
        sdk.v1.transfers.reversals.create(transfer.id, {"amount": part})

    assert ({"gbp": 778}, {"gbp": 0}) == (arrived, available(sdk, account))


def test_what_an_account_owes_is_set_aside_from_the_platform_until_it_has_earned_it(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Fund, payee: Payee
) -> None:
    fund(100_000)
    account = payee()
    before = available(sdk)["usd"]

    controls.debit(account, 3_000, "usd")
    owing = sdk.v1.balance.retrieve()
    sdk.v1.transfers.create({"amount": 5_000, "currency": "usd", "destination": account})

    lines = sdk.v1.balance_transactions.list({"type": "reserve_transaction"}).data
    reserved = owing.connect_reserved
    assert reserved is not None
    assert (before - 3_000, 3_000) == (owing.available[0].amount, reserved[0].amount)
    assert ([3_000, -3_000], {"usd": before - 5_000}) == (
        [line.amount for line in lines],
        available(sdk),
    )


def test_fees_reserves_and_types_that_nobody_knows_are_lines(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    controls.post_line("stripe_fee", -250, "usd", description="Radar (2026-11)")
    controls.post_line("network_cost_2027", -1, "usd")
    controls.release_reserve(controls.hold_reserve(40, "usd"))

    lines = sdk.v1.balance_transactions.list().data

    assert [
        ("reserve_release", 40, "risk_reserved_funds"),
        ("reserve_hold", -40, "risk_reserved_funds"),
        ("network_cost_2027", -1, "network_cost_2027"),
        ("stripe_fee", -250, "fee"),
    ] == [(line.type, line.amount, line.reporting_category) for line in lines]


def test_a_payout_by_hand_can_be_cancelled_while_it_is_pending_and_reversed_when_paid(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Fund, payee: Payee
) -> None:
    fund(100_000)
    account = payee()
    sdk.v1.balance_settings.update(
        {"payments": {"payouts": {"schedule": {"interval": "manual"}}}}, there(account)
    )
    sdk.v1.transfers.create({"amount": 9_000, "currency": "usd", "destination": account})
    wanted: Any = {"amount": 4_000, "currency": "usd"}
    first = sdk.v1.payouts.create(wanted, there(account))
    sdk.v1.payouts.cancel(first.id, {}, there(account))
    second = sdk.v1.payouts.create(wanted, there(account))
    controls.advance(DAY)

    back = sdk.v1.payouts.reverse(second.id, {}, there(account))
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.payouts.reverse(second.id, {}, there(account))

    paid = sdk.v1.payouts.retrieve(second.id, {}, there(account))
    assert ("pending", "paid", back.id) == (first.status, paid.status, paid.reversed_by)
    assert (-4_000, second.id) == (back.amount, back.original_payout)
    assert available(sdk, account) == {"usd": 9_000}


def test_a_payout_that_comes_back_stops_the_bank_account_until_it_is_mended(
    *,
    sdk: stripe.StripeClient,
    controls: ControlClient,
    fund: Fund,
    payee: Payee,
    listening: Listener,
) -> None:
    fund(100_000)
    account = payee()
    sdk.v1.transfers.create({"amount": 9_000, "currency": "usd", "destination": account})
    controls.advance(2 * DAY)
    (paid,) = sdk.v1.payouts.list({}, there(account)).data

    controls.fail_payout(paid.id, account=account)
    controls.advance(2 * DAY)
    stopped = sdk.v1.accounts.retrieve(account)
    still = sdk.v1.payouts.list({}, there(account)).data
    controls.enable(account)
    controls.advance(2 * DAY)

    assert ("paid", False, 1) == (paid.status, stopped.payouts_enabled, len(still))
    assert ["paid", "failed"] == [one.status for one in sdk.v1.payouts.list({}, there(account))]
    listening.wait_for("account.external_account.updated")


def test_the_platforms_balance_is_paid_out_on_its_days_and_keeps_its_minimum(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Fund
) -> None:
    fund(100_000)
    payouts: Any = {
        "schedule": {"interval": "weekly", "weekly_payout_days": ["tuesday"]},
        "minimum_balance_by_currency": {"usd": 10_000},
    }
    sdk.v1.balance_settings.update({"payments": {"payouts": payouts}})

    controls.advance(8 * DAY)

    (payout,) = sdk.v1.payouts.list().data
    inside = sdk.v1.balance_transactions.list({"payout": payout.id}).data
    assert (100_000 - 2_930 - 10_000, True) == (payout.amount, payout.automatic)
    assert ["payout", "charge"] == [line.type for line in inside]
    assert available(sdk) == {"usd": 10_000}


def test_calls_over_the_limit_are_refused_before_anything_else(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    controls.rate_limit(3)
    refused = 0
    for _ in range(12):
        try:
            sdk.v1.topups.create({"amount": 100, "currency": "usd"})
        except stripe.RateLimitError:
            refused += 1
    controls.rate_limit(0)

    # The twelve calls may lie in two or three seconds of the clock.
    made = len(sdk.v1.topups.list({"limit": 100}).data)
    assert (12, True) == (refused + made, refused >= 3)
