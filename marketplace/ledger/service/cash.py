"""Cash from bank transfers: rule 4. Whose it is, is decided apart from that it came."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from marketplace.ids import OrganisationId, TransactionId
from marketplace.ledger.rules import book
from marketplace.ledger.rules.accounts import unapplied
from marketplace.ledger.service.labs import lock_lab, net_lab
from marketplace.ledger.service.posting import locked_balances, post
from marketplace.money import Money, zero


def receive_cash(
    session: Session,
    *,
    amount: Money,
    source_id: str,
    where: str = "stripe",
    balance_transaction_id: str | None = None,
    effective_on: date,
    fee: Money | None = None,
) -> TransactionId:
    """Rule 4: money arrived, and nobody has said whose it is (`L:unapplied`).

    where: `stripe`, `bank` (clients' funds) or `operating`; source_id: the statement's line, or
    Stripe's; fee: what was kept of it on the same line.
    """
    posting = book.cash_receipt(
        amount=amount,
        fee=fee or zero(amount.currency),
        source_id=str(source_id),
        where=where,
        balance_transaction_id=balance_transaction_id,
    )
    return post(session, posting, happened_on=effective_on)


def lock_unapplied(session: Session, currency: str) -> None:
    """Lock what is unapplied until the end; before invoices and labs, of which a statement's
    batch takes one after the other."""
    locked_balances(session, (unapplied(currency),))


def apply_cash(
    session: Session, *, lab_id: OrganisationId, amount: Money, source_id: str
) -> TransactionId:
    """Rule 4: unapplied cash is this lab's, less what it owes; source_id: the application's own,
    so that one receipt may serve two. InsufficientFunds beyond what is unapplied.

    What is unapplied is locked first, as it is by whoever receives cash and applies it at once.
    """
    lock_unapplied(session, amount.currency)
    lock_lab(session, lab_id, amount.currency)
    posting = book.cash_application(lab_id=lab_id, amount=amount, source_id=str(source_id))
    return net_lab(session, lab_id, amount.currency, freed_by=post(session, posting))


def return_cash(
    session: Session,
    *,
    amount: Money,
    source_id: str,
    where: str = "bank",
    balance_transaction_id: str | None = None,
    effective_on: date | None = None,
) -> TransactionId:
    """Rule 4, the other way: unapplied cash went back to whoever sent it."""
    posting = book.cash_return(
        amount=amount,
        source_id=str(source_id),
        where=where,
        balance_transaction_id=balance_transaction_id,
    )
    return post(session, posting, happened_on=effective_on)
