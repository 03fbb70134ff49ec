"""Taking a transfer back: asked for by one person, approved by another, called once, recorded."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity import service as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PayoutLineId, PersonId, new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.payouts import rules
from marketplace.payouts.models import PayoutLine, PayoutReversal
from marketplace.payouts.rules import (
    BankState,
    LineState,
    OwnReversal,
    ReversalReason,
    ReversalState,
    Takeback,
)
from marketplace.payouts.service.bank import walk

NOTE_MIN = 10


def ask_reversal(
    session: Session,
    actor: Actor,
    line_id: UUID,
    *,
    amount: Money,
    why: ReversalReason,
    note: str,
    hold: bool,
) -> PayoutReversal:
    """Ask to take back a transferred line, or a part of it; a second person approves.

    hold: whether the money is held for the specialist afterwards, instead of available. note: why,
    for whoever approves. Raises Missing, Conflict where the line was not transferred or another
    reversal of it is open, Faulty for more than is left or without words.
    """
    actor.require(Permission.PAYOUTS_RELEASE)
    line = session.get(PayoutLine, line_id, with_for_update=True)
    if line is None:
        raise Missing("There is no such payout line.")
    if line.state is not LineState.TRANSFERRED:
        raise Conflict("Only what was transferred can be taken back.")
    if live_reversal(session, line_id) is not None:
        raise Conflict("A reversal of this line is open already.")
    left = Money(line.amount_minor - line.reversed_minor, line.currency)
    words = " ".join(note.split())
    faults = []
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        faults.append(Fault("/amount", f"Write at most {left}."))
    if len(words) < NOTE_MIN:
        faults.append(Fault("/note", "Say in a sentence why; the approver reads it."))
    if faults:
        raise Faulty("This cannot be taken back as asked.", faults)
    asked = PayoutReversal(
        id=new_id(),
        line_id=line.id,
        amount_minor=amount.minor,
        currency=amount.currency,
        state=ReversalState.ASKED,
        hold=hold,
        why=ReversalReason(why),
        note=words,
        asked_by=actor.person(),
        asked_at=clock.now(),
    )
    session.add(asked)
    session.flush()  # The database refuses a second live one.
    _tell(session, actor, "asked to take a transfer back", asked)
    return asked


def approve_reversal(
    session: Session, actor: Actor, reversal_id: UUID, totp_code: str
) -> PayoutReversal:
    """Let a reversal go out, with a fresh TOTP code; never by whoever asked for it."""
    actor.require(Permission.PAYOUTS_APPROVE)
    asked = _locked(session, reversal_id)
    if asked.asked_by == actor.person():
        raise OwnReversal("You asked for this reversal, so somebody else must approve it.")
    _expect(asked, ReversalState.ASKED)
    identity.check_totp(session, actor.person(), totp_code)
    asked.approved_by, asked.approved_at = actor.person(), clock.now()
    _move(session, asked, ReversalState.APPROVED)
    asked.next_look_at = clock.now()
    _tell(session, actor, "approved taking a transfer back", asked)
    outbox.enqueue(session, "payouts.take_back", reversal_id=asked.id)
    return asked


def cancel_reversal(session: Session, actor: Actor, reversal_id: UUID) -> PayoutReversal:
    """Drop a reversal that has not gone out."""
    actor.require(Permission.PAYOUTS_RELEASE)
    asked = _locked(session, reversal_id)
    if asked.state not in {ReversalState.ASKED, ReversalState.APPROVED}:
        raise Conflict("It is on its way or has ended, so it can no longer be cancelled.")
    _end(session, asked, ReversalState.CANCELLED)
    _tell(session, actor, "cancelled taking a transfer back", asked)
    return asked


def claim_reversal(session: Session, reversal_id: UUID) -> PayoutReversal | None:
    """The reversal to call for, on its way from now on; None when there is none to call now."""
    now = clock.now()
    row = session.scalars(
        select(PayoutReversal)
        .where(PayoutReversal.id == reversal_id, PayoutReversal.next_look_at <= now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if row is None or row.ended_at is not None:
        return None
    if row.state is ReversalState.APPROVED:
        _move(session, row, ReversalState.SUBMITTING)
        row.started_at = now
    row.next_look_at = now + rules.REVERSAL_STUCK
    return row


def record_takeback(session: Session, reversal_id: UUID, made: Takeback) -> None:
    """Stripe took the transfer back: post it, once, and keep where the line's money is."""
    row = _locked(session, reversal_id)
    if row.state is ReversalState.REVERSED:
        return
    line = session.get_one(PayoutLine, row.line_id, with_for_update=True, populate_existing=True)
    if made.amount != row.amount or made.asked_as != str(row.id):
        audit.record(session, SYSTEM, "found a reversal that does not fit", row.id)
        outbox.announce(session, "payout_reversal.misfit", row.id, {"line_id": line.id})
        return
    if row.state is ReversalState.APPROVED:
        _move(session, row, ReversalState.SUBMITTING)
    ledger.record_transfer_reversal(
        session,
        specialist_id=PersonId(line.specialist_id),
        line_id=cast(PayoutLineId, line.id),
        reversal_id=made.reversal_id,
        amount=made.amount,
        balance_transaction_id=made.balance_transaction_id,
        connected_account=line.stripe_account_id,
        destination_amount=made.destination,
        held=row.hold,
    )
    row.reversal_id, row.balance_transaction_id = made.reversal_id, made.balance_transaction_id
    row.destination_amount_minor = made.destination.minor
    row.destination_currency = made.destination.currency
    line.reversed_minor += made.amount.minor
    _end(session, row, ReversalState.REVERSED)
    if line.reversed_minor == line.amount_minor:
        walk(session, line, BankState.REVERSED)
    facts = {"amount_minor": made.amount.minor, "currency": made.amount.currency}
    outbox.announce(session, "payout.reversed", line.id, facts, person_id=line.specialist_id)


