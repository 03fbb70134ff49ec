"""What becomes of a refund at Stripe: claimed, sent, unknown, found, in the book, or come back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import SYSTEM
from marketplace.billing.models import Refund
from marketplace.billing.rules import refunds as rules
from marketplace.billing.rules.refunds import RefundLine, RefundNow, RefundState
from marketplace.billing.service import letters
from marketplace.billing.service.refunds import SEND, give_up, locked, move
from marketplace.ledger import service as ledger


def claim_refund(session: Session, refund_id: UUID) -> Refund | None:
    """Take a refund to send it; None where there is nothing to send.

    What was tried and not answered is taken again under its key while that lives.
    """
    refund = locked(session, refund_id)
    now = clock.now()
    if refund.state is RefundState.READY:
        refund.tried_at = now
        move(session, SYSTEM, refund, RefundState.SENDING)
        return refund
    unanswered = {RefundState.SENDING, RefundState.UNKNOWN}
    alive = refund.tried_at is not None and rules.key_is_alive(refund.tried_at, now)
    return refund if refund.state in unanswered and alive else None


def record_unknown(session: Session, refund_id: UUID) -> None:
    """Stripe did not answer: whether it made the refund is unknown; the money stays set aside."""
    refund = locked(session, refund_id)
    if refund.state is RefundState.SENDING:
        move(session, SYSTEM, refund, RefundState.UNKNOWN)


def record_refund(session: Session, refund_id: UUID, seen: RefundNow) -> Refund:
    """Take over what Stripe says of a refund; the book follows once its lines are known.

    Safe with the same or older facts, in parallel and in any order.
    """
    refund = locked(session, refund_id)
    if refund.stripe_refund_id not in {None, seen.id}:
        audit.record(session, SYSTEM, "met a second refund of one wish", refund.id, other=seen.id)
        return refund
    if refund.state in {RefundState.SENDING, RefundState.UNKNOWN}:
        refund.stripe_refund_id = seen.id
        move(session, SYSTEM, refund, RefundState.PENDING)
    if refund.state is RefundState.PENDING and seen.taken is not None:
        _confirm(session, refund, seen.taken, told=not seen.failed)
    if not seen.failed:
        return refund
    if refund.state is RefundState.SENT and seen.returned is not None:
        _return(session, refund, seen.returned, seen.reason)
    elif refund.state is RefundState.PENDING and seen.taken is None:
        give_up(session, SYSTEM, refund, RefundState.REFUSED, seen.reason)
        letters.refund_ended(session, refund)
    return refund


def _confirm(session: Session, refund: Refund, line: RefundLine, *, told: bool) -> None:
    ledger.confirm_refund(
        session,
        refund_id=str(refund.id),
        amount=refund.amount,
        balance_transaction_id=line.id,
        effective_on=clock.book_day(line.created_at, settings.current().book_timezone),
        settled=line.amount,
        fee=line.fee,
    )
    refund.balance_transaction_id = line.id
    refund.ended_at = clock.now()
    move(session, SYSTEM, refund, RefundState.SENT)
    if told:
        letters.refund_ended(session, refund)


def _return(session: Session, refund: Refund, line: RefundLine, reason: str) -> None:
    ledger.return_refund(
        session,
        lab_id=refund.organisation_id,
        refund_id=str(refund.id),
        amount=refund.amount,
        balance_transaction_id=line.id,
        effective_on=clock.book_day(line.created_at, settings.current().book_timezone),
        settled=line.amount,
    )
    refund.return_transaction_id = line.id
    refund.note = reason
    move(session, SYSTEM, refund, RefundState.RETURNED)
    letters.refund_ended(session, refund)


def record_refusal(session: Session, refund_id: UUID, message: str) -> None:
    """Stripe said no before it made anything: the money is the lab's again."""
    refund = locked(session, refund_id)
    if refund.state in {RefundState.SENDING, RefundState.UNKNOWN}:
        give_up(session, SYSTEM, refund, RefundState.REFUSED, message[: rules.NOTE_MAX])
        letters.refund_ended(session, refund)


def record_absence(session: Session, refund_id: UUID) -> None:
    """Stripe's whole list has no such refund, long after the last try: it may be tried anew."""
    refund = locked(session, refund_id)
    if refund.state in {RefundState.SENDING, RefundState.UNKNOWN}:
        refund.attempt += 1
        move(session, SYSTEM, refund, RefundState.READY)
        outbox.enqueue(session, SEND, refund_id=refund.id)


def found_refund(
    session: Session, *, refund_id: UUID | None = None, stripe_refund_id: str | None = None
) -> Refund | None:
    """The refund that one of these ids leads to, Stripe's first."""
    if stripe_refund_id is not None:
        named = select(Refund).where(Refund.stripe_refund_id == stripe_refund_id)
        refund = session.scalars(named).first()
        if refund is not None:
            return refund
    return session.get(Refund, refund_id) if refund_id is not None else None


def refunds_to_look_at(session: Session, *, limit: int = 200) -> list[UUID]:
    """Take the waiting refunds that are due for a look; nothing lives in a queue only."""
    now = clock.now()
    due = (
        select(Refund)
        .where(Refund.state.in_(rules.WAITING), Refund.next_look_at <= now)
        .order_by(Refund.next_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    refunds = session.scalars(due).all()
    for refund in refunds:
        refund.next_look_at = rules.next_look(refund.asked_at, now)
    return [refund.id for refund in refunds]
