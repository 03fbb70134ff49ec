"""What members may reserve and have reserved, and the budgets of jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.models import Membership, Person
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.money import Money
from marketplace.routing.models import JobBudget, Spending, SpendLimit

MEMBERS_MAX = 200
JOBS_MAX = 100


@dataclass(frozen=True, slots=True)
class MemberSpend:
    """A member, their limit of a month or None, and what they have reserved in this one."""

    person_id: PersonId
    name: str
    month_max: Money | None
    spent: Money


@dataclass(frozen=True, slots=True)
class JobSpend:
    """A job, its budget or None, and what was ever reserved for it."""

    job: Job
    budget: Money | None
    reserved: Money


def member_spends(session: Session, viewer: Actor, currency: str, since: date) -> list[MemberSpend]:
    """The members of the viewer's lab by name, with their limits; since: the month's first day."""
    viewer.require(Permission.BALANCE_VIEW)
    lab = viewer.organisation()
    spent = (
        select(Spending.person_id, func.sum(Spending.amount_minor).label("minor"))
        .where(
            Spending.organisation_id == lab,
            Spending.currency == currency,
            Spending.spent_on >= since,
        )
        .group_by(Spending.person_id)
        .subquery()
    )
    limit = (SpendLimit.person_id == Person.id) & (SpendLimit.organisation_id == lab)
    rows = (
        select(Person.id, Person.name, SpendLimit.month_max_minor, spent.c.minor)
        .join(Membership, Membership.person_id == Person.id)
        .outerjoin(SpendLimit, limit & (SpendLimit.currency == currency))
        .outerjoin(spent, spent.c.person_id == Person.id)
        .where(Membership.organisation_id == lab)
        .distinct()
        .order_by(Person.name, Person.id)
        .limit(MEMBERS_MAX)
    )
    return [
        MemberSpend(
            PersonId(person_id),
            name,
            None if most is None else Money(most, currency),
            Money(int(minor or 0), currency),
        )
        for person_id, name, most, minor in session.execute(rows)
    ]


def job_spends(session: Session, viewer: Actor) -> list[JobSpend]:
    """The jobs of the viewer's lab that are not closed, newest first, with their budgets."""
    viewer.require(Permission.BALANCE_VIEW)
    return _job_spends(
        session, (Job.organisation_id == viewer.organisation(), Job.state != JobState.CLOSED)
    )


def job_spend(session: Session, viewer: Actor, job_id: UUID) -> JobSpend | None:
    """One job of the viewer's lab; None when it is not theirs."""
    viewer.require(Permission.BALANCE_VIEW)
    found = _job_spends(session, (Job.organisation_id == viewer.organisation(), Job.id == job_id))
    return found[0] if found else None


def _job_spends(session: Session, where: tuple[object, ...]) -> list[JobSpend]:
    spent = (
        select(func.coalesce(func.sum(Spending.amount_minor), 0))
        .where(Spending.job_id == Job.id)
        .scalar_subquery()
    )
    rows = (
        select(Job, JobBudget.budget_minor, spent)
        .outerjoin(JobBudget, JobBudget.job_id == Job.id)
        .where(*where)  # type: ignore[arg-type]
        .order_by(Job.id.desc())
        .limit(JOBS_MAX)
    )
    return [
        JobSpend(
            job,
            None if most is None else Money(most, job.currency),
            Money(int(minor), job.currency),
        )
        for job, most, minor in session.execute(rows)
    ]
