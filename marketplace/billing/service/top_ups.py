"""The verbs of top-ups: ask for a top-up, and record what Stripe says about it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.billing import rules
from marketplace.billing.models import TopUp
from marketplace.billing.rules import Checkout, Settlement, TopUpState
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import TransactionId, new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money

GIVEN_UP = "The checkout could not be opened in time. No money was taken; please start again."
OTHER_AMOUNT = "Stripe reports another amount than was asked for. We are looking into it."


def begin_top_up(
    session: Session, actor: Actor, amount: Money, *, success_url: str, cancel_url: str
) -> TopUp:
    """Ask for a top-up; after the commit, `background.open_checkout` opens its checkout.

    The URLs are where the payer comes back to. Raises Denied without the right, Faulty for an
    amount that a card cannot be charged.
    """
    actor.require(Permission.BALANCE_TOP_UP)
    now = clock.now()
    top_up = TopUp(
        id=new_id(),
        organisation_id=actor.organisation(),
        asked_by=actor.person(),
        amount_minor=rules.askable(amount).minor,
        currency=amount.currency,
        state=TopUpState.REQUESTED,
        success_url=success_url,
        cancel_url=cancel_url,
        asked_at=now,
        next_look_at=rules.next_look(now, now),
    )
    session.add(top_up)
    session.flush()  # The audit line and the caller need the row to be legal.
    audit.record(
        session,
        actor,
        "asked for a top-up",
        top_up.id,
        amount=amount.minor,
        currency=top_up.currency,
    )
    return top_up


def record_checkout(session: Session, top_up_id: UUID, checkout: Checkout) -> TopUp:
    """Take over what Stripe says now; posts the money once its balance transaction is known.

    Safe to call with the same or with older facts, in parallel and in any order: the state only
    follows the lifecycle, and the ledger takes a balance transaction once.
    """
    top_up = locked(session, top_up_id)
    if top_up.state in rules.IN_THE_BOOK or not _ours(session, top_up, checkout):
        return top_up
    top_up.checkout_session_id = checkout.session_id
    top_up.checkout_url = checkout.url or top_up.checkout_url
    top_up.payment_intent_id = checkout.payment_intent_id or top_up.payment_intent_id
    seen = rules.state_seen(
        paid=checkout.paid,
        completed=checkout.completed,
        declined=checkout.declined,
        expired=checkout.expired,
    )
    if seen is TopUpState.FAILED:
        top_up.note = "The payment was declined. No money was taken."
    move(session, top_up, seen)
    if checkout.settlement is not None and top_up.state is TopUpState.SETTLING:
        post_settlement(session, top_up, checkout.settlement)
    return top_up


def record_refusal(session: Session, top_up_id: UUID, message: str) -> TopUp:
    """Stripe refused to open the checkout; message: its words, which are for the payer."""
    top_up = locked(session, top_up_id)
    if top_up.state is TopUpState.REQUESTED:
        top_up.note = message
        move(session, top_up, TopUpState.FAILED)
    return top_up


def give_up(session: Session, top_up_id: UUID) -> TopUp:
    """Expire a top-up whose checkout never opened, so that nobody ever had its address."""
    top_up = locked(session, top_up_id)
    if top_up.state is TopUpState.REQUESTED:
        top_up.note = GIVEN_UP
        move(session, top_up, TopUpState.EXPIRED)
    return top_up


def found(
    session: Session,
    *,
    top_up_id: UUID | None = None,
    checkout_session_id: str | None = None,
    payment_intent_id: str | None = None,
) -> TopUp | None:
    """The top-up that one of these ids leads to, the surest first; None when none does."""
    if top_up_id is not None:
        return session.get(TopUp, top_up_id)
    for column, value in (
        (TopUp.checkout_session_id, checkout_session_id),
        (TopUp.payment_intent_id, payment_intent_id),
    ):
        row = session.scalars(select(TopUp).where(column == value)).first() if value else None
        if row is not None:
            return row
    return None


def look_soon(session: Session, actor: Actor, top_up_id: UUID) -> None:
    """Have a waiting top-up looked at now, at most once a second: its payer has come back."""
    actor.require(Permission.BALANCE_VIEW)
    top_up = session.get(TopUp, top_up_id)
    if top_up is None or top_up.organisation_id != actor.organisation():
        raise Missing("There is no such top-up.")
    second = int(clock.now().timestamp())
    outbox.enqueue_once(
        session,
        f"top-up-return:{top_up_id}:{second}",
        "billing.refresh_top_up",
        top_up_id=top_up_id,
    )


def locked(session: Session, top_up_id: UUID) -> TopUp:
    """The row, locked until the transaction ends; Missing when there is none."""
    wanted = select(TopUp).where(TopUp.id == top_up_id).with_for_update()
    top_up = session.scalars(wanted, execution_options={"populate_existing": True}).first()
    if top_up is None:
        raise Missing("There is no such top-up.")
    return top_up


def look_again(session: Session, *, limit: int = 200) -> int:
    """Enqueue a look at every waiting top-up that is due; how many there were.

    This is what finds lost webhooks and crashed requests: nothing lives in a queue only.
    """
    now = clock.now()
    due = (
        select(TopUp)
        .where(TopUp.state.in_(rules.WAITING), TopUp.next_look_at <= now)
        .order_by(TopUp.next_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    top_ups = session.scalars(due).all()
    for top_up in top_ups:
        top_up.next_look_at = rules.next_look(top_up.asked_at, now)
        outbox.enqueue(session, "billing.refresh_top_up", top_up_id=top_up.id, swept=True)
    return len(top_ups)


def _ours(session: Session, top_up: TopUp, checkout: Checkout) -> bool:
    named = checkout.metadata.get("top_up_id")
    if named == str(top_up.id) and top_up.checkout_session_id in {None, checkout.session_id}:
        return True
    audit.record(session, SYSTEM, "ignored a checkout of another top-up", top_up.id, named=named)
    return False


def post_settlement(session: Session, top_up: TopUp, settlement: Settlement) -> None:
    """Rule 1, or 21 where Stripe converted it: post a payment that settled; another amount than
    was asked is an alarm instead."""
    if settlement.paid != top_up.amount:
        if top_up.note != OTHER_AMOUNT:
            top_up.note = OTHER_AMOUNT
            _alarm(session, top_up, settlement)
        return
    top_up.ledger_transaction_id = _posted(session, top_up, settlement)
    top_up.balance_transaction_id = settlement.balance_transaction_id
    # The fee of a converted payment is in another currency; the book has it.
    top_up.fee_minor = 0 if settlement.presented else settlement.fee.minor
    top_up.posted_at = clock.now()
    if settlement.delayed:
        window = timedelta(days=settings.current().top_up_clearing_days)
        top_up.clears_at = settlement.created_at + window
    move(session, top_up, TopUpState.CLEARING if settlement.delayed else TopUpState.POSTED)


def _posted(session: Session, top_up: TopUp, settlement: Settlement) -> TransactionId:
    lab_id, line_id = top_up.organisation_id, settlement.balance_transaction_id
    zone = settings.current().book_timezone
    # Stripe's clock may be ahead of ours; nothing happened after the day on which it is posted.
    on = min(clock.book_day(settlement.created_at, zone), clock.book_day(clock.now(), zone))
    if settlement.presented is not None:
        return ledger.record_top_up_fx(
            session,
            lab_id=lab_id,
            presented=settlement.presented,
            settled=settlement.gross,
            fee=settlement.fee,
            balance_transaction_id=line_id,
            effective_on=on,
            pending=settlement.delayed,
        )
    return ledger.record_top_up(
        session,
        lab_id=lab_id,
        gross=settlement.gross,
        fee=settlement.fee,
        balance_transaction_id=line_id,
        effective_on=on,
        pending=settlement.delayed,
    )


def _alarm(session: Session, top_up: TopUp, settlement: Settlement) -> None:
    audit.record(
        session,
        SYSTEM,
        "found a top-up with another amount",
        top_up.id,
        balance_transaction=settlement.balance_transaction_id,
        gross=settlement.gross.minor,
        currency=settlement.gross.currency,
    )


def move(session: Session, top_up: TopUp, following: TopUpState) -> None:
    """Take a step that the lifecycle has, and tell it; any other is left."""
    if top_up.state is following or not rules.may_follow(top_up.state, following):
        return
    top_up.state = following
    session.flush()  # The database checks each step of the lifecycle by itself.
    audit.record(session, SYSTEM, f"moved a top-up to {following}", top_up.id)
    outbox.announce(
        session,
        f"top_up.{following}",
        top_up.id,
        {"amount_minor": top_up.amount_minor, "currency": top_up.currency},
        organisation_id=top_up.organisation_id,
    )
