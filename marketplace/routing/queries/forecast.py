"""How many people fit a job, what keeps the others out, and how long the job may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.models import Person
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.routing.queries import predicate
from marketplace.routing.rules import Day, Forecast, forecast
from marketplace.work.models import Submission

FORECAST_DAYS = 28
# How many people's last weeks are looked at, and how far back in each; the rest is scaled up.
PEOPLE_LOOKED_AT, ANSWERS_LOOKED_AT = 200, 400
COMPETING_MAX = 50
FEW = 5
TOO_FEW = (
    "Fewer than five people fit, too few for a forecast that names nobody. The job holds about "
    "{hours:.1f} hours of work."
)
CREDENTIAL_PARTS = ("profession", "specialty", "jurisdiction", "level")


def coarse(count: int) -> int:
    """A number of people as a lab may read it: 4 stands for one to four."""
    return max(count, FEW - 1) if count else 0


@dataclass(frozen=True, slots=True)
class Supply:
    """Who could do a job now. removed: how many more would fit without one condition."""

    eligible: int
    removed: Mapping[str, int]

    @property
    def is_coarse(self) -> bool:
        """Whether the number is so small that labs are told `fewer than five`."""
        return 0 < self.eligible < FEW

    @property
    def shown(self) -> int:
        """What a lab may read: 4 stands for one to four, who could be told apart by asking on."""
        return coarse(self.eligible)


def eligible_people(job_id: UUID) -> Select[UUID]:
    """The ids of the people who may work on a job now."""
    return (
        select(Person.id)
        .join(Job, Job.id == job_id)
        .where(*predicate.account_stands(), predicate.may_work(Person.id.expression))
    )


def eligible_count(session: Session, viewer: Actor, job_id: JobId) -> int:
    """How many specialists may work on the viewer's job now."""
    viewer.require(Permission.JOBS_VIEW)
    job = jobs.job_of(session, viewer, job_id)
    asked = select(func.count()).select_from(eligible_people(job.id).subquery())
    return session.scalar(asked) or 0


def supply_of(session: Session, viewer: Actor, job_id: JobId) -> Supply:
    """How many fit the viewer's job now, and how many each condition by itself keeps out."""
    job = jobs.job_of(session, viewer, job_id)
    person = Person.id.expression
    parts = {name: part(person) for name, part in predicate.STANDING.items()}
    relaxed = {name: predicate.credential(person, without=name) for name in CREDENTIAL_PARTS}
    looked = (
        select(
            predicate.credential(person).label("credential"),
            *(part.label(name) for name, part in (parts | relaxed).items()),
        )
        .select_from(Person)
        .join(Job, Job.id == job.id)
        .where(*predicate.account_stands())
        .subquery("looked")
    )
    seen = looked.c
    rest = {name: and_(*(seen[each] for each in parts if each != name)) for name in ("", *parts)}
    counts: dict[str, ColumnElement[bool]] = {"eligible": and_(seen.credential, rest[""])}
    for name in relaxed:
        counts[name] = and_(not_(seen.credential), seen[name], rest[""])
    for name in parts:
        counts[name] = and_(seen.credential, not_(seen[name]), rest[name])
    columns = [func.count().filter(what).label(name) for name, what in counts.items()]
    row = session.execute(select(*columns).select_from(looked)).mappings().one()
    removed = {name: row[name] for name in counts if name != "eligible" and row[name]}
    return Supply(row["eligible"], removed)


def forecast_of(session: Session, viewer: Actor, job: Job, *, seats: int) -> Forecast:
    """Time to fill, from what the eligible people did in the last four weeks."""
    count = eligible_count(session, viewer, JobId(job.id))
    if 0 < count < FEW:
        # Their last weeks' hours would be those of people whom the lab could single out.
        hours = seats * job.expected_seconds / 3_600
        return Forecast(None, None, TOO_FEW.format(hours=hours))
    today = clock.now().date()
    worked = _worked(session, job, scale=max(1.0, count / PEOPLE_LOOKED_AT))
    days = [today - timedelta(days=back) for back in range(FORECAST_DAYS, 0, -1)]
    return forecast(
        seats,
        eligible=count,
        expected_seconds=job.expected_seconds,
        days=[Day(day.weekday(), worked.get(day.isoformat(), 0)) for day in days],
        competing=_competing(session, job),
        weekday=today.weekday(),
    )


def _worked(session: Session, job: Job, *, scale: float) -> dict[str, int]:
    """Seconds of work of the eligible people by day (UTC), in all jobs."""
    people = eligible_people(job.id).order_by(func.md5(cast(Person.id, Text)))
    some = people.limit(PEOPLE_LOOKED_AT).subquery("some")
    newest = (
        select(Submission.submitted_at, Submission.active_seconds)
        .where(Submission.specialist_id == some.c.id)
        .order_by(Submission.id.desc())
        .limit(ANSWERS_LOOKED_AT)
        .lateral("newest")
    )
    day = cast(func.timezone("UTC", newest.c.submitted_at), Date).label("day")
    since = clock.now() - timedelta(days=FORECAST_DAYS)
    rows = session.execute(
        select(day, func.sum(func.greatest(newest.c.active_seconds, 1)))
        .select_from(some.join(newest, literal(True)))
        .where(newest.c.submitted_at > since)
        .group_by(day)
    )
    return {at.isoformat(): round(int(seconds) * scale) for at, seconds in rows}


def _competing(session: Session, job: Job) -> int:
    """Other open jobs that want people of the same profession, counted up to a limit."""
    same = or_(Job.profession.is_(None), Job.profession == job.profession)
    others = (
        select(Job.id)
        .where(Job.state == JobState.OPEN, Job.purpose == Purpose.WORK, Job.id != job.id)
        .where(Job.item_count > 0, same if job.profession else literal(True))
        .limit(COMPETING_MAX)
    )
    return session.scalar(select(func.count()).select_from(others.subquery())) or 0
