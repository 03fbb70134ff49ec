"""The jobs that a specialist is offered, and those that they are not.

Every open job that fits is looked at once, by its own columns; the seats are looked at only for
the few that are likely to be shown: half of them are the most pressing, half fit the person best
and change by the hour, so that with thousands of open jobs each comes into view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    Text,
    Uuid,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import FromClause, LateralFromClause, TableValuedAlias

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.money import Money
from marketplace.quality.models import Skill, skill_domain
from marketplace.routing.models import JobExposure
from marketplace.routing.queries import predicate
from marketplace.routing.queries.eligibility import Eligibility, unmet
from marketplace.routing.rules import Offer, Standing, ranked
from marketplace.routing.rules.ranking import EAGER, PATIENCE, REMAINING_LEAST
from marketplace.specialists.models import CredentialClaim
from marketplace.work.models import Claim, Seat, Submission, WorkProgress
from marketplace.work.rules import HOLDING, SeatState

FEED_MAX = 50
CANDIDATES_EACH = 40
SEATS_LOOKED_AT_MAX = 500
DONE_LOOKED_AT_MAX = 100
# A week of work after which somebody counts as well served.
SERVED_DAYS, SERVED_SECONDS, SERVED_ANSWERS = 7, 20 * 3_600, 200


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A job that fits, with what a specialist wants to know before claiming."""

    job: Job
    pay: Money
    hourly_rate: Money
    seats_open: int
    seats_open_is_least: bool
    done_by_me: int


def feed(session: Session, viewer: Actor, *, limit: int = 20) -> list[FeedEntry]:
    """Open jobs that fit the viewer and have seats for them, best first."""
    viewer.require(Permission.WORK_DO)
    person_id = viewer.person()
    specialties = _own_specialties(session, person_id)
    found = session.execute(with_seats(person_id, specialties)).all()
    offers = {str(row.Job.id): _offer(row, specialties) for row in found}
    jobs = {str(row.Job.id): row.Job for row in found}
    best = ranked(list(offers.values()), clock.now(), standing_of(session, person_id))
    shown = [jobs[offer.job_id] for offer in best[: min(limit, FEED_MAX)]]
    return _entries(session, person_id, shown)


def _entries(session: Session, person_id: PersonId, jobs: Sequence[Job]) -> list[FeedEntry]:
    ids = [job.id for job in jobs]
    seats = _open_seats(session, ids)
    mine = _done(session, person_id, ids)
    return [
        FeedEntry(
            job=job,
            pay=job.pay,
            hourly_rate=job.hourly_rate,
            seats_open=seats.get(job.id, 0),
            seats_open_is_least=seats.get(job.id) == SEATS_LOOKED_AT_MAX,
            done_by_me=mine.get(job.id, 0),
        )
        for job in jobs
    ]


def _waiting(counted: FromClause) -> ColumnElement[float]:
    """The share of a job that waits, as last counted; all of it for a job that is new."""
    share = cast(counted.c.seats_open, Double) / func.nullif(counted.c.seats_total, 0)
    return func.coalesce(share, 1.0)


def _pressing(counted: FromClause) -> ColumnElement[float]:
    """The share of work left over a power of the share of time left; `rules.pressure` in SQL."""
    ends = func.coalesce(Job.deadline_at, Job.published_at + PATIENCE)
    whole = func.extract("epoch", ends - Job.published_at)
    left = func.extract("epoch", ends - predicate.now())
    share = func.greatest(cast(left / func.nullif(whole, 0), Double), REMAINING_LEAST)
    return _waiting(counted) / func.power(share, EAGER)


def candidates(person_id: PersonId, specialties: frozenset[str]) -> Select[Any]:
    """The ids of jobs that fit a person and are likely to be shown, with no look at any seat."""
    hour = clock.now().strftime("%Y-%m-%d %H")
    mix = func.md5(cast(Job.id, Text) + f"{person_id}{hour}")
    held = cast(sorted(specialties), ARRAY(Text))
    # By the key, for each job that fits: the server cannot foresee how many do, and would else
    # read all counts for each of them.
    counted = (
        select(JobExposure.seats_open, JobExposure.seats_total)
        .where(JobExposure.job_id == Job.id)
        .limit(1)
        .lateral("counted")
    )
    fits = (
        select(
            Job.id,
            _pressing(counted).label("pressing"),
            Job.specialties.overlap(held).label("special"),
            mix.label("mix"),
        )
        .join(counted, true(), isouter=True)
        .where(Job.state == JobState.OPEN, Job.purpose == Purpose.WORK)
        .where(func.coalesce(counted.c.seats_open, 1) > 0)
        .where(predicate.may_work(literal(person_id, Uuid())))
        .cte("fits")
    )
    pressing = select(fits.c.id).order_by(fits.c.pressing.desc(), fits.c.mix)
    special = select(fits.c.id).order_by(fits.c.special.desc(), fits.c.mix)
    both = union(
        pressing.limit(CANDIDATES_EACH).subquery().select(),
        special.limit(CANDIDATES_EACH).subquery().select(),
    ).subquery("both")
    return select(both.c.id)


