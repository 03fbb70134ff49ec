"""Quote, publish, resume and change a job: money reserved first, then seats opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Faulty
from marketplace.ids import JobId
from marketplace.jobs import queries as job_queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import (
    Estimate,
    JobFields,
    JobState,
    PauseReason,
    Purpose,
    Terms,
    contingency_of,
    price_of,
    seat_price,
    seats_of,
    specialist_items,
)
from marketplace.ledger import service as ledger
from marketplace.money import Money, zero
from marketplace.quality import service as quality
from marketplace.quality.rules.overlap import Feasibility
from marketplace.routing import queries
from marketplace.routing.models import JobReserve
from marketplace.routing.queries import Supply
from marketplace.routing.rules import Forecast, Owing, SpendingRefused
from marketplace.routing.service.budgets import reserve
from marketplace.work import service as work
from marketplace.work.models import Seat, Submission
from marketplace.work.rules import SeatState, SubmissionState

SEATED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job costs at least and at most, who could do it now, and how long it may take.

    overlap: whether its confidence can be reached, where it buys judgements until one is.
    """

    estimate: Estimate
    supply: Supply
    forecast: Forecast
    overlap: Feasibility | None = None

    @property
    def eligible_specialists(self) -> int:
        """How many could do it now."""
        return self.supply.eligible


def quote_job(session: Session, viewer: Actor, job_id: JobId, *, fee_basis_points: int) -> Quote:
    """The price of a job as it stands, before any money is committed."""
    job = job_queries.job_of(session, viewer, job_id)
    estimate = job_queries.estimate(job, fee_basis_points=fee_basis_points)
    seats = specialist_items(job.terms(fee_basis_points), job.item_count) * job.overlap_min
    return Quote(
        estimate=estimate,
        supply=queries.supply_of(session, viewer, job_id),
        forecast=queries.forecast_of(session, viewer, job, seats=seats),
        overlap=queries.feasibility_of(session, job),
    )


def publish_job(session: Session, actor: Actor, job_id: JobId, *, fee_basis_points: int) -> Job:
    """Reserve the most that the job may cost, open it, and open its first seats.

    Raises Faulty when the lint finds something, InsufficientFunds without the money, and
    SpendingRefused beyond what the lab itself allows.
    """
    job = jobs.open_job(session, actor, job_id, fee_basis_points=fee_basis_points)
    unknown = queries.requirement_faults(session, job)
    if unknown:
        raise Faulty("Nobody can show what this job asks for.", unknown)
    held = JobReserve(job_id=JobId(job.id), items_reserved=0)
    session.add(held)
    _reserve_rest(session, actor, job, held)
    if job.purpose is Purpose.QUALIFICATION:
        jobs.deal_forms(session, job)  # Its seats open for one candidate at a time.
    elif not quality.go_on(session, job):  # A pipeline routes its items first.
        work.open_seats(session, job, limit=SEATED_AT_ONCE)
    if job.items_seated < job.item_count and job.specialist_items_max is None:
        outbox.enqueue(session, "routing.open_seats", job_id=job.id)
    audit.record(session, actor, "published job", job.id, items=job.item_count)
    outbox.announce(
        session,
        "job.published",
        job.id,
        {"items": job.item_count},
        organisation_id=job.organisation_id,
        job_id=JobId(job.id),
    )
    return job


def _reserve_rest(session: Session, actor: Actor, job: Job, held: JobReserve) -> None:
    """Reserve money for the items that have none yet; InsufficientFunds without it."""
    terms = job.terms(0)
    amount, contingency = _needed(terms, held.items_reserved, job.item_count)
    if amount:
        reserve(
            session,
            actor,
            job,
            amount=amount,
            contingency=contingency,
            source_id=f"{job.id}:{held.items_reserved}-{job.item_count}",
        )
    held.items_reserved = job.item_count


