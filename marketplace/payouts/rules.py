"""The lifecycles of runs, lines and attempts; a run's content hash; the times of an attempt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from marketplace.errors import Conflict, Denied, Refused
from marketplace.money import Money


class RunState(StrEnum):
    """Where a payout run stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    RELEASING = "releasing"
    SENT = "sent"
    PARTIALLY_SENT = "partially_sent"
    CANCELLED = "cancelled"


class LineState(StrEnum):
    """Where a payout line stands; `unknown` means that Stripe may or may not have paid."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUBMITTING = "submitting"
    TRANSFERRED = "transferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """How an attempt ended; `absent` means proven to have left nothing at Stripe."""

    OPEN = "open"
    TRANSFERRED = "transferred"
    REJECTED = "rejected"
    ABSENT = "absent"


class HoldState(StrEnum):
    """Where a hold on a payee stands; `ended` means that the names agree by now."""

    OPEN = "open"
    CLEARED = "cleared"
    ENDED = "ended"


HOLD_NEXT: Mapping[HoldState, frozenset[HoldState]] = {
    HoldState.OPEN: frozenset({HoldState.CLEARED, HoldState.ENDED}),
    HoldState.CLEARED: frozenset(),
    HoldState.ENDED: frozenset(),
}
RUN_LABELS: Mapping[RunState, str] = {
    RunState.DRAFT: "Draft",
    RunState.APPROVED: "Approved",
    RunState.RELEASING: "Sending",
    RunState.SENT: "Sent",
    RunState.PARTIALLY_SENT: "Partly sent",
    RunState.CANCELLED: "Cancelled",
}
LINE_LABELS: Mapping[LineState, str] = {
    LineState.DRAFT: "Draft",
    LineState.APPROVED: "Ready to send",
    LineState.SUBMITTING: "Sending",
    LineState.TRANSFERRED: "Transferred",
    LineState.REJECTED: "Rejected",
    LineState.UNKNOWN: "Being clarified",
    LineState.CANCELLED: "Cancelled",
}
RUN_NEXT: Mapping[RunState, frozenset[RunState]] = {
    RunState.DRAFT: frozenset({RunState.APPROVED, RunState.CANCELLED}),
    # An edit voids the approval.
    RunState.APPROVED: frozenset({RunState.DRAFT, RunState.RELEASING, RunState.CANCELLED}),
    RunState.RELEASING: frozenset({RunState.SENT, RunState.PARTIALLY_SENT, RunState.CANCELLED}),
    RunState.SENT: frozenset(),
    RunState.PARTIALLY_SENT: frozenset(),
    RunState.CANCELLED: frozenset(),
}
LINE_NEXT: Mapping[LineState, frozenset[LineState]] = {
    LineState.DRAFT: frozenset({LineState.APPROVED, LineState.CANCELLED}),
    LineState.APPROVED: frozenset(
        {LineState.DRAFT, LineState.SUBMITTING, LineState.REJECTED, LineState.CANCELLED}
    ),
    LineState.SUBMITTING: frozenset({LineState.TRANSFERRED, LineState.REJECTED, LineState.UNKNOWN}),
    # Back to approved only when it is proven that nothing was paid.
    LineState.UNKNOWN: frozenset({LineState.TRANSFERRED, LineState.REJECTED, LineState.APPROVED}),
    LineState.TRANSFERRED: frozenset(),
    LineState.REJECTED: frozenset(),
    LineState.CANCELLED: frozenset(),
}
ENDED = frozenset({LineState.TRANSFERRED, LineState.REJECTED, LineState.CANCELLED})
NOT_SENT = frozenset({LineState.DRAFT, LineState.APPROVED})

# Stripe keeps an idempotency key for at least 24 hours; ours ends before, so that a late call
# can never be the first under a forgotten key.
KEY_HOURS = 23
# A listing proves absence only when nothing of the attempt can still be under way.
QUIET_HOURS = 25
# Nobody else touches a claimed line for as long as its worker may run (see `background`); a lost
# worker's outbox row is leased out again a little later.
SENDING_SECONDS = 120
STUCK_SECONDS = 140


class BelowMinimum(Refused):
    """Nobody has enough to be paid."""

    code = "nothing_to_pay"


class OwnRun(Denied):
    """The preparer may not approve what they prepared."""

    code = "own_run"


class PayeeEditor(Denied):
    """Whoever changed a payee last may not send money to it."""

    code = "payee_editor"


class ContentChanged(Conflict):
    """The run is not what the approver saw."""

    code = "content_changed"


@dataclass(frozen=True, slots=True)
class LineContent:
    """What a line promises: the specialist, where the money goes, how much.

    payee_version counts the changes of the payee, so an approval covers one of them.
    """

    line_id: UUID
    specialist_id: UUID
    account: str
    payee_version: int
    amount: Money


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """A connected account as Stripe shows it.

    requirements: what Stripe wants to know next, in its own names; paid_to: a fingerprint of the
    bank accounts or cards behind it, None without any; names: whose account it is and whose bank
    accounts they are, where Stripe says so; compared at once and kept nowhere.
    """

    account_id: str
    transfers_active: bool
    details_submitted: bool
    disabled_reason: str | None
    requirements: tuple[str, ...]
    country: str
    currency: str
    paid_to: str | None
    names: tuple[str, ...] = ()

    @property
    def payable(self) -> bool:
        """Whether a transfer would be taken."""
        return self.transfers_active and self.disabled_reason is None


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer as Stripe made it; destination is what reached the connected account."""

    transfer_id: str
    balance_transaction_id: str
    amount: Money
    account: str
    line_id: str
    destination: Money


