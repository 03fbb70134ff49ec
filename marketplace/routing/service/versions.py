"""A new version in a running job, and what it means for work that was begun."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from marketplace import audit
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as job_queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import Price, VersionChange, seat_price
from marketplace.money import Money
from marketplace.routing.service.budgets import reserve
from marketplace.tasktypes import Json
from marketplace.work import service as work


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """What asking judged tasks again costs. seats: judgements in or in hand; each: pay and fee of
    one; most: what is reserved, contingency: on top of that for work beyond the quote."""

    seats: int
    each: Price
    most: Money
    contingency: Money


def quote_again(
    session: Session, viewer: Actor, job_id: JobId, *, pay: Money | None = None
) -> AskedAgain:
    """What it would cost now to ask a running job's judged tasks again.

    pay: for one task or one hour, as the job pays; None for the job's own pay.
    """
    job = job_queries.job_of(session, viewer, job_id)
    return _priced(job, work.seats_judged(session, job_id), pay or job.pay)


def _priced(job: Job, seats: int, pay: Money) -> AskedAgain:
    each = seat_price(replace(job.terms(0), pay=pay))
    most = each.total * seats
    return AskedAgain(seats, each, most, most.portion(job.terms(0).contingency_basis_points))


def change_version(
    session: Session,
    actor: Actor,
    job_id: JobId,
    *,
    change: VersionChange,
    template: Json | None = None,
    instructions_md: str | None = None,
    pay: Money | None = None,
    most: Money | None = None,
    if_version: int | None = None,
) -> TemplateVersion:
    """Make a new version of a running job; claims in hand keep the version that they were made
    under, whatever is chosen.

    pay: of each judgement that is asked for again, the job's own where None; most: what the caller
    agreed to reserve for that, Faulty where it is more by now. Raises InsufficientFunds before
    anything is opened, and whatever `jobs.make_version` refuses.
    """
    actor.require(Permission.JOBS_PUBLISH)
    job = job_queries.job_of(session, actor, job_id)
    _refuse_pay(job, change, pay)
    version = jobs.make_version(
        session,
        actor,
        job_id,
        change=change,
        template=template,
        instructions_md=instructions_md,
        if_version=if_version,
    )
    if change is VersionChange.REOPEN:
        _ask_again(session, actor, job, version, pay=pay or job.pay, most=most)
    return version


def _refuse_pay(job: Job, change: VersionChange, pay: Money | None) -> None:
    if pay is None:
        return
    wrong = None
    if change is not VersionChange.REOPEN:
        wrong = "Only tasks that are asked again have a price of their own. Leave this out."
    elif pay.currency != job.currency or pay.minor <= 0:
        wrong = f"State what each judgement pays, in {job.currency}."
    if wrong:
        raise Faulty("The price cannot be used.", [Fault("/pay/amount_minor", wrong)])


def _ask_again(
    session: Session,
    actor: Actor,
    job: Job,
    version: TemplateVersion,
    *,
    pay: Money,
    most: Money | None,
) -> None:
    """Seats are held first, so that what is counted, reserved and opened is the same number."""
    price = seat_price(replace(job.terms(0), pay=pay)).pay
    with session.begin_nested():
        seats = work.ask_again(session, job, price=price)
        asked = _priced(job, seats, pay)
        if most is not None and asked.most > most:
            words = f"Meanwhile more was handed in: it is {asked.most} now. Look at it again."
            raise Faulty("The price has changed.", [Fault("/most/amount_minor", words)])
        if asked.most:
            reserve(
                session,
                actor,
                job,
                amount=asked.most,
                contingency=asked.contingency,
                source_id=f"{job.id}:version:{version.number}",
            )
    facts = {"version": version.number, "seats": seats, "reserved": asked.most.minor}
    audit.record(session, actor, "asked judged tasks again", job.id, **facts)
