"""Counting, now and then, how much of each open job waits; the order of the feed goes by it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import case, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.routing.models import JobExposure
from marketplace.work.models import Seat
from marketplace.work.rules import SeatState

JOBS_AT_ONCE = 500
COUNTED_MAX = 500


def count_exposure(session: Session, *, after: UUID | None = None) -> UUID | None:
    """Count some open jobs in the order of their ids; the last one counted, None at the end.

    Free seats are counted up to a limit. Beyond it, what waits is taken from the distance between
    the first and the last rank that is free: ranks of a job's seats lie close together, so a job
    costs the same whatever its size.
    """
    free = (Seat.job_id == Job.id, Seat.state == SeatState.OPEN)
    some = select(Seat.rank).where(*free).limit(COUNTED_MAX).correlate(Job).subquery()
    counted = select(func.count()).select_from(some).scalar_subquery()
    first = select(Seat.rank).where(*free).order_by(Seat.rank).limit(1).scalar_subquery()
    last = select(Seat.rank).where(*free).order_by(Seat.rank.desc()).limit(1).scalar_subquery()
    jobs = (
        select(
            Job.id,
            (Job.items_seated * Job.overlap_min).label("seats"),
            counted.label("counted"),
            (last - first + 1).label("spread"),
        )
        .where(Job.state == JobState.OPEN, Job.purpose == Purpose.WORK)
        .order_by(Job.id)
        .limit(JOBS_AT_ONCE)
    )
    if after is not None:
        jobs = jobs.where(Job.id > after)
    looked = jobs.cte("looked")
    total = func.greatest(looked.c.seats, looked.c.counted)
    beyond = func.greatest(looked.c.counted, func.least(total, looked.c.spread))
    waits = case((looked.c.counted < COUNTED_MAX, looked.c.counted), else_=beyond)
    rows = select(looked.c.id, waits, total, literal(clock.now()))
    names = ["job_id", "seats_open", "seats_total", "counted_at"]
    found = insert(JobExposure).from_select(names, rows)
    again = {name: found.excluded[name] for name in names[1:]}
    counted_ids = session.scalars(
        found.on_conflict_do_update(index_elements=["job_id"], set_=again).returning(
            JobExposure.job_id
        )
    ).all()
    return max(counted_ids) if len(counted_ids) == JOBS_AT_ONCE else None
