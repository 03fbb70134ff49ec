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
from marketplace.money import Money, total
from marketplace.routing.models import JobReserve
from marketplace.work.models import Claim, Seat, Submission
from marketplace.work.rules import ClaimState, SeatState, SubmissionState


def close_job(session: Session, actor: Actor, job_id: JobId) -> Job:
    """End a job: free seats close, work in hand may come in, unneeded money returns."""
    job = jobs.close_job(session, actor, job_id)
    session.execute(
        update(Seat)
        .where(Seat.job_id == job.id, Seat.state == SeatState.OPEN)
        .values(state=SeatState.CLOSED)
    )
    if session.get(JobReserve, job_id) is not None:
        settle_closed(session, job_id)
    return job


def settle_closed(session: Session, job_id: JobId) -> None:
    """Give back what a closed job does not need any more; what is in hand stays reserved."""
    job = session.get_one(Job, job_id, with_for_update={"key_share": True})
    reserve = session.get_one(JobReserve, job_id, with_for_update={"key_share": True})
    if job.state is not JobState.CLOSED or reserve.settled_at is not None:
        return
    held = ledger_queries.job_balance(session, job_id, job.currency)
    open_prices = _open_prices(session, job)
    needed = total(open_prices, job.currency)
    if held > needed:
        ledger.release_reservation(
            session,
            lab_id=OrganisationId(job.organisation_id),
            job_id=job_id,
            amount=held - needed,
            source_id=new_id(),
        )
    if not open_prices:
        reserve.settled_at = clock.now()


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
