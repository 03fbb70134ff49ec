"""The times of an attempt: how long its key is good, when absence is proven, when to look."""

from __future__ import annotations

from datetime import datetime, timedelta

# Stripe keeps an idempotency key for at least 24 hours; ours ends before, so that a late call
# can never be the first under a forgotten key.
KEY_HOURS = 23
# A listing proves absence only when nothing of the attempt can still be under way.
QUIET_HOURS = 25
# Nobody else touches a claimed line for as long as its worker may run (see `background`); a lost
# worker's outbox row is leased out again a little later.
SENDING_SECONDS = 120
STUCK_SECONDS = 140


def key_usable(started_at: datetime, now: datetime) -> bool:
    """Whether the attempt's key may still be sent: Stripe surely remembers it or never saw it."""
    return now < started_at + timedelta(hours=KEY_HOURS)


def absence_provable(started_at: datetime, now: datetime) -> bool:
    """Whether a listing made now, complete and without the line, proves that nothing was paid."""
    return now >= started_at + timedelta(hours=QUIET_HOURS)


def next_look(since: datetime, now: datetime) -> datetime:
    """When to look at a waiting line again: after a minute, and less often the longer it waits."""
    return now + max(timedelta(seconds=60), (now - since) / 20)
