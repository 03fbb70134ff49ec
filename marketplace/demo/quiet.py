"""Keeping the present out of the past: the schedule rests while history is written.

Recurring functions live in the present: they would clear last week's pay as of today. Each of
their slots for the next seconds is taken here, by the same call as the relay's, with a later
start; so at most one such run is late by a few seconds when the demonstration is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from marketplace import clock, limits, outbox
from marketplace.db import transaction
from marketplace.ids import new_id
from marketplace.worker import heartbeat
from marketplace.worker.names import bind_all
from marketplace.worker.perform import perform

RESTING = ("review.accept_arrived", "review.clear_due", "work.expire_leases")
REST_SECONDS = 10
WAIT_SECONDS = 30.0
PAUSE_SECONDS = 0.2


class Quiet:
    """Keeps the schedule at rest for as long as `keep` is called often enough."""

    def __init__(self) -> None:
        bind_all()
        self._until = 0

    def keep(self) -> None:
        """Take the slots of the next seconds; call it in the present, outside a transaction."""
        now = int(clock.now().timestamp())
        if now < self._until - REST_SECONDS // 2:
            return
        self._until = now + REST_SECONDS
        later = clock.now() + timedelta(seconds=REST_SECONDS)
        with transaction() as session:
            for name in RESTING:
                every = outbox.bound()[name].every_seconds or REST_SECONDS
                for slot in range(now // every, self._until // every + 1):
                    key = f"schedule:{name}:{slot}"
                    outbox.enqueue_once(session, key, name, not_before=later)


def wait_for(ready: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> bool:
    """Wait until background work has led to something; whether it has within so many seconds.

    Where no worker lives, the work that is due is done here.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        if heartbeat.alive(limits.redis(), "worker"):
            time.sleep(PAUSE_SECONDS)
        else:
            _work_off()
    return True


def _work_off() -> None:
    bind_all()
    with transaction() as session:
        due = outbox.lease_due(session)
    for work in due:
        perform(str(work.id))
    for name in RESTING:
        outbox.bound()[name].call(outbox.Work(new_id(), name, {}, 1))
    if not due:
        time.sleep(PAUSE_SECONDS)
