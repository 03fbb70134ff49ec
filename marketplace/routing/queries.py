"""Who may work on what, in which order, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from babel import Locale
from sqlalchemy import ColumnElement, Select, Uuid, and_, cast, column, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause, TableValuedAlias

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.models import Membership, Person
from marketplace.identity.rules import Permission, PersonState
from marketplace.ids import JobId, PersonId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.money import Money
from marketplace.routing.rules import Forecast, Offer, forecast, ranked
from marketplace.specialists.models import CredentialClaim, SpecialistProfile
from marketplace.specialists.rules import CredentialState
from marketplace.work.models import Claim, Seat, Submission
from marketplace.work.rules import HOLDING, SeatState

FEED_MAX = 50
FORECAST_DAYS = 28
HELD = (CredentialState.VERIFIED, CredentialState.EXPIRING_SOON)


def _held() -> ColumnElement[bool]:
    """A credential that stands now."""
    return and_(
        CredentialClaim.state.in_(HELD),
        or_(
            CredentialClaim.valid_until.is_(None), CredentialClaim.valid_until >= clock.now().date()
        ),
    )


def _profession_fits() -> ColumnElement[bool]:
    return or_(Job.profession.is_(None), CredentialClaim.profession == Job.profession)


def _specialty_fits() -> ColumnElement[bool]:
    return or_(
        func.cardinality(Job.specialties) == 0, CredentialClaim.specialties.overlap(Job.specialties)
    )


def _jurisdiction_fits() -> ColumnElement[bool]:
    return or_(
        func.cardinality(Job.jurisdictions) == 0,
        CredentialClaim.jurisdiction == func.any(Job.jurisdictions),
        # A job that asks for a country takes a licence of any part of it.
        func.array_position(
            Job.jurisdictions, func.split_part(CredentialClaim.jurisdiction, "-", 1)
        ).is_not(None),
    )


def _level_fits() -> ColumnElement[bool]:
    return CredentialClaim.level >= Job.credential_level_min


def _credential_needed() -> ColumnElement[bool]:
    return or_(Job.profession.is_not(None), Job.credential_level_min > 0)


def _credential(person: ColumnElement[Any]) -> ColumnElement[bool]:
    """One credential that meets all that the job asks of it."""
    one = (
        select(CredentialClaim.id)
        .where(CredentialClaim.person_id == person)
        .where(_held(), _profession_fits(), _specialty_fits(), _jurisdiction_fits(), _level_fits())
        .exists()
    )
    return or_(~_credential_needed(), one)


def _languages(person: ColumnElement[Any]) -> ColumnElement[bool]:
    speaks = (
        select(SpecialistProfile.person_id)
        .where(SpecialistProfile.person_id == person)
        .where(SpecialistProfile.languages.contains(Job.languages))
        .exists()
    )
    return or_(func.cardinality(Job.languages) == 0, speaks)


def _not_own(person: ColumnElement[Any]) -> ColumnElement[bool]:
    member = select(Membership.person_id).where(
        Membership.person_id == person, Membership.organisation_id == Job.organisation_id
    )
    return ~member.exists()


def _may_work(person: ColumnElement[Any]) -> ColumnElement[bool]:
    """The whole predicate, between `job` of the outer statement and a person."""
    return and_(_credential(person), _languages(person), _not_own(person))


def eligible_people(job_id: UUID) -> Select[UUID]:
    """The ids of the people who may work on a job now."""
    return (
        select(Person.id)
        .join(Job, Job.id == job_id)
        .where(Person.is_specialist, Person.state == PersonState.ACTIVE)
        .where(Person.email_verified_at.is_not(None), _may_work(Person.id.expression))
    )


def eligible_count(session: Session, viewer: Actor, job_id: JobId) -> int:
    """How many specialists may work on the viewer's job now."""
    viewer.require(Permission.JOBS_VIEW)
    return session.scalar(select(func.count()).select_from(eligible_people(job_id).subquery())) or 0


