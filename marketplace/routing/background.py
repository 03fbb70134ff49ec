"""Background functions of routing."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox
from marketplace.db import transaction
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.routing import service
from marketplace.routing.service import exposure


@outbox.background("routing.open_seats", time_limit_seconds=900)
def open_seats(work: outbox.Work, job_id: str) -> None:
    """Open a job's seats, chunk by chunk, a transaction each."""
    _open_all(JobId(UUID(job_id)))
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("routing.seat_late_items", time_limit_seconds=900, every_seconds=5)
def seat_late_items(work: outbox.Work) -> None:
    """Open seats for items that came after their job was published."""
    with transaction() as session:
        wanting = jobs.jobs_wanting_seats(session)
    for job_id in wanting:
        _open_all(JobId(job_id))
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("routing.settle_closed", time_limit_seconds=300, every_seconds=30)
def settle_closed(work: outbox.Work) -> None:
    """Give back the money of closed jobs as their last answers are decided."""
    with transaction() as session:
        unsettled = service.unsettled_jobs(session)
    for job_id in unsettled:
        with transaction() as session:
            service.settle_closed(session, job_id)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("routing.end_attempts", time_limit_seconds=300, every_seconds=15)
def end_attempts(work: outbox.Work) -> None:
    """End the attempts at qualifications whose time is over, a transaction each."""
    with transaction() as session:
        over = service.attempts_to_end(session)
    for attempt_id in over:
        with transaction() as session:
            service.end_attempt(session, attempt_id)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("routing.count_exposure", time_limit_seconds=300, every_seconds=60)
def count_exposure(work: outbox.Work) -> None:
    """Count how much of each open job waits, some jobs to a transaction."""
    after: UUID | None = None
    more = True
    while more:
        with transaction() as session:
            after = exposure.count_exposure(session, after=after)
        more = after is not None
    with transaction() as session:
        outbox.done(session, work)


def _open_all(job_id: JobId) -> None:
    more = True
    while more:
        with transaction() as session:
            more = service.open_more_seats(session, job_id)
