"""Transfers and reversals: what moves, what is refused, and who sees it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient


def available(sdk: stripe.StripeClient, account: str | None = None) -> int:
    options: Any = {"stripe_account": account} if account else {}
    return int(sdk.v1.balance.retrieve({}, options).available[0].amount)


def test_a_transfer_moves_money_and_leaves_both_sides_documented(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    account = payee()

    transfer = sdk.v1.transfers.create(
        {
            "amount": 4_000,
            "currency": "usd",
            "destination": account,
            "transfer_group": "run-1",
            "metadata": {"line_id": "L1"},
        }
    )

    there: Any = {"stripe_account": account}
    payment = sdk.v1.charges.retrieve(str(transfer.destination_payment), {}, there)
    arrived = sdk.v1.balance_transactions.retrieve(str(payment.balance_transaction), {}, there)
    left = sdk.v1.balance_transactions.retrieve(str(transfer.balance_transaction))
    assert ("transfer", -4_000, 0, -4_000) == (left.type, left.amount, left.fee, left.net)
    assert ("payment", 4_000, "available") == (arrived.type, arrived.amount, arrived.status)
    assert payment.source_transfer == transfer.id
    assert 10_000 - 320 - 4_000 == available(sdk)
    assert available(sdk, account) == 4_000


def test_more_than_is_available_is_refused_even_when_it_is_pending(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000, method="pm_card_visa")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": payee()})

    assert ("balance_insufficient", 400) == (refused.value.code, refused.value.http_status)


def test_pending_money_is_available_two_days_later(
    sdk: stripe.StripeClient, fund: Callable[..., Any], controls: ControlClient
) -> None:
    fund(10_000, method="pm_card_visa")
    before = sdk.v1.balance.retrieve()

    controls.advance(2 * 86_400)

    after = sdk.v1.balance.retrieve()
    assert (0, 9_680) == (before.available[0].amount, before.pending[0].amount)
    assert (9_680, 0) == (after.available[0].amount, after.pending[0].amount)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("platform_paused", "insufficient_capabilities_for_transfer"),
        ("rejected.fraud", "transfers_not_allowed"),
    ],
)
def test_a_restricted_account_gets_nothing(
    *,
    sdk: stripe.StripeClient,
    fund: Callable[..., Any],
    payee: Callable[[], str],
    controls: ControlClient,
    reason: str,
    code: str,
) -> None:
    fund(10_000)
    account = payee()
    controls.restrict(account, reason)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": account})

    assert code == refused.value.code
    assert available(sdk) == 9_680


def test_an_account_that_was_never_onboarded_gets_nothing(
    sdk: stripe.StripeClient, fund: Callable[..., Any]
) -> None:
    fund(10_000)
    account = sdk.v1.accounts.create({"capabilities": {"transfers": {"requested": True}}})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": account.id})

    assert refused.value.code == "insufficient_capabilities_for_transfer"


def test_a_reversal_takes_back_what_is_still_there_and_no_more(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    account = payee()
    transfer = sdk.v1.transfers.create({"amount": 4_000, "currency": "usd", "destination": account})

    part = sdk.v1.transfers.reversals.create(transfer.id, {"amount": 1_500})
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.transfers.reversals.create(transfer.id, {"amount": 2_501})
    sdk.v1.transfers.reversals.create(transfer.id, {})

    again = sdk.v1.transfers.retrieve(transfer.id)
    back = sdk.v1.balance_transactions.retrieve(str(part.balance_transaction))
    assert ("transfer_refund", 1_500) == (back.type, back.amount)
    assert (4_000, True) == (again.amount_reversed, again.reversed)
    assert [2_500, 1_500] == [reversal.amount for reversal in again.reversals.data]
    assert (9_680, 0) == (available(sdk), available(sdk, account))


def test_money_that_has_gone_to_the_bank_cannot_be_reversed(
    sdk: stripe.StripeClient,
    fund: Callable[..., Any],
    payee: Callable[[], str],
    controls: ControlClient,
) -> None:
    fund(10_000)
    transfer = sdk.v1.transfers.create({"amount": 4_000, "currency": "usd", "destination": payee()})
    controls.advance(86_400)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.transfers.reversals.create(transfer.id, {"amount": 1})

    assert refused.value.code == "balance_insufficient"


def test_transfers_are_found_by_group_and_destination_over_pages(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(100_000)
    first, second = payee(), payee()
    made = [
        sdk.v1.transfers.create(
            {
                "amount": 100 + at,
                "currency": "usd",
                "destination": first if at % 2 else second,
                "transfer_group": "run-7",
            }
        ).id
        for at in range(7)
    ]

    by_group = sdk.v1.transfers.list({"transfer_group": "run-7", "limit": 3})
    to_first = sdk.v1.transfers.list({"destination": first})
    newer = sdk.v1.transfers.list({"ending_before": made[3], "limit": 2})

    assert made[::-1] == [transfer.id for transfer in by_group.auto_paging_iter()]
    assert by_group.has_more
    assert [made[5], made[3], made[1]] == [transfer.id for transfer in to_first.data]
    assert [made[5], made[4]] == [transfer.id for transfer in newer.data]
    assert sdk.v1.transfers.list({"transfer_group": "another"}).data == []


def test_twenty_transfers_at_once_never_spend_the_same_cent(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    account = payee()

    def send(_: int) -> str:
        try:
            sdk.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": account})
        except stripe.InvalidRequestError as refused:
            return str(refused.code)
        return "sent"

    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(send, range(20)))

    assert sorted(sent) == ["balance_insufficient"] * 11 + ["sent"] * 9
    assert (680, 9_000) == (available(sdk), available(sdk, account))


def test_metadata_is_merged_and_a_key_can_be_removed(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    transfer = sdk.v1.transfers.create(
        {
            "amount": 100,
            "currency": "usd",
            "destination": payee(),
            "metadata": {"a": "1", "b": "2", "0": "zero"},
        }
    )

    changed = sdk.v1.transfers.update(transfer.id, {"metadata": {"a": "", "c": "3"}})

    assert {"b": "2", "0": "zero", "c": "3"} == changed.metadata.to_dict()


def test_a_transfer_tied_to_a_charge_may_use_what_is_still_pending(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    intent = fund(10_000, method="pm_card_visa")
    account = payee()

    transfer = sdk.v1.transfers.create(
        {
            "amount": 6_000,
            "currency": "usd",
            "destination": account,
            "source_transaction": str(intent.latest_charge),
        }
    )
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.transfers.create(
            {
                "amount": 4_001,
                "currency": "usd",
                "destination": account,
                "source_transaction": str(intent.latest_charge),
            }
        )

    moved = sdk.v1.balance_transactions.retrieve(str(transfer.balance_transaction))
    assert moved.status == "pending"
