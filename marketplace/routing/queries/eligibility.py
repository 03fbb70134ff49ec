"""Whether a person may work on a job, and every reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, Uuid, and_, bindparam, func, literal, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, PersonId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.quality.models import Skill, skill_domain
from marketplace.routing.queries import predicate
from marketplace.routing.rules import Reason, reasons
from marketplace.specialists.models import CredentialClaim, SpecialistProfile
from marketplace.statements import Fixed
from marketplace.work.models import WorkProgress

ME = bindparam("person_id", type_=Uuid(), required=False)


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a specialist may work on a job; if not, every reason as a sentence.

    details: the same reasons, with a code and the page where each can be mended.
    """

    eligible: bool
    details: tuple[Reason, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences alone."""
        return tuple(each.message for each in self.details)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The answer for a claim. level: of the best credential that fits, 0 without one."""

    eligible: bool
    level: int
    details: tuple[Reason, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences alone."""
        return tuple(each.message for each in self.details)


def visible_job(session: Session, job_id: JobId) -> Job:
    """A job that specialists may know about: one that was published."""
    job = session.get(Job, job_id)
    if job is None or job.state is JobState.DRAFT:
        raise Missing("There is no such job.")
    return job


def level_in_job(person: Any) -> Any:
    """The highest level among a person's credentials that fit the job of the outer statement."""
    return (
        select(func.coalesce(func.max(CredentialClaim.level), 0))
        .where(CredentialClaim.person_id == person, predicate.held())
        .where(
            predicate.profession_fits(), predicate.specialty_fits(), predicate.jurisdiction_fits()
        )
        .correlate(Job)
        .scalar_subquery()
    )


def allowed_statement() -> Select[tuple[bool, int]]:
    """The one statement of a claim, for the person `person_id` and the job `job_id`.

    Every look is by a primary key or an index of that person's few rows.
    """
    may = and_(predicate.active(ME), predicate.may_work(ME), predicate.day_has_room(ME))
    asked = select(may.label("eligible"), level_in_job(ME).label("level"))
    return asked.where(Job.id == bindparam("job_id", type_=Uuid(), required=False))


# Made once: to build it takes longer than to ask it.
ALLOWED = Fixed(allowed_statement)


def allowed(session: Session, person_id: PersonId, job: Job) -> Allowed:
    """Whether a person may claim in a job now: one statement, and the reasons only if not.

    The caps on tasks in hand and in all are the claim's own; `load_reasons` words them.
    """
    (found,) = ALLOWED.run(session, person_id=person_id, job_id=job.id)
    if found.eligible:
        return Allowed(True, found.level, ())
    return Allowed(False, found.level, tuple(_unmet(session, person_id, job)))


def refusals(session: Session, person_id: PersonId, job: Job) -> tuple[str, ...]:
    """The sentences that say why a person may not claim in a job now."""
    return tuple(each.message for each in _unmet(session, person_id, job))


def eligibility(session: Session, viewer: Actor, job_id: JobId) -> Eligibility:
    """Every reason for which the viewer cannot claim in a job; none when they can."""
    job = visible_job(session, job_id)
    viewer.require(Permission.WORK_DO)
    person_id = viewer.person()
    found = [] if job.state is JobState.OPEN else [reasons.not_open(job.state.value)]
    found += _unmet(session, person_id, job)
    found += load_reasons(session, person_id, job)
    return Eligibility(not found, tuple(found))


def _unmet(session: Session, person_id: PersonId, job: Job) -> list[Reason]:
    return unmet(session, person_id, [job])[job.id]


def unmet(session: Session, person_id: PersonId, jobs: Sequence[Job]) -> dict[UUID, list[Reason]]:
    """The conditions of each job that the person does not meet, in one statement for all."""
    columns = [part.label(name) for name, part in predicate.parts_of(ME).items()]
    asked = select(Job.id, *columns).where(Job.id.in_([job.id for job in jobs]))
    rows = {row["id"]: row for row in session.execute(asked, {"person_id": person_id}).mappings()}
    return {job.id: _reasons(session, person_id, job, rows[job.id]) for job in jobs}


def _reasons(session: Session, person_id: PersonId, job: Job, asked: RowMapping) -> list[Reason]:
    found = [] if asked["active"] else [reasons.not_active()]
    if not asked["credential"]:
        found += _credential_reasons(job, asked)
    if not asked["languages"]:
        found.append(reasons.languages(job.languages))
    if not asked["skill"]:
        found.append(reasons.skill(float(job.skill_min or 0), _skill_of(session, person_id, job)))
    if not asked["qualification"]:
        found.append(reasons.qualifications(asked["qualifications_missing"]))
    if not asked["own_organisation"]:
        found.append(reasons.own_organisation())
    if not asked["employer"]:
        found.append(reasons.employer())
    if not asked["day_has_room"]:
        profile = session.get_one(SpecialistProfile, person_id)
        found.append(reasons.day_is_full(profile.daily_minutes_max or 0, profile.time_zone))
    return found


def _credential_reasons(job: Job, asked: RowMapping) -> list[Reason]:
    if not asked["profession"]:
        return [reasons.no_credential(job.profession)]
    found = []
    if not asked["specialty"]:
        found.append(reasons.specialty(job.specialties))
    if not asked["jurisdiction"]:
        found.append(reasons.jurisdiction(job.jurisdictions))
    if not asked["level"]:
        found.append(reasons.level(job.credential_level_min))
    return found or [reasons.not_at_once()]


def _skill_of(session: Session, person_id: PersonId, job: Job) -> float | None:
    return session.scalar(
        select(Skill.lower)
        .join(Job, Job.id == job.id)
        .where(Skill.person_id == person_id, Skill.domain == skill_domain())
        .where(Skill.task_type == Job.task_type)
    )


def load_reasons(session: Session, person_id: PersonId, job: Job) -> list[Reason]:
    """The caps on one person's tasks that are reached: in hand at a time, and in all."""
    row = session.get(WorkProgress, (person_id, job.id), populate_existing=True)
    if row is None:
        return []
    found = []
    if row.live >= job.claims_live_max:
        found.append(reasons.live_claims(job.claims_live_max))
    most = job.tasks_a_person_max
    if most is not None and row.live + row.done >= most:
        found.append(reasons.tasks_done(most))
    return found


def credential_level(session: Session, person_id: PersonId, job: Job) -> int:
    """The highest level among the person's credentials that fit the job; 0 without one."""
    asked = select(level_in_job(literal(person_id, Uuid()))).where(Job.id == job.id)
    return session.scalar(asked) or 0
