"""Every minute: low balances, jobs that paused for want of money, jobs that may go on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import outbox
from marketplace.billing.service import watching
from marketplace.db import transaction
from marketplace.ids import JobId


@outbox.background("billing.watch_money", time_limit_seconds=300, every_seconds=60)
def watch_money(work: outbox.Work) -> None:
    """Warn, tell and resume."""
    with transaction() as session:
        watching.watch_balances(session)
        watching.tell_paused(session)
    _resume_all()
    with transaction() as session:
        outbox.done(session, work)


def _resume_all() -> None:
    """Each job by itself, in the order of their ids, so that one holds up no other."""
    last: JobId | None = None

    def take(session: Session, now: outbox.Round) -> bool:
        nonlocal last
        job_id = watching.next_to_resume(session, after=last)
        if job_id is None:
            return False
        last = now.at = job_id
        watching.resume(session, job_id)
        return True

    outbox.one_by_one(take)


@outbox.background("billing.tell_paused", time_limit_seconds=60)
def tell_paused(work: outbox.Work, job_id: str) -> None:
    """Write to the lab of a job that has paused for want of money."""
    with transaction() as session:
        watching.write_paused(session, JobId(UUID(job_id)))
        outbox.done(session, work)
