"""When to remind somebody of a credential that runs out; pure."""

from __future__ import annotations

# Days before the last day, the earliest first.
STAGES = (60, 30, 7)


def due_stage(days_left: int) -> int | None:
    """The stage that a credential is in, the nearest to its end; None outside of all.

    days_left: from today to the last day, which still counts; both in the holder's own zone.
    """
    if days_left < 0:
        return None
    return min((stage for stage in STAGES if days_left <= stage), default=None)
