"""Every minute: low balances, jobs that paused for want of money, jobs that may go on."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox
from marketplace.billing.service import watching
from marketplace.db import transaction
from marketplace.ids import JobId


@outbox.background("billing.watch_money", time_limit_seconds=300, every_seconds=60)
def watch_money(work: outbox.Work) -> None:
    """Warn, tell and resume; each job by itself, so that one holds up no other."""
    with transaction() as session:
        watching.watch_balances(session)
        watching.tell_paused(session)
        waiting = watching.jobs_to_resume(session)
    for job_id in waiting:
        with transaction() as session:
            watching.resume(session, job_id)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("billing.tell_paused", time_limit_seconds=60)
def tell_paused(work: outbox.Work, job_id: str) -> None:
    """Write to the lab of a job that has paused for want of money."""
    with transaction() as session:
        watching.write_paused(session, JobId(UUID(job_id)))
        outbox.done(session, work)
