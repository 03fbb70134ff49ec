"""The conditions of a job, in SQL: between `job` of the outer statement and one person.

Standing conditions decide who is counted as eligible. What passes by itself (a full day, tasks in
hand) is in `momentary`: it keeps a claim back, and is no reason to leave a person out of a quote.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import TableValuedAlias

from marketplace import clock
from marketplace.identity.models import Membership, Organisation, Person
from marketplace.identity.rules import PersonState
from marketplace.jobs.models import Job
from marketplace.quality.models import Skill, skill_domain
from marketplace.specialists.models import CredentialClaim, QualificationResult, SpecialistProfile
from marketplace.specialists.rules import CredentialState
from marketplace.work.models import Submission

HELD = (CredentialState.VERIFIED, CredentialState.EXPIRING_SOON)
# A day holds no more answers than this; it bounds what one look at the day reads.
ANSWERS_A_DAY_MAX = 500
# Legal forms that one writer adds and another leaves out.
LEGAL_FORMS = (
    "incorporated|inc|llc|ltd|limited|gmbh|ag|plc|corporation|corp|company|co|sarl|sas|sa|srl|bv|nv"
    "|kg|ug|se|llp|pllc|lp|pc|pty"
)
Person_ = ColumnElement[Any]
NOW = bindparam("now", callable_=clock.now, type_=DateTime(timezone=True))
TODAY = bindparam("today", callable_=lambda: clock.now().date(), type_=Date())


def held() -> ColumnElement[bool]:
    """A credential that stands now."""
    return and_(
        CredentialClaim.state.in_(HELD),
        or_(CredentialClaim.valid_until.is_(None), CredentialClaim.valid_until >= TODAY),
    )


def profession_fits() -> ColumnElement[bool]:
    """The credential's profession is the job's, where it asks for one."""
    return or_(Job.profession.is_(None), CredentialClaim.profession == Job.profession)


def specialty_fits() -> ColumnElement[bool]:
    """The credential has one of the job's specialties, where it asks for any."""
    return or_(
        func.cardinality(Job.specialties) == 0, CredentialClaim.specialties.overlap(Job.specialties)
    )


def jurisdiction_fits() -> ColumnElement[bool]:
    """The credential is of one of the places that the job asks for."""
    return or_(
        func.cardinality(Job.jurisdictions) == 0,
        CredentialClaim.jurisdiction == func.any(Job.jurisdictions),
        # A job that asks for a country takes a licence of any part of it.
        func.array_position(
            Job.jurisdictions, func.split_part(CredentialClaim.jurisdiction, "-", 1)
        ).is_not(None),
    )


def level_fits() -> ColumnElement[bool]:
    """The credential is verified as far as the job asks."""
    return CredentialClaim.level >= Job.credential_level_min


PARTS_OF_CREDENTIAL = {
    "profession": profession_fits,
    "specialty": specialty_fits,
    "jurisdiction": jurisdiction_fits,
    "level": level_fits,
}


def credential(person: Person_, *, without: str = "") -> ColumnElement[bool]:
    """One credential that meets all that the job asks of it, but for the part named `without`."""
    asked = [part() for name, part in PARTS_OF_CREDENTIAL.items() if name != without]
    one = (
        select(CredentialClaim.id)
        .where(CredentialClaim.person_id == person, held(), *asked)
        .exists()
    )
    # Where the job asks for none, nobody looks into the credentials.
    needed = or_(Job.profession.is_not(None), Job.credential_level_min > 0)
    return or_(~needed, one)


def languages(person: Person_) -> ColumnElement[bool]:
    """The profile has all of the job's languages."""
    speaks = (
        select(SpecialistProfile.person_id)
        .where(SpecialistProfile.person_id == person)
        .where(SpecialistProfile.languages.contains(Job.languages))
        .exists()
    )
    return or_(func.cardinality(Job.languages) == 0, speaks)


def not_own(person: Person_) -> ColumnElement[bool]:
    """The person is no member of the organisation that posted the job."""
    # Not asked for each job: where the person is one, these are read once for all jobs.
    own = select(Membership.organisation_id).where(Membership.person_id == person)
    return Job.organisation_id.not_in(own.correlate(Person))


def organisation_key(name: ColumnElement[str]) -> ColumnElement[str]:
    """A name without case, punctuation and legal form: `Acme, Inc.` and `ACME` are the same."""
    plain = func.regexp_replace(func.lower(name), rf"\m({LEGAL_FORMS})\M", "", "g")
    return func.regexp_replace(plain, "[^[:alnum:]]+", "", "g")


def each_of(array: Any, name: str) -> TableValuedAlias:
    """The members of an array column, as rows with a `value`."""
    of = func.unnest(array).table_valued(column("value", array.type.item_type), name=name)
    return of.render_derived()


