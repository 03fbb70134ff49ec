"""Setting money aside for jobs within what the lab allows: by member and month, by job for good.

Limits are asked and counted in the transaction that reserves, under the lock of the limit's own
row, so that two at once cannot pass it together.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, settings
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing
from marketplace.identity.models import Membership
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, OrganisationId, PersonId, new_id
from marketplace.jobs import queries as job_queries
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger import service as ledger
from marketplace.money import Money, zero
from marketplace.routing.models import JobBudget, Spending, SpendLimit
from marketplace.routing.rules import OverBudget, OverLimit, Owing


def reserve(
    session: Session,
    actor: Actor,
    job: Job,
    *,
    amount: Money,
    source_id: str,
    contingency: Money | None = None,
) -> None:
    """Set money aside for a job (rule 6) and count it against its limits.

    actor: who decided; what the system reserves for items that came later counts for the member
    who reserved for the job last. Raises OverLimit, OverBudget, Owing and InsufficientFunds, in
    that order.
    """
    lab = OrganisationId(job.organisation_id)
    whole = amount + (contingency or zero(amount.currency))
    member = actor.person_id or _last_spender(session, job.id)
    _keep_limit(session, lab, member, whole)
    _keep_budget(session, job, whole)
    _refuse_debtor(session, lab, whole.currency)
    ledger.reserve_for_job(
        session,
        lab_id=lab,
        job_id=JobId(job.id),
        amount=amount,
        contingency=contingency,
        source_id=source_id,
    )
    _count(session, lab, member, whole, job_id=JobId(job.id))


def spend_on_bonus(session: Session, actor: Actor, lab: OrganisationId, whole: Money) -> None:
    """Count a bonus, with our fee, against its giver's month; raises OverLimit and Owing."""
    _keep_limit(session, lab, actor.person(), whole)
    _refuse_debtor(session, lab, whole.currency)
    _count(session, lab, actor.person(), whole, job_id=None)


def _count(
    session: Session,
    lab: OrganisationId,
    member: PersonId | None,
    whole: Money,
    *,
    job_id: JobId | None,
) -> None:
    if not whole:
        return
    session.add(
        Spending(
            id=new_id(),
            organisation_id=lab,
            person_id=member,
            job_id=job_id,
            amount_minor=whole.minor,
            currency=whole.currency,
            spent_on=_today(),
            spent_at=clock.now(),
        )
    )
    session.flush()  # The next reservation of this transaction counts it.


def _keep_limit(
    session: Session, lab: OrganisationId, member: PersonId | None, whole: Money
) -> None:
    key = (lab, member, whole.currency)
    limit = (
        session.get(SpendLimit, key, with_for_update=True, populate_existing=True)
        if member
        else None
    )
    if limit is None:
        return
    spent = spent_in_month(session, lab, PersonId(limit.person_id), whole.currency)
    if spent + whole > limit.month_max:
        raise OverLimit(
            f"This takes {whole}. Your limit is {limit.month_max} a month, and {spent} of it are "
            "used. Ask whoever looks after billing to raise it, or wait for next month.",
        )


def _keep_budget(session: Session, job: Job, whole: Money) -> None:
    budget = session.get(JobBudget, job.id, with_for_update=True, populate_existing=True)
    if budget is None:
        return
    most, spent = Money(budget.budget_minor, job.currency), reserved_for(session, job)
    if spent + whole > most:
        raise OverBudget(
            f"This takes {whole}. The budget of the job is {most}, and {spent} of it are reserved "
            "already. Raise the budget, or ask for less.",
        )


def _refuse_debtor(session: Session, lab: OrganisationId, currency: str) -> None:
    owed = ledger_queries.lab_balance(session, lab, currency).owed
    if owed:
        raise Owing(
            f"Your organisation owes {owed} for a payment that was taken back. Top up to settle "
            "it; new money can be reserved after that.",
        )


def spent_in_month(session: Session, lab: OrganisationId, member: PersonId, currency: str) -> Money:
    """What a member has reserved and given since the month began, in the book's zone."""
    counted = select(func.coalesce(func.sum(Spending.amount_minor), 0)).where(
        Spending.organisation_id == lab,
        Spending.person_id == member,
        Spending.currency == currency,
        Spending.spent_on >= _today().replace(day=1),
    )
    return Money(int(session.scalar(counted) or 0), currency)


def reserved_for(session: Session, job: Job) -> Money:
    """What was ever set aside for a job, which its budget limits."""
    counted = select(func.coalesce(func.sum(Spending.amount_minor), 0)).where(
        Spending.job_id == job.id
    )
    return Money(int(session.scalar(counted) or 0), job.currency)


def set_limit(
    session: Session, actor: Actor, person_id: PersonId, currency: str, month_max: Money | None
) -> None:
    """Limit what a member may reserve in a month; None lifts the limit. Missing for a stranger."""
    actor.require(Permission.SPENDING_LIMIT)
    lab = OrganisationId(actor.organisation())
    member = select(Membership.person_id).where(
        Membership.organisation_id == lab, Membership.person_id == person_id
    )
    if session.scalars(member.limit(1)).first() is None:
        raise Missing("There is no such member.")
    row = session.get(SpendLimit, (lab, person_id, currency), with_for_update=True)
    if month_max is None:
        if row is not None:
            session.delete(row)
    else:
        _positive(month_max, "/month_max")
        values = {
            "month_max_minor": month_max.minor,
            "set_by": actor.person(),
            "set_at": clock.now(),
        }
        key = {"organisation_id": lab, "person_id": person_id, "currency": currency}
        made = insert(SpendLimit).values(**key, **values)
        session.execute(made.on_conflict_do_update(index_elements=list(key), set_=values))
    session.flush()
    session.expire_all()
    facts = {"currency": currency, "month_max": month_max.minor if month_max else None}
    audit.record(session, actor, "set a spend limit", person_id, **facts)


def set_budget(session: Session, actor: Actor, job_id: UUID, budget: Money | None) -> None:
    """Limit what may ever be reserved for a job; None lifts it. Missing for another lab's."""
    actor.require(Permission.SPENDING_LIMIT)
    job = job_queries.job_of(session, actor, job_id)
    if budget is None:
        row = session.get(JobBudget, job.id, with_for_update=True)
        if row is not None:
            session.delete(row)
            session.flush()
    else:
        _positive(budget, "/budget")
        if budget.currency != job.currency:
            advice = Fault("/budget/currency", f"The job pays in {job.currency}.")
            raise Faulty("The budget is in another currency.", [advice])
        values = {
            "budget_minor": budget.minor,
            "set_by": actor.person(),
            "set_at": clock.now(),
        }
        made = insert(JobBudget).values(job_id=job.id, **values)
        session.execute(made.on_conflict_do_update(index_elements=["job_id"], set_=values))
        session.expire_all()
    audit.record(session, actor, "set a budget", job.id, budget=budget.minor if budget else None)


def _positive(amount: Money, pointer: str) -> None:
    if amount.minor < 0:
        raise Faulty("A limit is not below zero.", [Fault(pointer, "Write zero or more.")])


def _last_spender(session: Session, job_id: UUID) -> PersonId | None:
    rows = select(Spending.person_id).where(Spending.job_id == job_id)
    return session.scalars(rows.order_by(Spending.id.desc()).limit(1)).first()


def _today() -> date:
    return clock.book_day(clock.now(), settings.current().book_timezone)
