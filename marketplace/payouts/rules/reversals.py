"""Taking a transfer back: why, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.errors import Denied
from marketplace.money import Money


class ReversalState(StrEnum):
    """Where a reversal stands; `unknown` means that Stripe may or may not have made it."""

    ASKED = "asked"
    APPROVED = "approved"
    SUBMITTING = "submitting"
    REVERSED = "reversed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class ReversalReason(StrEnum):
    """Why a transfer is taken back."""

    WRONG_PAYEE = "wrong_payee"
    DUPLICATE = "duplicate"
    WORK_REVERSED = "work_reversed"
    FRAUD = "fraud"
    RETURNED = "returned"


class OwnReversal(Denied):
    """Whoever asked for a reversal may not approve it."""

    code = "own_reversal"


REVERSAL_LABELS: Mapping[ReversalState, str] = {
    ReversalState.ASKED: "Waits for approval",
    ReversalState.APPROVED: "Approved",
    ReversalState.SUBMITTING: "Sending",
    ReversalState.REVERSED: "Taken back",
    ReversalState.REJECTED: "Refused",
    ReversalState.UNKNOWN: "Being clarified",
    ReversalState.CANCELLED: "Cancelled",
}
REASON_LABELS: Mapping[ReversalReason, str] = {
    ReversalReason.WRONG_PAYEE: "Paid to the wrong payee",
    ReversalReason.DUPLICATE: "Paid twice",
    ReversalReason.WORK_REVERSED: "The work's acceptance was taken back",
    ReversalReason.FRAUD: "Fraud is being looked into",
    ReversalReason.RETURNED: "The bank returned it and the account is closed",
}
REVERSAL_NEXT: Mapping[ReversalState, frozenset[ReversalState]] = {
    ReversalState.ASKED: frozenset({ReversalState.APPROVED, ReversalState.CANCELLED}),
    ReversalState.APPROVED: frozenset({ReversalState.SUBMITTING, ReversalState.CANCELLED}),
    ReversalState.SUBMITTING: frozenset(
        {ReversalState.REVERSED, ReversalState.REJECTED, ReversalState.UNKNOWN}
    ),
    ReversalState.UNKNOWN: frozenset({ReversalState.REVERSED, ReversalState.REJECTED}),
    ReversalState.REVERSED: frozenset(),
    ReversalState.REJECTED: frozenset(),
    ReversalState.CANCELLED: frozenset(),
}
REVERSAL_STUCK = timedelta(seconds=140)


@dataclass(frozen=True, slots=True)
class Takeback:
    """A reversal as Stripe made it; destination is what left the connected account; asked_as: the
    id of our own row, as its metadata says."""

    reversal_id: str
    balance_transaction_id: str
    amount: Money
    destination: Money
    asked_as: str
