"""Background functions of review."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox, settings
from marketplace.db import transaction
from marketplace.ids import OrganisationId, PersonId
from marketplace.review import service


@outbox.background("review.accept_arrived", time_limit_seconds=300, every_seconds=5)
def accept_arrived(work: outbox.Work) -> None:
    """Accept what was not sampled for review.

    One submission a transaction: a posting locks its accounts in order, and holds no others. One
    that fails is passed over, and tried again with the next round.
    """
    days = settings.current().clearance_days
    outbox.one_by_one(
        lambda session, now: service.accept_next_arrived(session, clearance_days=days, now=now)
    )
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.tell_returned", time_limit_seconds=60)
def tell_returned(work: outbox.Work, person_id: str, again: bool) -> None:
    """Write to somebody about work that came back to them."""
    with transaction() as session:
        service.tell_returned(session, PersonId(UUID(person_id)), again=again)
        outbox.done(session, work)


@outbox.background("review.clear_due", time_limit_seconds=300, every_seconds=30)
def clear_due(work: outbox.Work) -> None:
    """Make pay available whose date has come, one accrual a transaction."""
    cleared = True
    while cleared:
        with transaction() as session:
            cleared = service.clear_next_due(session)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.draw_waiting", time_limit_seconds=300, every_seconds=30)
def draw_waiting(work: outbox.Work) -> None:
    """Write down why answers that went to a reviewer at once were drawn, and until when."""
    drawn = True
    while drawn:
        with transaction() as session:
            drawn = bool(service.draw_waiting(session))
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.keep_dates", time_limit_seconds=300, every_seconds=60)
def keep_dates(work: outbox.Work) -> None:
    """Carry out what review promises of dates, one thing a transaction: answers that are accepted
    by themselves, second looks and contested tasks that nobody took, holds that nobody confirmed.
    """
    for end_next in (
        service.lapse_next_look,
        service.lapse_next_adjudication,
        service.release_next_overdue,
    ):
        found = True
        while found:
            with transaction() as session:
                found = end_next(session)
    days = settings.current().clearance_days
    outbox.one_by_one(
        lambda session, now: service.accept_next_overdue(session, clearance_days=days, now=now)
    )
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.remind", time_limit_seconds=60, every_seconds=3600)
def remind(work: outbox.Work) -> None:
    """Have labs told of answers that are accepted by themselves soon."""
    with transaction() as session:
        service.remind_soon_due(session)
        outbox.done(session, work)


@outbox.background("review.tell_due", time_limit_seconds=60)
def tell_due(work: outbox.Work, organisation_id: str) -> None:
    """Write to a lab about answers that are accepted by themselves soon."""
    with transaction() as session:
        service.tell_due(session, OrganisationId(UUID(organisation_id)))
        outbox.done(session, work)


@outbox.background("review.tell_brake", time_limit_seconds=60)
def tell_brake(work: outbox.Work, brake_id: str) -> None:
    """Write to those who have to look at held rejections."""
    with transaction() as session:
        service.tell_brake(session, UUID(brake_id))
        outbox.done(session, work)


@outbox.background("review.carry_held", time_limit_seconds=600)
def carry_held(work: outbox.Work, brake_id: str) -> None:
    """Carry out the rejections of a brake that both sides confirmed, one a transaction."""
    found = True
    while found:
        with transaction() as session:
            found = service.carry_next_held(
                session, UUID(brake_id), clearance_days=settings.current().clearance_days
            )
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.carry_out", time_limit_seconds=300, every_seconds=15)
def carry_out(work: outbox.Work) -> None:
    """Do what rules of quality control ask for, one firing a transaction, and end what is over."""
    done = True
    while done:
        with transaction() as session:
            done = service.carry_out_next(session)
    with transaction() as session:
        service.end_extra_gold(session)
        outbox.done(session, work)


@outbox.background("review.lapse_appeals", time_limit_seconds=300, every_seconds=60)
def lapse_appeals(work: outbox.Work) -> None:
    """End appeals that nobody decided in time, or of work done again since, one a transaction."""
    found = True
    while found:
        with transaction() as session:
            found = service.end_next_done_again(session)
    days = settings.current().clearance_days
    outbox.one_by_one(
        lambda session, now: service.lapse_next_appeal(session, clearance_days=days, now=now)
    )
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.tell_appeals", time_limit_seconds=60)
def tell_appeals(work: outbox.Work, organisation_id: str) -> None:
    """Ask a lab for its side of appeals."""
    with transaction() as session:
        service.tell_appeals(session, UUID(organisation_id))
        outbox.done(session, work)


@outbox.background("review.remind_appeals", time_limit_seconds=60)
def remind_appeals(work: outbox.Work) -> None:
    """Remind operations of appeals that end by themselves soon."""
    with transaction() as session:
        service.remind_appeals(session)
        outbox.done(session, work)
