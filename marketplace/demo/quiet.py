"""Keeping the present out of the past: the schedule rests while history is written.

Recurring functions live in the present: they would clear last week's pay as of today. Each of
their slots for the next seconds is taken here, by the same call as the relay's, with a later
start, which `end` brings forward; where the building is stopped they are late by half a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from marketplace import clock, limits, outbox
from marketplace.db import transaction
from marketplace.ids import new_id
from marketplace.outbox import OutboxRow
from marketplace.worker import heartbeat
from marketplace.worker.names import bind_all
from marketplace.worker.perform import perform

RESTING = ("review.accept_arrived", "review.clear_due", "work.expire_leases")
# Answers of the past are overdue in the present: it would accept what the story rejects.
UNWANTED = ("review.keep_dates",)
# A moment of history takes many seconds where the machine is busy.
REST_SECONDS = 30
WAIT_SECONDS = 30.0
PAUSE_SECONDS = 0.2
# Registers and lists are asked in the present, so nobody asks them before history is written.
PUT_OFF = ("specialists.verify", "specialists.screen")
ASKING = (*PUT_OFF, "specialists.screen_edition")
PUT_OFF_FOR = timedelta(hours=1)


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
            for name in (*RESTING, *UNWANTED):
                every = outbox.bound()[name].every_seconds or REST_SECONDS
                for slot in range(now // every, self._until // every + 1):
                    key = f"schedule:{name}:{slot}"
                    outbox.enqueue_once(session, key, name, not_before=later)

    def end(self) -> None:
        """Let the schedule go on at once."""
        now = clock.now()
        rests = OutboxRow.name.in_((*RESTING, *UNWANTED)) & OutboxRow.done_at.is_(None)
        with transaction() as session:
            session.execute(
                update(OutboxRow).where(rests, OutboxRow.not_before > now).values(not_before=now)
            )


def put_off(session: Session, present: datetime) -> None:
    """Keep what this transaction wants asked from the worker until `ask_now`, or for an hour.

    present: when the world began to be built.
    """
    session.flush()  # What it asked for is read back below.
    after = present + PUT_OFF_FOR - clock.now()
    for row in session.scalars(_unasked()):
        work = outbox.Work(row.id, row.name, row.arguments, row.attempts)
        outbox.again(session, work, error="put off by the demonstration", after=after)


def ask_now() -> bool:
    """Ask what was put off, in the present; whether all that is due has been answered."""
    bind_all()
    with transaction() as session:
        waiting = [row.id for row in session.scalars(_unasked())]
    for row_id in waiting:
        perform(str(row_id))
    return wait_for(lambda: not _due())


def _unasked() -> Select[OutboxRow]:
    return select(OutboxRow).where(OutboxRow.name.in_(PUT_OFF), OutboxRow.done_at.is_(None))


def _due() -> list[UUID]:
    due = select(OutboxRow.id).where(
        OutboxRow.name.in_(ASKING),
        OutboxRow.done_at.is_(None),
        OutboxRow.not_before <= clock.now(),
    )
    with transaction() as session:
        return list(session.scalars(due))


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
