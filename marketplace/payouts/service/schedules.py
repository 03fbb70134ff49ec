"""Runs that are drafted on a schedule; each is approved and released by people, as any other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox, settings
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.money import EXPONENT, Money
from marketplace.payouts.models import PayoutSchedule
from marketplace.payouts.queries import Filters
from marketplace.payouts.rules import BelowMinimum, Every, next_draft
from marketplace.payouts.service.preparing import prepare_run

DAYS = {Every.WEEK: 7, Every.MONTH: 28}
SCHEDULES_MAX = 50


@dataclass(frozen=True, slots=True)
class Planned:
    """What a schedule says. on_day: 1 (Monday) to 7 of a week, or 1 to 28 of a month."""

    every: Every
    on_day: int
    minimum: Money
    country: str | None = None


def add_schedule(session: Session, actor: Actor, planned: Planned) -> PayoutSchedule:
    """Draft a run every week or month from now on; the actor is its preparer.

    Raises Faulty for a day that there is not, or a minimum or country that is none.
    """
    actor.require(Permission.PAYOUTS_PREPARE)
    _check(planned)
    if len(session.scalars(select(PayoutSchedule.id).limit(SCHEDULES_MAX)).all()) == SCHEDULES_MAX:
        raise Conflict(f"There are {SCHEDULES_MAX} schedules already.")
    now = clock.now()
    zone = settings.current().book_timezone
    row = PayoutSchedule(
        id=new_id(),
        currency=planned.minimum.currency,
        every=planned.every,
        on_day=planned.on_day,
        minimum_minor=planned.minimum.minor,
        country=planned.country,
        enabled=True,
        next_at=next_draft(planned.every, planned.on_day, zone, now),
        owner_id=actor.person(),
        changed_at=now,
    )
    session.add(row)
    session.flush()  # The audit line refers to it.
    audit.record(session, actor, "planned payout runs", row.id)
    return row


def _check(planned: Planned) -> None:
    faults = []
    most = DAYS[planned.every]
    if not 1 <= planned.on_day <= most:
        faults.append(Fault("/on_day", f"Choose a day from 1 to {most}."))
    if planned.minimum.currency not in EXPONENT or planned.minimum.minor < 1:
        faults.append(Fault("/minimum", "Write an amount above zero."))
    country = planned.country
    if country is not None and not (len(country) == 2 and country.isalpha() and country.isupper()):
        faults.append(Fault("/country", "Write two capital letters, such as DE, or nothing."))
    if faults:
        raise Faulty("The schedule cannot be used as written.", faults)


def switch_schedule(
    session: Session, actor: Actor, schedule_id: UUID, *, enabled: bool
) -> PayoutSchedule:
    """Stop a schedule, or let it go on from its next day; whoever does is its preparer from now."""
    actor.require(Permission.PAYOUTS_PREPARE)
    row = session.get(PayoutSchedule, schedule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Missing("There is no such schedule.")
    row.enabled, row.owner_id, row.changed_at = enabled, actor.person(), clock.now()
    zone = settings.current().book_timezone
    row.next_at = next_draft(Every(row.every), row.on_day, zone, clock.now())
    verb = "let a schedule of payout runs go on" if enabled else "stopped a schedule of payout runs"
    audit.record(session, actor, verb, row.id)
    return row


def due_schedules(session: Session, *, limit: int = 20) -> list[UUID]:
    """Schedules whose day has come, oldest first."""
    rows = select(PayoutSchedule.id).where(
        PayoutSchedule.enabled, PayoutSchedule.next_at <= clock.now()
    )
    return list(session.scalars(rows.order_by(PayoutSchedule.next_at).limit(limit)))


def draft_scheduled(session: Session, schedule_id: UUID) -> None:
    """Draft the run of a schedule whose day has come, once, and tell those who prepare runs.

    Nothing is approved or sent. What was missed while nothing ran is drafted once, not for every
    day missed. Where its owner prepares runs no longer, none is drafted, and that is told.
    """
    now = clock.now()
    row = session.scalars(
        select(PayoutSchedule)
        .where(PayoutSchedule.id == schedule_id, PayoutSchedule.enabled)
        .where(PayoutSchedule.next_at <= now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return
    preparers = identity.platform_addressees(session, Permission.PAYOUTS_PREPARE)
    path = "/finance/payout-runs"
    if row.owner_id not in {one.person_id for one in preparers}:
        row.last_outcome = "Nothing was drafted: its owner prepares runs no longer."
    else:
        row.last_outcome, path = _drafted(session, row)
    row.last_at = now
    row.next_at = next_draft(Every(row.every), row.on_day, settings.current().book_timezone, now)
    outbox.announce(session, "payout_schedule.drafted", row.id, {"currency": row.currency})
    for to in preparers:
        mail.send(
            session,
            to=to.email,
            template="payout_run_drafted",
            name=to.name,
            outcome=row.last_outcome,
            path=path,
        )


def _drafted(session: Session, row: PayoutSchedule) -> tuple[str, str]:
    """What came of it, in words, and where to look."""
    owner = Actor(
        person_id=PersonId(row.owner_id),
        permissions=frozenset({Permission.PAYOUTS_PREPARE.value, Permission.FINANCE_VIEW.value}),
    )
    try:
        run = prepare_run(
            session,
            owner,
            minimum=Money(row.minimum_minor, row.currency),
            filters=Filters(country=row.country),
            schedule_id=row.id,
        )
    except BelowMinimum as nobody:
        return f"Nothing was drafted: {nobody.message}", "/finance/payout-runs"
    people = "1 specialist" if run.line_count == 1 else f"{run.line_count} specialists"
    words = f"{run.reference} is drafted: {run.total} for {people}."
    return words, f"/finance/payout-runs/{run.id}"
