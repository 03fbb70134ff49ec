"""Holds on available pay: placed for a reason by somebody who answers for it, looked at again
before a date, and lifted with a reason; the specialist reads why in words."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox, settings
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries as balances
from marketplace.ledger import service as ledger
from marketplace.ledger.rules import HoldReason
from marketplace.money import Money
from marketplace.payouts.models import PayHold, PayHoldEvent
from marketplace.payouts.rules.pay_holds import (
    NOTE_MAX,
    NOTE_MIN,
    REASON_ADVICE,
    REASON_LABELS,
    HoldEvent,
    LiftReason,
    PayHoldState,
)


def place_hold(
    session: Session,
    actor: Actor,
    person_id: PersonId,
    *,
    amount: Money,
    reason: HoldReason,
    note: str,
) -> PayHold:
    """Hold part of a specialist's available pay; the actor answers for it.

    note: why, in words for the specialist. Raises Denied for one's own, Faulty without words or
    for more than is available. The second look is due after PAY_HOLD_DAYS.
    """
    actor.require(Permission.PAY_HOLD)
    if person_id == actor.person():
        raise Denied("Nobody holds their own pay. Ask a colleague.")
    words = _note(note)
    available = balances.balance(session, f"L:spec:{person_id}:available:{amount.currency}")
    if not 0 < amount.minor <= available.minor:
        advice = f"They have {available} available; hold at most that."
        raise Faulty("This cannot be held.", [Fault("/amount", advice)])
    now = clock.now()
    hold = PayHold(
        id=new_id(),
        person_id=person_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=HoldReason(reason),
        owner_id=actor.person(),
        state=PayHoldState.OPEN,
        note=words,
        placed_at=now,
        look_due_at=now + timedelta(days=settings.current().pay_hold_days),
    )
    session.add(hold)
    session.flush()  # The history and the ledger refer to it.
    ledger.hold_pay(
        session,
        specialist_id=person_id,
        amount=amount,
        hold_id=hold.id,
        reason=hold.reason,
        owner_person_id=hold.owner_id,
    )
    _step(session, actor, hold, HoldEvent.PLACED)
    _tell(session, hold)
    return hold


def look_again(session: Session, actor: Actor, hold_id: UUID) -> PayHold:
    """Keep a hold after a second look: who looked answers for it from now on."""
    hold = _open(session, actor, hold_id)
    hold.owner_id = actor.person()
    hold.look_due_at = clock.now() + timedelta(days=settings.current().pay_hold_days)
    _step(session, actor, hold, HoldEvent.LOOKED)
    return hold


def lift_hold(session: Session, actor: Actor, hold_id: UUID, reason: LiftReason) -> PayHold:
    """Let held pay go: it is available again, and the specialist is told."""
    hold = _open(session, actor, hold_id)
    placed_by = session.scalars(
        select(PayHoldEvent.by_id).where(
            PayHoldEvent.hold_id == hold.id, PayHoldEvent.event == HoldEvent.PLACED
        )
    ).one()
    hold.state, hold.lifted_at = PayHoldState.LIFTED, clock.now()
    hold.lift_reason = LiftReason(reason)
    session.flush()  # The guard of its lifecycle speaks here.
    ledger.release_hold(
        session,
        specialist_id=hold.person_id,
        amount=hold.amount,
        hold_id=hold.id,
        reason=hold.reason,
        owner_person_id=placed_by,
    )
    _step(session, actor, hold, HoldEvent.LIFTED)
    _tell(session, hold)
    return hold


def forget_hold_notes(session: Session, person_id: PersonId) -> None:
    """Remove what was written to an erased person about their holds."""
    session.execute(update(PayHold).where(PayHold.person_id == person_id).values(note=None))


def _open(session: Session, actor: Actor, hold_id: UUID) -> PayHold:
    actor.require(Permission.PAY_HOLD)
    hold = session.get(PayHold, hold_id, with_for_update=True, populate_existing=True)
    if hold is None:
        raise Missing("There is no such hold.")
    if hold.person_id == actor.person():
        raise Denied("Nobody decides about a hold on themselves. Ask a colleague.")
    if hold.state is not PayHoldState.OPEN:
        raise Conflict("This hold was lifted already.")
    return hold


def _note(note: str) -> str:
    plain = note.strip()
    if not NOTE_MIN <= len(plain) <= NOTE_MAX or "\0" in plain:
        advice = f"Write to the specialist why, in {NOTE_MIN} to {NOTE_MAX:,} letters."
        raise Faulty("This cannot be held.", [Fault("/note", advice)])
    return plain


def _step(session: Session, actor: Actor, hold: PayHold, event: HoldEvent) -> None:
    session.add(
        PayHoldEvent(
            id=new_id(),
            hold_id=hold.id,
            event=event,
            by_id=actor.person(),
            owner_id=hold.owner_id,
            at=clock.now(),
            look_due_at=hold.look_due_at,
            lift_reason=hold.lift_reason,
        )
    )
    session.flush()
    audit.record(
        session, actor, f"{event} a hold on pay", hold.id, person_id=hold.person_id,
        amount_minor=hold.amount_minor, currency=hold.currency, reason=hold.reason.value,
    )  # fmt: skip
    facts = {"person_id": hold.person_id, "amount_minor": hold.amount_minor}
    outbox.announce(session, f"pay_hold.{event}", hold.id, facts)


def _tell(session: Session, hold: PayHold) -> None:
    to = identity.addressees(session, [hold.person_id]).get(hold.person_id)
    if to is None:
        return
    mail.send(
        session,
        to=to.email,
        template="pay_held",
        name=to.name,
        amount=str(hold.amount),
        lifted=hold.state is PayHoldState.LIFTED,
        reason=REASON_LABELS[hold.reason],
        advice=REASON_ADVICE[hold.reason],
        note=hold.note or "",
        path="/work/earnings",
    )
