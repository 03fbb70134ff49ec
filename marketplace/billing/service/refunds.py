"""Refunds to labs: asked of available money only, set aside at once, then followed to their end.

Rule 17. Each refund has a key of its own, so two equal ones on a day are two. The order of locks
is: the lab's payments, the refund, the book.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import Actor
from marketplace.billing.models import Dispute, Refund, TopUp
from marketplace.billing.rules import TopUpState
from marketplace.billing.rules import refunds as rules
from marketplace.billing.rules.disputes import DisputeState
from marketplace.billing.rules.refunds import Payment, RefundState
from marketplace.billing.service import letters
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger import service as ledger
from marketplace.money import Money

SEND = "billing.send_refund"
PAYMENTS_MAX = 500
# What a contested payment may still lose cannot be given back as well.
CONTESTED = (DisputeState.OPEN, DisputeState.LOST)


def payments_of(
    session: Session, lab: OrganisationId, currency: str, *, lock: bool = False
) -> list[Payment]:
    """A lab's payments in the book, newest first, with what of each can still be refunded."""
    rows = (
        select(TopUp)
        .where(TopUp.organisation_id == lab, TopUp.currency == currency)
        .where(TopUp.state == TopUpState.POSTED, TopUp.payment_intent_id.is_not(None))
        .order_by(TopUp.id.desc())
        .limit(PAYMENTS_MAX)
    )
    top_ups = session.scalars(rows.with_for_update() if lock else rows).all()
    ids = [top_up.id for top_up in top_ups]
    refunded = select(Refund.top_up_id, func.sum(Refund.amount_minor)).where(
        Refund.top_up_id.in_(ids), Refund.state.in_(rules.COUNTED)
    )
    taken = {
        top_up_id: int(minor)
        for top_up_id, minor in session.execute(refunded.group_by(Refund.top_up_id))
    }
    contested = select(Dispute.top_up_id, func.sum(Dispute.amount_minor)).where(
        Dispute.top_up_id.in_(ids), Dispute.state.in_(CONTESTED)
    )
    for top_up_id, minor in session.execute(contested.group_by(Dispute.top_up_id)):
        assert top_up_id is not None  # noqa: S101 - it is one of the ids.
        taken[top_up_id] = taken.get(top_up_id, 0) + minor
    payments = []
    for top_up in top_ups:
        left = max(0, top_up.amount_minor - int(taken.get(top_up.id, 0)))
        intent = top_up.payment_intent_id or ""
        payments.append(Payment(top_up.id, intent, top_up.amount, Money(left, currency)))
    return payments


def ask_refund(
    session: Session, actor: Actor, amount: Money, *, request_id: UUID | None = None
) -> list[Refund]:
    """Ask available money back to the cards that paid it, newest payment first; one refund each.

    request_id: of the page or the call that asked; the same one again changes nothing. The money
    is set aside at once. Above a setting, finance approves first. Raises Faulty beyond what is
    available or what the payments have left.
    """
    actor.require(Permission.BALANCE_REFUND)
    lab = OrganisationId(actor.organisation())
    request_id = request_id or new_id()
    if amount.minor <= 0:
        raise Faulty("Ask for some money.", [Fault("/amount", "Write an amount above zero.")])
    payments = payments_of(session, lab, amount.currency, lock=True)
    asked = select(Refund).where(Refund.request_id == request_id)
    known = list(session.scalars(asked.order_by(Refund.id)))
    if any(refund.organisation_id != lab for refund in known):
        # Finance decides a request whole, so that it is never two labs'.
        raise Conflict("This request is taken. Load the page again.")
    if known:
        return known
    available = ledger_queries.lab_balance(session, lab, amount.currency).available
    if amount > available:
        advice = f"{available} are available; what is reserved for jobs or held is not."
        raise Faulty("This is more than is available.", [Fault("/amount", advice)])
    approval = needs_approval(amount)
    made = [
        _made(session, actor, request_id, payment, part, approval=approval)
        for payment, part in rules.shared(amount, payments)
    ]
    facts = {"amount": amount.minor, "currency": amount.currency, "parts": len(made)}
    audit.record(session, actor, "asked for a refund", request_id, approval=approval, **facts)
    if approval:
        letters.refund_waits(session, lab, amount)
    return made


def needs_approval(amount: Money) -> bool:
    """Whether finance approves a refund of this much first; always, without a limit for it."""
    limits = dict(settings.current().refund_approval_from)
    return amount.minor >= limits.get(amount.currency, 0)


