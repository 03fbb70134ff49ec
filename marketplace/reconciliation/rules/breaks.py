"""What a break is, how grave it is, and the way it goes from being found to being resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from marketplace.errors import Conflict, Denied
from marketplace.money import EXPONENT, Money

Fact = str | int | bool | None


class BreakKind(StrEnum):
    """How two sides differ, or what is wrong with what one of them sent."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_AT_STRIPE = "missing_at_stripe"
    MISSING_AT_BANK = "missing_at_bank"
    AMOUNT_MISMATCH = "amount_mismatch"
    FEE_MISMATCH = "fee_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    DUPLICATE_EXTERNAL = "duplicate_external"
    DUPLICATE_INTERNAL = "duplicate_internal"
    LATE = "late"
    UNKNOWN_CATEGORY = "unknown_category"
    ORPHAN_TRANSFER = "orphan_transfer"
    UNRESOLVED_UNKNOWN = "unresolved_unknown"
    STUCK_IN_TRANSIT = "stuck_in_transit"
    RETURNED = "returned"
    UNAPPLIED_CASH = "unapplied_cash"
    STALE_HOLD = "stale_hold"
    NEGATIVE_CONNECTED = "negative_connected"
    COVERAGE_SHORTFALL = "coverage_shortfall"
    FILE_GAP = "file_gap"
    FILE_TAMPER = "file_tamper"


LABELS: Mapping[BreakKind, str] = {
    BreakKind.MISSING_IN_LEDGER: "Not posted by us",
    BreakKind.MISSING_AT_STRIPE: "Not at Stripe",
    BreakKind.MISSING_AT_BANK: "Not at the bank",
    BreakKind.AMOUNT_MISMATCH: "Another amount",
    BreakKind.FEE_MISMATCH: "Another fee",
    BreakKind.CURRENCY_MISMATCH: "Another currency",
    BreakKind.DUPLICATE_EXTERNAL: "Twice on the statement",
    BreakKind.DUPLICATE_INTERNAL: "Twice in the book",
    BreakKind.LATE: "Late",
    BreakKind.UNKNOWN_CATEGORY: "Unknown category",
    BreakKind.ORPHAN_TRANSFER: "Transfer without a payout line",
    BreakKind.UNRESOLVED_UNKNOWN: "Payout line still unknown",
    BreakKind.STUCK_IN_TRANSIT: "Stuck in transit",
    BreakKind.RETURNED: "Returned",
    BreakKind.UNAPPLIED_CASH: "Unapplied cash",
    BreakKind.STALE_HOLD: "Stale hold",
    BreakKind.NEGATIVE_CONNECTED: "Connected account below zero",
    BreakKind.COVERAGE_SHORTFALL: "Coverage shortfall",
    BreakKind.FILE_GAP: "Gap between statements",
    BreakKind.FILE_TAMPER: "Statement altered",
}


class BreakState(StrEnum):
    """Where a break stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    INVESTIGATING = "investigating"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RESOLVED = "resolved"


STATE_LABELS: Mapping[BreakState, str] = {
    BreakState.OPEN: "Open",
    BreakState.ASSIGNED: "Assigned",
    BreakState.INVESTIGATING: "Being investigated",
    BreakState.PROPOSED: "Waits for approval",
    BreakState.APPROVED: "Waits for evidence",
    BreakState.RESOLVED: "Resolved",
}
# Evidence resolves a break wherever it stands; a wait that was in vain opens it again.
NEXT: Mapping[BreakState, frozenset[BreakState]] = {
    BreakState.OPEN: frozenset(
        {BreakState.ASSIGNED, BreakState.INVESTIGATING, BreakState.PROPOSED, BreakState.RESOLVED}
    ),
    BreakState.ASSIGNED: frozenset(
        {BreakState.INVESTIGATING, BreakState.PROPOSED, BreakState.RESOLVED}
    ),
    BreakState.INVESTIGATING: frozenset(
        {BreakState.ASSIGNED, BreakState.PROPOSED, BreakState.RESOLVED}
    ),
    BreakState.PROPOSED: frozenset(
        {BreakState.INVESTIGATING, BreakState.APPROVED, BreakState.RESOLVED}
    ),
    BreakState.APPROVED: frozenset({BreakState.OPEN, BreakState.RESOLVED}),
    BreakState.RESOLVED: frozenset(),
}
# Somebody still has to decide something about a break in one of these.
UNDECIDED = (
    BreakState.OPEN, BreakState.ASSIGNED, BreakState.INVESTIGATING, BreakState.PROPOSED
)  # fmt: skip
WORKABLE = (BreakState.OPEN, BreakState.ASSIGNED, BreakState.INVESTIGATING)


class Severity(StrEnum):
    """How grave a break is; a month is not closed over a high one that nobody has decided."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SEVERITY_LABELS: Mapping[Severity, str] = {
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
}
# Whatever their amount: money may be paid twice, be lost, or nothing can be concluded at all.
ALWAYS_HIGH = frozenset(
    {
        BreakKind.ORPHAN_TRANSFER,
        BreakKind.DUPLICATE_INTERNAL,
        BreakKind.UNRESOLVED_UNKNOWN,
        BreakKind.FILE_TAMPER,
    }
)
# An alarm, never a trifle; its amount and its age make it grave. Stripe keeps a fee of every
# payment, so customers' money is short by it until we fund it or have earned as much.
NEVER_LOW = frozenset({BreakKind.COVERAGE_SHORTFALL})
# They move with every payment, so what is said about one holds until it is more than so many times
# what it was said about.
MOVING = frozenset({BreakKind.COVERAGE_SHORTFALL})
MOVES_AT_MOST = 2
HIGH_FROM, MEDIUM_FROM = 1_000, 100  # Whole units of the break's currency.
HIGH_AFTER_DAYS, MEDIUM_AFTER_DAYS = 30, 7


