"""Top-ups by debit: pending until their window has passed, or taken back by the payer's bank."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing.models import TopUp
from marketplace.billing.rules import TopUpState
from marketplace.billing.service.top_ups import locked, move
from marketplace.ledger import service as ledger
from marketplace.money import Money

RETURNED = "The bank took this payment back. What was spent of it already is owed to us."


def due_to_clear(session: Session, *, limit: int = 200) -> list[UUID]:
    """Pending top-ups whose window has passed, the oldest first."""
    due = select(TopUp.id).where(TopUp.state == TopUpState.CLEARING, TopUp.clears_at <= clock.now())
    return list(session.scalars(due.order_by(TopUp.clears_at).limit(limit)))


def clear_top_up(session: Session, top_up_id: UUID) -> TopUp:
    """Rule 2: a pending top-up becomes available, once; any other is left as it is."""
    top_up = locked(session, top_up_id)
    due = top_up.clears_at is not None and top_up.clears_at <= clock.now()
    if top_up.state is TopUpState.CLEARING and due:
        ledger.clear_top_up(
            session,
            lab_id=top_up.organisation_id,
            amount=top_up.amount,
            balance_transaction_id=top_up.balance_transaction_id or "",
        )
        move(session, top_up, TopUpState.POSTED)
    return top_up


def return_top_up(
    session: Session,
    payment_intent_id: str,
    *,
    amount: Money,
    balance_transaction_id: str,
    fee: Money | None = None,
    on: date,
) -> TopUp | None:
    """Rule 3: the payer's bank took a payment back: out of pending, then available, else owed.

    amount: above zero, as Stripe took it: for a converted payment, which comes back whole, in its
    own currency. None where the payment is no top-up that is in the book. Safe to repeat: the line
    posts once.
    """
    wanted = select(TopUp.id).where(TopUp.payment_intent_id == payment_intent_id)
    top_up_id = session.scalar(wanted)
    if top_up_id is None:
        return None
    top_up = locked(session, top_up_id)
    if top_up.balance_transaction_id is None:
        return None
    ledger.return_top_up(
        session,
        lab_id=top_up.organisation_id,
        amount=amount if amount.currency == top_up.currency else top_up.amount,
        settled=amount,
        balance_transaction_id=balance_transaction_id,
        original_balance_transaction_id=top_up.balance_transaction_id,
        effective_on=on,
        fee=fee,
    )
    top_up.note = RETURNED
    move(session, top_up, TopUpState.RETURNED)
    return top_up
