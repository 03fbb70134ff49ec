"""What the bank does after a transfer: Stripe's payouts, their steps, and those of lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.money import Money


class BankState(StrEnum):
    """Where a transferred line's money is: None is said of money still at Stripe."""

    PENDING = "bank_pending"
    PAID = "bank_paid"
    FAILED = "bank_failed"
    REVERSED = "reversed"


class ConnectedState(StrEnum):
    """How far a payout to a bank has come; `failed` never arrived, `returned` had been paid."""

    CREATED = "created"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    REVERSED = "reversed"
    CANCELLED = "cancelled"


BANK_LABELS: Mapping[BankState | None, str] = {
    None: "At Stripe",
    BankState.PENDING: "On its way to the bank",
    BankState.PAID: "In the bank",
    BankState.FAILED: "Returned by the bank",
    BankState.REVERSED: "Taken back",
}
CONNECTED_LABELS: Mapping[ConnectedState, str] = {
    ConnectedState.CREATED: "On its way",
    ConnectedState.PAID: "Paid",
    ConnectedState.FAILED: "Failed",
    ConnectedState.RETURNED: "Returned",
    ConnectedState.REVERSED: "Reversed",
    ConnectedState.CANCELLED: "Cancelled",
}
# A returned payout's money goes out again with the account's next one.
BANK_NEXT: Mapping[BankState | None, frozenset[BankState]] = {
    None: frozenset({BankState.PENDING, BankState.REVERSED}),
    BankState.PENDING: frozenset({BankState.PAID, BankState.FAILED, BankState.REVERSED}),
    BankState.PAID: frozenset({BankState.FAILED, BankState.REVERSED}),
    BankState.FAILED: frozenset({BankState.PENDING, BankState.REVERSED}),
    BankState.REVERSED: frozenset(),
}
CONNECTED_NEXT: Mapping[ConnectedState, frozenset[ConnectedState]] = {
    ConnectedState.CREATED: frozenset(
        {ConnectedState.PAID, ConnectedState.FAILED, ConnectedState.CANCELLED}
    ),
    ConnectedState.PAID: frozenset({ConnectedState.RETURNED, ConnectedState.REVERSED}),
    ConnectedState.FAILED: frozenset(),
    ConnectedState.RETURNED: frozenset(),
    ConnectedState.REVERSED: frozenset(),
    ConnectedState.CANCELLED: frozenset(),
}
# Where a payout's lines stand at the bank by the payout's own state.
LINES_AT_BANK: Mapping[ConnectedState, BankState] = {
    ConnectedState.CREATED: BankState.PENDING,
    ConnectedState.PAID: BankState.PAID,
    ConnectedState.FAILED: BankState.FAILED,
    ConnectedState.RETURNED: BankState.FAILED,
    ConnectedState.REVERSED: BankState.FAILED,
    ConnectedState.CANCELLED: BankState.FAILED,
}
# The custody posting that each step asks for.
POSTED_AS: Mapping[ConnectedState, str] = {
    ConnectedState.CREATED: "created",
    ConnectedState.PAID: "paid",
    ConnectedState.FAILED: "failed",
    ConnectedState.RETURNED: "failed_after_paid",
    ConnectedState.REVERSED: "reversed",
    ConnectedState.CANCELLED: "failed",
}
# Within five working days a bank may return what it had taken.
RETURNED_WITHIN = timedelta(days=10)
BACK = frozenset(
    {
        ConnectedState.FAILED,
        ConnectedState.RETURNED,
        ConnectedState.REVERSED,
        ConnectedState.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class BankPayout:
    """A payout to a bank as Stripe shows it now.

    status: Stripe's own word; reversed_by and original: ids of the payout that reversed this one,
    and of the one that this one reverses, None for neither; made_at: when Stripe made it.
    """

    payout_id: str
    account: str
    amount: Money
    status: str
    automatic: bool
    arrives_on: date | None
    trace_id: str | None
    failure_code: str | None
    failure_message: str | None
    reversed_by: str | None
    original: str | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutPart:
    """One balance transaction of an account that a payout to the bank holds.

    payment_id: the payment that a transfer became there; returned: the earlier payout whose money
    it is; one of the two.
    """

    balance_transaction_id: str
    payment_id: str | None
    returned: str | None


def steps_to(
    known: ConnectedState | None, status: str, *, reversed_: bool
) -> list[ConnectedState] | None:
    """The steps from what is known of a payout to what Stripe says, oldest first.

    known: None for a payout never seen; status: Stripe's word. An older or equal word is no step,
    so that nothing regresses. None for a word that this version does not know.
    """
    path = _path(status, known, reversed_=reversed_)
    if path is None:
        return None
    if known is None:
        return path
    if known in path:
        return path[path.index(known) + 1 :]
    return []


def _path(
    status: str, known: ConnectedState | None, *, reversed_: bool
) -> list[ConnectedState] | None:
    made = [ConnectedState.CREATED]
    if status in {"pending", "in_transit"}:
        return made
    if status == "paid":
        paid = [*made, ConnectedState.PAID]
        return [*paid, ConnectedState.REVERSED] if reversed_ else paid
    if status == "canceled":
        return [*made, ConnectedState.CANCELLED]
    if status == "failed":
        was_paid = known in {ConnectedState.PAID, ConnectedState.RETURNED}
        if was_paid:
            return [*made, ConnectedState.PAID, ConnectedState.RETURNED]
        return [*made, ConnectedState.FAILED]
    return None