def not_employer(person: Person_) -> ColumnElement[bool]:
    """The organisation that posted the job is none of the person's declared employers."""
    employers = each_of(SpecialistProfile.employers, "employers")
    each = employers.c.value
    declared = (
        select(literal(1))
        .select_from(SpecialistProfile)
        .join(employers, literal(True))
        .join(Organisation, Organisation.id == Job.organisation_id)
        .where(SpecialistProfile.person_id == person, organisation_key(each) != "")
        .where(organisation_key(each) == organisation_key(Organisation.name.expression))
        .correlate(Job, Person)
    )
    any_at_all = select(SpecialistProfile.person_id).where(
        SpecialistProfile.person_id == person, func.cardinality(SpecialistProfile.employers) > 0
    )
    # Most declare none, which is asked once; only then are names compared, job by job.
    return or_(~any_at_all.correlate(Person).exists(), ~declared.exists())


def skilled(person: Person_) -> ColumnElement[bool]:
    """The lower bound of the person's skill reaches what the job asks."""
    enough = (
        select(Skill.person_id)
        .where(Skill.person_id == person, Skill.domain == skill_domain())
        .where(Skill.task_type == Job.task_type, Skill.lower >= Job.skill_min)
        .exists()
    )
    return or_(Job.skill_min.is_(None), enough)


def qualifications_missing(person: Person_) -> ColumnElement[int]:
    """How many of the job's qualifications have no passed result that stands."""
    asked = each_of(Job.qualification_ids, "asked")
    passed = (
        select(literal(1))
        .select_from(QualificationResult)
        .where(QualificationResult.person_id == person, QualificationResult.job_id == asked.c.value)
        .where(QualificationResult.passed.is_(True), _not_expired())
        # Where the job changed since, it may ask for a pass that is newer than the change.
        .where(
            or_(
                Job.requalify_since.is_(None),
                QualificationResult.finished_at >= Job.requalify_since,
            )
        )
        # The job that is asked about, and not any job that exists.
        .correlate(Job, Person, asked)
        .exists()
    )
    missing = select(func.count()).select_from(asked).where(~passed).correlate(Job, Person)
    return missing.scalar_subquery()


def _not_expired() -> ColumnElement[bool]:
    return or_(QualificationResult.expires_at.is_(None), QualificationResult.expires_at > now())


def qualified(person: Person_) -> ColumnElement[bool]:
    """All of the job's qualifications were passed, and stand."""
    return or_(func.cardinality(Job.qualification_ids) == 0, qualifications_missing(person) == 0)


def active(person: Person_) -> ColumnElement[bool]:
    """The person's account may work: a specialist's, not suspended, with a proven address."""
    account = select(Person.id).where(Person.id == person, *account_stands())
    return account.exists()


def account_stands() -> tuple[ColumnElement[bool], ...]:
    """The same, for the person of the outer statement."""
    return (
        Person.is_specialist.expression,
        Person.state == PersonState.ACTIVE,
        Person.email_verified_at.is_not(None),
    )


STANDING = {
    "languages": languages,
    "own_organisation": not_own,
    "employer": not_employer,
    "skill": skilled,
    "qualification": qualified,
}


def may_work(person: Person_) -> ColumnElement[bool]:
    """All standing conditions, between `job` of the outer statement and a person."""
    return and_(credential(person), *(part(person) for part in STANDING.values()))


def day_has_room(person: Person_) -> ColumnElement[bool]:
    """The person worked less today, in their zone, than the limit that they set themselves."""
    midnight = func.date_trunc("day", func.timezone(SpecialistProfile.time_zone, now()))
    newest = (
        select(Submission.active_seconds, Submission.submitted_at)
        .where(Submission.specialist_id == person)
        .order_by(Submission.id.desc())
        .limit(ANSWERS_A_DAY_MAX)
        .correlate(Person)
        .subquery("newest")
    )
    worked = (
        select(func.coalesce(func.sum(newest.c.active_seconds), 0))
        .where(newest.c.submitted_at >= func.timezone(SpecialistProfile.time_zone, midnight))
        .correlate(SpecialistProfile)
        .scalar_subquery()
    )
    full = select(SpecialistProfile.person_id).where(
        SpecialistProfile.person_id == person,
        SpecialistProfile.daily_minutes_max.is_not(None),
        cast(worked, Integer) >= SpecialistProfile.daily_minutes_max * 60,
    )
    return ~full.exists()


def now() -> ColumnElement[datetime]:
    """The clock's instant, as a value that the statement asks for each time that it runs."""
    return NOW


def parts_of(person: Person_) -> Mapping[str, ColumnElement[Any]]:
    """Each condition by itself, for the reasons."""
    mine = select(CredentialClaim.id).where(CredentialClaim.person_id == person)
    profession = and_(held(), profession_fits())
    return {
        "active": active(person),
        "credential": credential(person),
        "profession": mine.where(profession).exists(),
        "specialty": mine.where(profession, specialty_fits()).exists(),
        "jurisdiction": mine.where(profession, jurisdiction_fits()).exists(),
        "level": mine.where(profession, level_fits()).exists(),
        "languages": languages(person),
        "own_organisation": not_own(person),
        "employer": not_employer(person),
        "skill": skilled(person),
        "qualification": qualified(person),
        "qualifications_missing": qualifications_missing(person),
        "day_has_room": day_has_room(person),
    }