def forecast_of(session: Session, viewer: Actor, job: Job, *, seats: int) -> Forecast:
    """Time to fill, from what the eligible people submitted in the last four weeks."""
    eligible = eligible_people(job.id)
    day = func.date_trunc("day", Submission.submitted_at, "UTC")
    counted = session.execute(
        select(day, func.count())
        .where(Submission.specialist_id.in_(eligible))
        .where(Submission.submitted_at > clock.now() - timedelta(days=FORECAST_DAYS))
        .group_by(day)
    ).all()
    daily = [count for _, count in counted]
    daily += [0] * (FORECAST_DAYS - len(daily))
    return forecast(
        seats,
        eligible=eligible_count(session, viewer, JobId(job.id)),
        expected_seconds=job.expected_seconds,
        daily=daily,
    )


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a specialist may work on a job; if not, every reason as a sentence."""

    eligible: bool
    reasons: tuple[str, ...]


def visible_job(session: Session, job_id: JobId) -> Job:
    """A job that specialists may know about: one that was published."""
    job = session.get(Job, job_id)
    if job is None or job.state is JobState.DRAFT:
        raise Missing("There is no such job.")
    return job


def eligibility(session: Session, viewer: Actor, job_id: JobId) -> Eligibility:
    """Every reason for which the viewer does not see a job; none when they do."""
    job = visible_job(session, job_id)
    viewer.require(Permission.WORK_DO)
    me = literal(viewer.person(), Uuid())
    mine = select(CredentialClaim.id).where(CredentialClaim.person_id == me)
    profession = and_(_held(), _profession_fits())
    asked = session.execute(
        select(
            _credential(me).label("credential"),
            mine.where(profession).exists().label("profession"),
            mine.where(profession, _specialty_fits()).exists().label("specialty"),
            mine.where(profession, _jurisdiction_fits()).exists().label("jurisdiction"),
            mine.where(profession, _level_fits()).exists().label("level"),
            _languages(me).label("languages"),
            _not_own(me).label("not_own"),
        ).where(Job.id == job.id)
    ).one()
    reasons = []
    if job.state is not JobState.OPEN:
        reasons.append(f"The job is {job.state.value} at present.")
    if not asked.credential:
        reasons += _credential_reasons(
            job,
            profession=asked.profession,
            specialty=asked.specialty,
            jurisdiction=asked.jurisdiction,
            level=asked.level,
        )
    if not asked.languages:
        reasons.append(f"It asks for {_language_names(job.languages)}; your profile lacks it.")
    if not asked.not_own:
        reasons.append("It was posted by an organisation that you belong to.")
    return Eligibility(not reasons, tuple(reasons))


def _credential_reasons(
    job: Job, *, profession: bool, specialty: bool, jurisdiction: bool, level: bool
) -> list[str]:
    if not profession:
        wanted = job.profession or "any profession"
        return [f"It asks for a verified credential in {wanted}, and you hold none that stands."]
    reasons = []
    if not specialty:
        reasons.append(f"It asks for one of these specialties: {_list(job.specialties)}.")
    if not jurisdiction:
        reasons.append(f"It asks for a licence in {_list(job.jurisdictions)}.")
    if not level:
        reasons.append(f"It asks for credential level L{job.credential_level_min} or higher.")
    return reasons or ["No single credential of yours meets all that it asks for at once."]


def _language_names(tags: Sequence[str]) -> str:
    """`English (en) and German (de)`: the name to read, and the tag that the profile takes."""
    names = Locale("en").languages
    return " and ".join(f"{names.get(tag.split('-')[0].lower(), tag)} ({tag})" for tag in tags)


def _list(words: Sequence[str]) -> str:
    return " or ".join(word.replace("_", " ") for word in words)


def credential_level(session: Session, person_id: PersonId, job: Job) -> int:
    """The highest level among the person's credentials that fit the job; 0 without one."""
    return (
        session.scalar(
            select(func.max(CredentialClaim.level))
            .join(Job, Job.id == job.id)
            .where(CredentialClaim.person_id == person_id)
            .where(_held(), _profession_fits(), _specialty_fits(), _jurisdiction_fits())
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A job that fits, with what a specialist wants to know before claiming."""

    job: Job
    pay: Money
    hourly_rate: Money
    seats_open: int
    seats_open_is_least: bool
    done_by_me: int


SEATS_LOOKED_AT_MAX = 500


def feed(session: Session, viewer: Actor, *, limit: int = 20) -> list[FeedEntry]:
    """Open jobs that fit the viewer and have seats for them, best first."""
    viewer.require(Permission.WORK_DO)
    me = literal(viewer.person(), Uuid())
    jobs = session.scalars(
        select(Job)
        .where(Job.state == JobState.OPEN, _may_work(me), _has_seat_for(me))
        .order_by(Job.id.desc())
        .limit(FEED_MAX)
    ).all()
    ids = [job.id for job in jobs]
    seats = _open_seats(session, ids)
    mine = _done(session, viewer.person(), ids)
    specialties = _own_specialties(session, viewer.person())
    entries = {
        str(job.id): FeedEntry(
            job=job,
            pay=job.pay,
            hourly_rate=job.hourly_rate,
            seats_open=seats.get(job.id, 0),
            seats_open_is_least=seats.get(job.id) == SEATS_LOOKED_AT_MAX,
            done_by_me=mine.get(job.id, 0),
        )
        for job in jobs
    }
    offers = [_offer(entry, specialties) for entry in entries.values()]
    return [entries[offer.job_id] for offer in ranked(offers, clock.now())][:limit]


def _has_seat_for(person: ColumnElement[Any]) -> ColumnElement[bool]:
    held = select(Claim.id).where(
        Claim.task_id == Seat.task_id, Claim.specialist_id == person, Claim.state.in_(HOLDING)
    )
    return (
        select(Seat.id)
        .where(Seat.job_id == Job.id, Seat.state == SeatState.OPEN, ~held.exists())
        .exists()
    )


def _offer(entry: FeedEntry, specialties: frozenset[str]) -> Offer:
    job = entry.job
    return Offer(
        job_id=str(job.id),
        specialty_matches=len(specialties & set(job.specialties)),
        seats_open=entry.seats_open,
        rate=entry.hourly_rate,
        published_at=job.published_at or job.created_at,
        deadline_at=job.deadline_at,
    )


def _own_specialties(session: Session, person_id: PersonId) -> frozenset[str]:
    rows = session.scalars(
        select(CredentialClaim.specialties).where(CredentialClaim.person_id == person_id, _held())
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
        .limit(100)
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
    """Open jobs that are not in the viewer's feed, with the reasons; newest first."""
    viewer.require(Permission.WORK_DO)
    me = literal(viewer.person(), Uuid())
    jobs = session.scalars(
        select(Job)
        .where(Job.state == JobState.OPEN, ~_may_work(me))
        .order_by(Job.id.desc())
        .limit(min(limit, FEED_MAX))
    ).all()
    return [(job, eligibility(session, viewer, JobId(job.id))) for job in jobs]
