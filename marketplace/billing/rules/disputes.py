"""Disputes: what Stripe's statuses mean, what an open one asks of a lab, and who owes what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from marketplace.money import Money


class DisputeState(StrEnum):
    """Where a dispute stands; `LABELS` has the word for each."""

    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


_INQUIRY, _OPEN, _WON, _LOST, _CLOSED = DisputeState
LABELS: Mapping[DisputeState, str] = {
    _INQUIRY: "Inquiry, no money moved",
    _OPEN: "Contested",
    _WON: "Won, money is back",
    _LOST: "Lost",
    _CLOSED: "Closed without a dispute",
}
NEXT: Mapping[DisputeState, frozenset[DisputeState]] = {
    _INQUIRY: frozenset({_OPEN, _CLOSED, _WON, _LOST}),
    _OPEN: frozenset({_WON, _LOST}),
    _CLOSED: frozenset({_OPEN}),
    _WON: frozenset(),
    _LOST: frozenset(),
}
ONGOING = frozenset({_INQUIRY, _OPEN})
# A status that this version does not know moves nothing; finance sees its name (scenario 42).
MEANS: Mapping[str, DisputeState] = {
    "warning_needs_response": _INQUIRY,
    "warning_under_review": _INQUIRY,
    "warning_closed": _CLOSED,
    "prevented": _CLOSED,
    "needs_response": _OPEN,
    "under_review": _OPEN,
    "won": _WON,
    "lost": _LOST,
}
ANSWERABLE = frozenset({"needs_response", "warning_needs_response"})
REASONS: Mapping[str, str] = {
    "bank_cannot_process": "the bank could not process it",
    "credit_not_processed": "a refund was expected",
    "customer_initiated": "the payer asked for it back",
    "debit_not_authorized": "the debit was not authorised",
    "duplicate": "it was paid twice",
    "fraudulent": "the holder of the card does not know the payment",
    "general": "no reason is given",
    "insufficient_funds": "the account had too little money",
    "product_not_received": "what was paid for did not come",
    "product_unacceptable": "what was paid for was not as agreed",
    "subscription_canceled": "it was cancelled before",
    "unrecognized": "the holder of the card does not recognise the payment",
}
EVIDENCE_MIN = 20
EVIDENCE_MAX = 20_000


class WriteOffState(StrEnum):
    """A proposal that what a lab owes will not come."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


WRITE_OFF_NEXT: Mapping[WriteOffState, frozenset[WriteOffState]] = {
    WriteOffState.PROPOSED: frozenset({WriteOffState.APPROVED, WriteOffState.REJECTED}),
    WriteOffState.APPROVED: frozenset(),
    WriteOffState.REJECTED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A line of Stripe's balance that a dispute made; amount: below zero where Stripe took it."""

    id: str
    amount: Money
    fee: Money
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeNow:
    """A dispute as Stripe has it; payment_intent_id and charge_id: what is contested."""

    id: str
    status: str
    reason: str
    amount: Money
    charge_id: str
    payment_intent_id: str | None
    evidence_due_at: datetime | None
    has_evidence: bool
    opened_at: datetime
    lines: tuple[DisputeLine, ...] = field(default=())

    @property
    def withdrawal(self) -> DisputeLine | None:
        """The line that took the money, once there is one."""
        return next((line for line in self.lines if line.amount.minor < 0), None)

    @property
    def reinstatement(self) -> DisputeLine | None:
        """The line that gave it back, once there is one."""
        return next((line for line in self.lines if line.amount.minor > 0), None)


def reason_words(reason: str) -> str:
    """Why the payer's bank contests a payment, in words."""
    return REASONS.get(reason, reason.replace("_", " "))


def may_follow(state: DisputeState, following: DisputeState) -> bool:
    """Whether the lifecycle has this step."""
    return following in NEXT[state]