def _needed(terms: Terms, reserved: int, items: int) -> tuple[Money, Money]:
    """What items need on top of what is reserved, and to set aside; nothing beyond the most that
    specialists judge."""
    if reserved and terms.items_max is not None:
        items = min(items, max(terms.items_max, reserved))
    more = items - reserved
    if more <= 0:
        return zero(terms.pay.currency), zero(terms.pay.currency)
    return price_of(terms, more).total, contingency_of(terms, more).total


def open_more_seats(session: Session, job_id: JobId) -> bool:
    """Open seats of a chunk of items that have none; True when there may be more to open.

    Items that came after publishing are paid for here; without the money the job pauses.
    """
    job = session.get_one(Job, job_id, with_for_update={"key_share": True})
    if job.state is not JobState.OPEN:
        return False
    held = session.get_one(JobReserve, job_id, with_for_update={"key_share": True})
    if held.items_reserved < job.item_count:
        try:
            with session.begin_nested():
                _reserve_rest(session, SYSTEM, job, held)
        except (ledger.InsufficientFunds, SpendingRefused) as refused:
            session.refresh(held)
            own = isinstance(refused, SpendingRefused) and not isinstance(refused, Owing)
            reason = PauseReason.LIMIT if own else PauseReason.MONEY
            jobs.pause_job(session, SYSTEM, job_id, reason=reason)
            return False
    if quality.go_on(session, job):
        return False
    return work.open_seats(session, job, limit=SEATED_AT_ONCE) == SEATED_AT_ONCE


def resume_job(session: Session, actor: Actor, job_id: JobId) -> Job:
    """Hand out seats again; first reserve what later items need. Raises InsufficientFunds and
    SpendingRefused."""
    job = jobs.resume_job(session, actor, job_id)
    held = session.get_one(JobReserve, job_id, with_for_update={"key_share": True})
    _reserve_rest(session, actor, job, held)
    if job.items_seated < job.item_count:
        outbox.enqueue(session, "routing.open_seats", job_id=job.id)
    return job


def change_job(session: Session, actor: Actor, job_id: JobId, **fields: Unpack[JobFields]) -> Job:
    """Change a job; a running job's pay rises for claims from now on, with the money reserved.

    Raises InsufficientFunds when the balance does not cover the rise, SpendingRefused beyond what
    the lab itself allows.
    """
    job = job_queries.job_of(session, actor, job_id)
    pay = fields.get("pay")
    if job.state is JobState.DRAFT or pay is None or pay == job.pay:
        return jobs.change_job(session, actor, job_id, **fields)
    del fields["pay"]
    before = seat_price(job.terms(0)).total
    job = jobs.raise_pay(session, actor, job_id, pay)
    rise = seat_price(job.terms(0)).total - before
    seats = _seats_not_accepted(session, job)
    if seats and rise:
        reserve(
            session,
            actor,
            job,
            amount=rise * seats,
            contingency=(rise * seats).portion(job.terms(0).contingency_basis_points),
            source_id=f"{job.id}:pay:{job.version}",
        )
    return jobs.change_job(session, actor, job_id, **fields)


def _seats_not_accepted(session: Session, job: Job) -> int:
    """How many of the seats that money is reserved for may still be paid at a new price."""
    held = session.get_one(JobReserve, JobId(job.id), with_for_update={"key_share": True})
    accepted = session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Seat, Seat.id == Submission.seat_id)
        .where(Submission.job_id == job.id, Submission.state == SubmissionState.ACCEPTED)
        # Seats with a price of their own keep it, and have money of their own.
        .where(Seat.price_minor.is_(None))
    )
    return seats_of(job.terms(0), held.items_reserved) - (accepted or 0)


def open_seat_count(session: Session, actor: Actor, job_id: JobId) -> int:
    """Free seats of the actor's own job."""
    job = job_queries.job_of(session, actor, job_id)
    return (
        session.scalar(
            select(func.count())
            .select_from(Seat)
            .where(Seat.job_id == job.id, Seat.state == SeatState.OPEN)
        )
        or 0
    )