def _made(
    session: Session,
    actor: Actor,
    request_id: UUID,
    payment: Payment,
    part: Money,
    *,
    approval: bool,
) -> Refund:
    now = clock.now()
    refund = Refund(
        id=new_id(),
        request_id=request_id,
        organisation_id=OrganisationId(actor.organisation()),
        top_up_id=payment.top_up_id,
        payment_intent_id=payment.payment_intent_id,
        amount_minor=part.minor,
        currency=part.currency,
        state=RefundState.ASKED if approval else RefundState.READY,
        attempt=1,
        note="",
        asked_by=actor.person(),
        asked_at=now,
        next_look_at=rules.next_look(now, now),
    )
    session.add(refund)
    session.flush()  # The book names the refund.
    ledger.reserve_refund(
        session, lab_id=refund.organisation_id, amount=part, refund_id=str(refund.id)
    )
    if not approval:
        outbox.enqueue(session, SEND, refund_id=refund.id)
    _tell(session, actor, refund)
    return refund


def decide_refund(
    session: Session, actor: Actor, request_id: UUID, *, approve: bool, note: str = ""
) -> list[Refund]:
    """Approve or refuse what a lab asked for, whole; Conflict once it was decided."""
    actor.require(Permission.BREAKS_APPROVE)
    rows = select(Refund).where(Refund.request_id == request_id).order_by(Refund.id)
    found = list(session.scalars(rows.with_for_update()))
    if not found:
        raise Missing("There is no such refund.")
    waiting = [refund for refund in found if refund.state is RefundState.ASKED]
    if not waiting:
        raise Conflict("This refund has been decided already.")
    if any(refund.asked_by == actor.person() for refund in waiting):
        raise Denied("Somebody else must decide what you asked for.")
    if not approve and len(note.strip()) < 3:
        raise Faulty("Say why.", [Fault("/note", "The lab reads it; a sentence will do.")])
    for refund in waiting:
        refund.decided_by, refund.decided_at = actor.person(), clock.now()
        if approve:
            move(session, actor, refund, RefundState.READY)
            outbox.enqueue(session, SEND, refund_id=refund.id)
        else:
            give_up(session, actor, refund, RefundState.REFUSED, note.strip()[: rules.NOTE_MAX])
    return waiting


def cancel_refund(session: Session, actor: Actor, refund_id: UUID) -> Refund:
    """Take back what was asked and not sent yet; Conflict once Stripe may have it."""
    actor.require(Permission.BALANCE_REFUND)
    refund = locked(session, refund_id)
    if refund.organisation_id != actor.organisation():
        raise Missing("There is no such refund.")
    if refund.state not in {RefundState.ASKED, RefundState.READY}:
        raise Conflict("This refund is with Stripe already and cannot be cancelled.")
    give_up(session, actor, refund, RefundState.CANCELLED, "")
    return refund


def locked(session: Session, refund_id: UUID) -> Refund:
    """The row, locked until the transaction ends; Missing when there is none."""
    wanted = select(Refund).where(Refund.id == refund_id).with_for_update()
    refund = session.scalars(wanted, execution_options={"populate_existing": True}).first()
    if refund is None:
        raise Missing("There is no such refund.")
    return refund


def give_up(session: Session, actor: Actor, refund: Refund, state: RefundState, note: str) -> None:
    """End a refund that was not sent: its money is the lab's again. Conflict for a step that the
    lifecycle does not have."""
    ledger.cancel_refund(
        session,
        lab_id=refund.organisation_id,
        refund_id=str(refund.id),
        amount=refund.amount,
    )
    refund.note = note
    refund.ended_at = clock.now()
    move(session, actor, refund, state)


def move(session: Session, actor: Actor, refund: Refund, state: RefundState) -> None:
    """Take a step that the lifecycle has, and tell it; Conflict for any other."""
    if not rules.may_follow(refund.state, state):
        raise Conflict(f"A refund that is {refund.state} cannot become {state}.")
    refund.state = state
    session.flush()  # The database checks each step of the lifecycle by itself.
    _tell(session, actor, refund)


def _tell(session: Session, actor: Actor, refund: Refund) -> None:
    audit.record(session, actor, f"moved a refund to {refund.state}", refund.id)
    outbox.announce(
        session,
        f"refund.{refund.state}",
        refund.id,
        {"amount_minor": refund.amount_minor, "currency": refund.currency},
        organisation_id=refund.organisation_id,
    )
