"""End a job, and give back the money that it does not need any more."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import JobId, OrganisationId, new_id
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger import service as ledger
from marketplace.money import Money, total, zero
from marketplace.routing.models import JobReserve
from marketplace.work.models import Claim, Seat, Submission
from marketplace.work.rules import ClaimState, SeatState, SubmissionState


def close_job(session: Session, actor: Actor, job_id: JobId) -> Job:
    """End a job: free seats close, work in hand may come in, unneeded money returns.

    While others are claiming in it at this moment the money returns a little later.
    """
    job = jobs.close_job(session, actor, job_id)
    _close_free_seats(session, job_id)
    if session.get(JobReserve, job_id) is not None:
        settle_closed(session, job_id)
    return job


def _close_free_seats(session: Session, job_id: JobId) -> None:
    session.execute(
        update(Seat)
        .where(Seat.job_id == job_id, Seat.state == SeatState.OPEN)
        .values(state=SeatState.CLOSED)
    )


def settle_closed(session: Session, job_id: JobId) -> None:
    """Give back what a closed job does not need any more; what is in hand stays reserved.

    Whoever leases or opens a seat holds the job's key, so with the whole row locked here nobody
    has read it as open and not said yet what they took. A job that is in use is left for later.
    """
    whole = select(Job).where(Job.id == job_id).with_for_update(skip_locked=True)
    job = session.scalar(whole.execution_options(populate_existing=True))
    if job is None or job.state is not JobState.CLOSED:
        return
    reserve = session.get_one(JobReserve, job_id, with_for_update={"key_share": True})
    if reserve.settled_at is not None:
        return
    _close_free_seats(session, job_id)  # Those that opened again while it was being closed.
    held = ledger_queries.job_money(session, job_id, job.currency)
    open_prices = _open_prices(session, job)
    beyond = bool(open_prices) or _surplus_waits(session, job_id)
    work = _more_than(held.reserved, total(open_prices, job.currency))
    spare = zero(job.currency) if beyond else held.contingency
    if work or spare:
        ledger.release_reservation(
            session,
            lab_id=OrganisationId(job.organisation_id),
            job_id=job_id,
            amount=work,
            contingency=spare,
            source_id=new_id(),
        )
    if not beyond:
        reserve.settled_at = clock.now()


def _more_than(held: Money, needed: Money) -> Money:
    return held - needed if held > needed else zero(held.currency)


def _surplus_waits(session: Session, job_id: JobId) -> bool:
    """Whether an extra answer may still be accepted, and paid from the contingency."""
    waiting = select(Submission.id).where(
        Submission.job_id == job_id,
        Submission.state.in_([SubmissionState.SURPLUS, SubmissionState.SURPLUS_IN_REVIEW]),
    )
    return session.scalar(select(waiting.exists())) or False


def _open_prices(session: Session, job: Job) -> list[Money]:
    """Pay and fee of all that may still be accepted: claims in hand, answers not decided."""
    fee = job.fee_basis_points or 0
    in_hand = select(Claim.price_minor).where(
        Claim.job_id == job.id, Claim.state == ClaimState.LIVE
    )
    undecided = select(Submission.price_minor).where(
        Submission.job_id == job.id,
        Submission.state.in_([SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW]),
    )
    prices = [*session.scalars(in_hand), *session.scalars(undecided)]
    pays = [Money(minor, job.currency) for minor in prices]
    return [pay + pay.portion(fee) for pay in pays]


def unsettled_jobs(session: Session, *, limit: int = 200) -> list[JobId]:
    """Closed jobs whose reserve has not gone back whole."""
    return list(
        session.scalars(
            select(JobReserve.job_id)
            .join(Job, Job.id == JobReserve.job_id)
            .where(Job.state == JobState.CLOSED, JobReserve.settled_at.is_(None))
            .order_by(JobReserve.job_id)
            .limit(limit)
        )
    )