def with_seats(person_id: PersonId, specialties: frozenset[str]) -> Select[Any]:
    """The candidates that have a seat for the person, with what their rank depends on."""
    me = literal(person_id, Uuid())
    skill = (
        select(Skill.lower)
        .where(Skill.person_id == me, Skill.domain == skill_domain())
        .where(Skill.task_type == Job.task_type)
        .correlate(Job)
        .scalar_subquery()
    )
    return (
        select(Job, JobExposure.seats_open, JobExposure.seats_total, skill.label("skill"))
        .join(JobExposure, JobExposure.job_id == Job.id, isouter=True)
        .where(Job.id.in_(candidates(person_id, specialties)), _has_seat_for(me))
        .where(_has_room_for(me))
    )


def _has_seat_for(person: ColumnElement[Any]) -> ColumnElement[bool]:
    held = select(Claim.id).where(
        Claim.task_id == Seat.task_id, Claim.specialist_id == person, Claim.state.in_(HOLDING)
    )
    return (
        select(Seat.id)
        .where(Seat.job_id == Job.id, Seat.state == SeatState.OPEN, Seat.reserved_for.is_(None))
        .where(~held.exists())
        .exists()
    )


def _has_room_for(person: ColumnElement[Any]) -> ColumnElement[bool]:
    """The person has not reached the job's caps on tasks in hand and in all."""
    most = func.coalesce(Job.tasks_a_person_max, WorkProgress.live + WorkProgress.done + 1)
    full = select(WorkProgress.job_id).where(
        WorkProgress.person_id == person,
        WorkProgress.job_id == Job.id,
        or_(
            WorkProgress.live >= Job.claims_live_max,
            WorkProgress.live + WorkProgress.done >= most,
        ),
    )
    return ~full.exists()


def _offer(row: Any, specialties: frozenset[str]) -> Offer:
    job: Job = row.Job
    total = job.items_seated * job.overlap_min
    return Offer(
        job_id=str(job.id),
        specialty_matches=len(specialties & set(job.specialties)),
        seats_open=total if row.seats_open is None else row.seats_open,
        seats_total=total if row.seats_total is None else row.seats_total,
        rate=job.hourly_rate,
        published_at=job.published_at or job.created_at,
        deadline_at=job.deadline_at,
        skill=row.skill,
    )


def standing_of(session: Session, person_id: PersonId) -> Standing:
    """How much work a person got in the last week, from their newest answers."""
    newest = (
        select(Submission.active_seconds, Submission.submitted_at)
        .where(Submission.specialist_id == person_id)
        .order_by(Submission.id.desc())
        .limit(SERVED_ANSWERS)
        .subquery()
    )
    week = clock.now() - timedelta(days=SERVED_DAYS)
    worked = session.scalar(
        select(func.sum(newest.c.active_seconds)).where(newest.c.submitted_at > week)
    )
    return Standing(served=min(1.0, int(worked or 0) / SERVED_SECONDS))


def _own_specialties(session: Session, person_id: PersonId) -> frozenset[str]:
    rows = session.scalars(
        select(CredentialClaim.specialties).where(
            CredentialClaim.person_id == person_id, predicate.held()
        )
    )
    return frozenset(each for row in rows for each in row)


def _open_seats(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many seats of each job are open, counted up to a limit."""
    jobs = _rows_of(job_ids)
    some = (
        select(Seat.id)
        .where(Seat.job_id == jobs.c.id, Seat.state == SeatState.OPEN)
        .limit(SEATS_LOOKED_AT_MAX)
        .lateral()
    )
    return _counted(session, jobs, some)


def _done(session: Session, person_id: PersonId, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many of each job's tasks the person has claimed, counted up to a hundred."""
    jobs = _rows_of(job_ids)
    some = (
        select(Claim.id)
        .where(Claim.specialist_id == person_id, Claim.job_id == jobs.c.id)
        .limit(DONE_LOOKED_AT_MAX)
        .lateral()
    )
    return _counted(session, jobs, some)


def _rows_of(ids: Sequence[UUID]) -> TableValuedAlias:
    each = func.unnest(cast(list(ids), ARRAY(Uuid()))).table_valued(column("id", Uuid()))
    return each.render_derived(name="wanted")


def _counted(session: Session, jobs: TableValuedAlias, some: LateralFromClause) -> dict[UUID, int]:
    rows = session.execute(
        select(jobs.c.id, func.count(some.c.id))
        .select_from(jobs.outerjoin(some, literal(True)))
        .group_by(jobs.c.id)
    )
    return dict(rows.all())


def other_jobs(
    session: Session, viewer: Actor, *, limit: int = 10
) -> list[tuple[Job, Eligibility]]:
    """Open jobs that do not fit the viewer, with the reasons; newest first."""
    viewer.require(Permission.WORK_DO)
    me = literal(viewer.person(), Uuid())
    jobs = session.scalars(
        select(Job)
        .where(Job.state == JobState.OPEN, Job.purpose == Purpose.WORK)
        .where(~predicate.may_work(me))
        .order_by(Job.id.desc())
        .limit(min(limit, FEED_MAX))
    ).all()
    found = unmet(session, viewer.person(), jobs)
    return [(job, Eligibility(False, tuple(found[job.id]))) for job in jobs]
