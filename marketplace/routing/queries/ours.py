"""What holds beside for the platform's own qualifications: whom they serve, and what they cost.

A lab pays for its own and decides who is worth it. Ours are open to everybody who looks at them,
so they are for those whose profession they serve and who do not hold what passing grants, and all
of them together cost no more in thirty days than the operator set.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.identity.models import Organisation
from marketplace.identity.rules import OrganisationKind
from marketplace.ids import PersonId
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.rules import Purpose, seat_price
from marketplace.money import Money
from marketplace.specialists.models import CredentialClaim, QualificationResult, SpecialistProfile
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import HOLDING
from marketplace.specialists.rules.qualifications import RENEWABLE_DAYS, AttemptState

PERIOD = timedelta(days=30)
JOBS_MAX = 500
OUT_OF_MONEY = (
    "Our own qualifications are paid by us, and what we set aside for thirty days is given out. "
    "Look again in some days; nothing is held against you."
)


def is_ours(session: Session, job: Job) -> bool:
    """Whether the platform itself pays for a qualification."""
    # From the session after the first look, as a page asks this of many.
    owner = session.get_one(Organisation, job.organisation_id)
    return owner.kind is OrganisationKind.PLATFORM


def not_served(
    session: Session, person_id: PersonId, job: Job, terms: Qualification
) -> tuple[str, ...]:
    """Why one of ours is not for a person, as sentences; empty where it is, or is not ours."""
    if terms.credential_type is None or not is_ours(session, job):
        return ()
    known = catalogue(session)
    kind = known.types[terms.credential_type]
    profile = session.get(SpecialistProfile, person_id)
    if profile is None or kind.profession not in profile.professions:
        title = known.professions[kind.profession].title.lower()
        return (
            f"It is for people who work in {title}. Say so in your profile if you do, then look "
            "again.",
        )
    holds = select(CredentialClaim.valid_until).where(
        CredentialClaim.person_id == person_id,
        CredentialClaim.type == kind.key,
        CredentialClaim.state.in_(HOLDING),
    )
    until = session.scalar(holds.order_by(CredentialClaim.valid_until.desc()).limit(1))
    if until is None or until - timedelta(days=RENEWABLE_DAYS) <= clock.now().date():
        return ()
    again = until - timedelta(days=RENEWABLE_DAYS)
    return (f"You hold what it grants until {until:%-d %B %Y}; renew it from {again:%-d %B %Y}.",)


def money_is_out(session: Session, job: Job, terms: Qualification) -> bool:
    """Whether one more attempt at one of ours would cost more than the operator set aside.

    An attempt that began within thirty days counts with all that it may pay; void ones do not.
    """
    if not is_ours(session, job):
        return False
    began = session.execute(
        select(QualificationResult.job_id, func.sum(QualificationResult.items))
        .join(Job, Job.id == QualificationResult.job_id)
        .where(
            Job.organisation_id == job.organisation_id,
            Job.purpose == Purpose.QUALIFICATION,
            Job.currency == job.currency,
            QualificationResult.started_at > clock.now() - PERIOD,
            QualificationResult.state != AttemptState.VOID,
        )
        .group_by(QualificationResult.job_id)
        .limit(JOBS_MAX)
    ).all()
    items = {job_id: int(count) for job_id, count in began}
    ours = session.scalars(select(Job).where(Job.id.in_(items)))
    given = [_pay(each, items[each.id]) for each in ours]
    wanted = sum(each.minor for each in [*given, _pay(job, terms.items_a_form)])
    return wanted > settings.current().qualification_budget_minor


def _pay(job: Job, items: int) -> Money:
    return seat_price(job.terms(0)).pay * items