def severity_of(kind: BreakKind, difference: Money, age_days: int) -> Severity:
    """How grave a break is, by what it is, its amount without sign, and its age in whole days."""
    unit = 10 ** EXPONENT[difference.currency]
    amount = abs(difference.minor)
    if kind in ALWAYS_HIGH or amount >= HIGH_FROM * unit or age_days > HIGH_AFTER_DAYS:
        return Severity.HIGH
    if kind in NEVER_LOW or amount >= MEDIUM_FROM * unit or age_days > MEDIUM_AFTER_DAYS:
        return Severity.MEDIUM
    return Severity.LOW


def still_said(kind: BreakKind, about: Money, becomes: Money) -> bool:
    """Whether what was proposed or approved about one difference holds for what it became."""
    if kind not in MOVING or about.currency != becomes.currency:
        return about == becomes
    same_side = about.minor * becomes.minor > 0
    return same_side and abs(becomes.minor) <= MOVES_AT_MOST * abs(about.minor)


def age_days(since: datetime, now: datetime) -> int:
    """Whole days between two aware moments; nothing is younger than zero."""
    return max(0, (now - since).days)


class Bucket(StrEnum):
    """The ages of the ageing report, in days."""

    FRESH = "0–1"  # noqa: RUF001 - people read these.
    WEEK = "2–7"  # noqa: RUF001
    MONTH = "8–30"  # noqa: RUF001
    OLD = "31+"


def bucket_of(days: int) -> Bucket:
    """The column of the ageing report for an age in whole days."""
    if days <= 1:
        return Bucket.FRESH
    if days <= MEDIUM_AFTER_DAYS:
        return Bucket.WEEK
    return Bucket.MONTH if days <= HIGH_AFTER_DAYS else Bucket.OLD


@dataclass(frozen=True, slots=True)
class Found:
    """One difference that a comparison found.

    key: names the same thing in each comparison (Stripe's id, a line's id, a file's hash), unique
    within kind and source; source: what was compared (`stripe`, `bank:<account>` …);
    difference: theirs less ours, signed; since: from when on it has been so, aware; theirs and
    ours: what each side says, plain facts to be shown, empty where a side has nothing. Amounts in
    the facts are minor units with their currency beside them. transaction_id: our side, where it
    is one transaction; balance_transaction_id: Stripe's, for an adjustment to be matched with.
    """

    kind: BreakKind
    key: str
    source: str
    difference: Money
    since: datetime
    theirs: Mapping[str, Fact] = field(default_factory=dict)
    ours: Mapping[str, Fact] = field(default_factory=dict)
    transaction_id: UUID | None = None
    balance_transaction_id: str | None = None


class Action(StrEnum):
    """What can be proposed for a break."""

    ADJUST = "adjust"
    WAIT = "wait"
    WRITE_OFF = "write_off"
    EXTERNAL_FIX = "external_fix"


ACTION_LABELS: Mapping[Action, str] = {
    Action.ADJUST: "Adjust the book",
    Action.WAIT: "Wait until a date",
    Action.WRITE_OFF: "Write it off",
    Action.EXTERNAL_FIX: "Have it mended outside",
}
# These post through the ledger; the other two wait for evidence until their date.
POSTING = frozenset({Action.ADJUST, Action.WRITE_OFF})


class Resolution(StrEnum):
    """What resolved a break."""

    EVIDENCE = "evidence"
    ADJUSTED = "adjusted"
    WRITTEN_OFF = "written_off"


RESOLUTION_LABELS: Mapping[Resolution, str] = {
    Resolution.EVIDENCE: "Resolved by evidence",
    Resolution.ADJUSTED: "Resolved by an adjustment",
    Resolution.WRITTEN_OFF: "Written off",
}


class ReasonCode(StrEnum):
    """Why an adjustment is right."""

    TIMING = "timing"
    OUR_ERROR = "our_error"
    THEIR_ERROR = "their_error"
    BANK_FEE = "bank_fee"
    ROUNDING = "rounding"
    RETURNED_MONEY = "returned_money"
    UNRECOVERABLE = "unrecoverable"
    UNEXPLAINED = "unexplained"


REASON_LABELS: Mapping[ReasonCode, str] = {
    ReasonCode.TIMING: "Timing: the other side follows",
    ReasonCode.OUR_ERROR: "Our error",
    ReasonCode.THEIR_ERROR: "Error of Stripe or the bank",
    ReasonCode.BANK_FEE: "Fee of Stripe or the bank",
    ReasonCode.ROUNDING: "Rounding",
    ReasonCode.RETURNED_MONEY: "Money that came back",
    ReasonCode.UNRECOVERABLE: "Cannot be recovered",
    ReasonCode.UNEXPLAINED: "Unexplained: to suspense",
}


class Decision(StrEnum):
    """What became of a proposal."""

    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class OwnProposal(Denied):
    """Who proposed something for a break does not approve it."""

    code = "own_proposal"


class BreakMoved(Conflict):
    """The break is no longer what was looked at."""

    code = "break_moved"


def expect(state: BreakState, *wanted: BreakState) -> None:
    """BreakMoved unless the break is in one of the states."""
    if state not in wanted:
        raise BreakMoved(
            f"This break is no longer what you looked at: it says “{STATE_LABELS[state]}”. "
            "Load the page again."
        )