@dataclass(frozen=True, slots=True)
class Order:
    """One call to make, the same for every replay of one attempt."""

    attempt_id: UUID
    line_id: UUID
    run_id: UUID
    account: str
    amount: Money

    def sha256(self) -> str:
        """The fingerprint that is stored beside the idempotency key, in hexadecimal."""
        facts = [str(getattr(self, name)) for name in self.__slots__]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def content_sha256(reference: str, currency: str, lines: Iterable[LineContent]) -> str:
    """The hash of a run's content in hexadecimal: lines, amounts, payees and totals.

    The order of the lines does not matter. It is what an approver approves.
    """
    ordered = sorted(lines, key=lambda line: line.line_id)
    content = {
        "reference": reference,
        "currency": currency,
        "lines": [_plain(line) for line in ordered],
        "count": len(ordered),
        "total_minor": sum(line.amount.minor for line in ordered),
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(line: LineContent) -> dict[str, object]:
    return {
        "line_id": str(line.line_id),
        "specialist_id": str(line.specialist_id),
        "account": line.account,
        "payee_version": line.payee_version,
        "amount_minor": line.amount.minor,
        "currency": line.amount.currency,
    }


def run_after(states: Sequence[LineState]) -> RunState | None:
    """How a run in sending ends, by its lines; None while a line has not ended."""
    if not ENDED.issuperset(states):
        return None
    sent = [state for state in states if state is LineState.TRANSFERRED]
    if len(sent) == len(states):
        return RunState.SENT
    if not sent and set(states) == {LineState.CANCELLED}:
        return RunState.CANCELLED
    return RunState.PARTIALLY_SENT


def shortfall(wanted: Money, available: Money) -> Money | None:
    """How much is missing to send `wanted`, or None when nothing is."""
    return wanted - available if available < wanted else None


def key_usable(started_at: datetime, now: datetime) -> bool:
    """Whether the attempt's key may still be sent: Stripe surely remembers it or never saw it."""
    return now < started_at + timedelta(hours=KEY_HOURS)


def absence_provable(started_at: datetime, now: datetime) -> bool:
    """Whether a listing made now, complete and without the line, proves that nothing was paid."""
    return now >= started_at + timedelta(hours=QUIET_HOURS)


def next_look(since: datetime, now: datetime) -> datetime:
    """When to look at a waiting line again: after a minute, and less often the longer it waits."""
    return now + max(timedelta(seconds=60), (now - since) / 20)