def record_no_takeback(session: Session, reversal_id: UUID, *, code: str, reason: str) -> None:
    """Stripe refused, or it is proven that nothing was taken back; reason: words for finance.

    Nothing is posted: what the specialist owes us stays open and is netted from what they earn.
    """
    row = _locked(session, reversal_id)
    if row.ended_at is not None:
        return
    if row.state is ReversalState.APPROVED:
        _move(session, row, ReversalState.SUBMITTING)
    row.reason_code, row.reason = code, reason
    _end(session, row, ReversalState.REJECTED)
    outbox.announce(session, "payout_reversal.rejected", row.id, {"code": code})


def record_takeback_doubt(session: Session, reversal_id: UUID, *, code: str | None) -> None:
    """Stripe may or may not have taken it back: looked at again later, called for under its key."""
    row = _locked(session, reversal_id)
    if row.ended_at is not None or row.started_at is None:
        return
    if row.state is ReversalState.SUBMITTING:
        _move(session, row, ReversalState.UNKNOWN)
    row.reason_code = code
    _look_later(session, row)


def delay_reversal(session: Session, reversal_id: UUID) -> None:
    """Nothing happened at Stripe: call again later."""
    _look_later(session, _locked(session, reversal_id))


def _look_later(session: Session, row: PayoutReversal) -> None:
    row.next_look_at = rules.next_look(row.started_at or clock.now(), clock.now())
    outbox.enqueue(session, "payouts.take_back", not_before=row.next_look_at, reversal_id=row.id)


def overdue_reversals(session: Session, *, limit: int = 100) -> list[UUID]:
    """Reversals whose worker was lost."""
    late = clock.now() - rules.REVERSAL_STUCK
    rows = (
        select(PayoutReversal.id)
        .where(PayoutReversal.next_look_at < late, PayoutReversal.ended_at.is_(None))
        .where(PayoutReversal.approved_at.is_not(None))
    )
    return list(session.scalars(rows.order_by(PayoutReversal.next_look_at).limit(limit)))


def live_reversal(session: Session, line_id: UUID) -> PayoutReversal | None:
    """A line's reversal that has not ended, or None."""
    open_ones = PayoutReversal.ended_at.is_(None)
    return session.scalars(
        select(PayoutReversal).where(PayoutReversal.line_id == line_id, open_ones)
    ).first()


def open_reversals(session: Session) -> int:
    """How many reversals have not ended."""
    rows = select(func.count()).select_from(PayoutReversal)
    return session.scalar(rows.where(PayoutReversal.ended_at.is_(None))) or 0


def _locked(session: Session, reversal_id: UUID) -> PayoutReversal:
    row = session.get(PayoutReversal, reversal_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Missing("There is no such reversal.")
    return row


def _expect(row: PayoutReversal, state: ReversalState) -> None:
    if row.state is not state:
        now = rules.REVERSAL_LABELS[row.state].lower()
        raise Conflict(f"Somebody was faster: this reversal is now “{now}”.")


def _move(session: Session, row: PayoutReversal, following: ReversalState) -> None:
    assert following in rules.REVERSAL_NEXT[row.state], (row.state, following)  # noqa: S101
    row.state = following
    session.flush()  # The database checks each step of the lifecycle by itself.


def _end(session: Session, row: PayoutReversal, state: ReversalState) -> None:
    row.ended_at = clock.now()
    _move(session, row, state)
    audit.record(session, SYSTEM, f"ended a reversal as {state}", row.id)


def _tell(session: Session, actor: Actor, verb: str, row: PayoutReversal) -> None:
    facts = {"amount_minor": row.amount_minor, "currency": row.currency}
    audit.record(session, actor, verb, row.id, line_id=row.line_id, **facts)
    outbox.announce(session, f"payout_reversal.{row.state}", row.id, facts)
