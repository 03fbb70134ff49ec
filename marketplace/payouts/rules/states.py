"""The lifecycles of runs, lines and attempts, and how people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum


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
