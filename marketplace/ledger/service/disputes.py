"""Disputes and what is written off: rule 18. Specialists' money is never touched by one."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from marketplace.ids import OrganisationId, PersonId, TransactionId
from marketplace.ledger.rules import SourceKind, book
from marketplace.ledger.rules.accounts import (
    chargeback_loss,
    dispute_receivable,
    lab_account,
    lab_available,
    lab_receivable,
    specialist_receivable,
    write_offs,
)
from marketplace.ledger.service.labs import lock_lab, net_lab
from marketplace.ledger.service.posting import (
    NothingToAnswer,
    legs_posted,
    post,
    said_again,
    transaction_of,
)
from marketplace.money import Money, zero


def open_dispute(
    session: Session,
    *,
    lab_id: OrganisationId,
    dispute_id: str,
    amount: Money,
    fee: Money,
    balance_transaction_id: str,
    effective_on: date,
    presented: Money | None = None,
) -> TransactionId:
    """Rule 18: Stripe withdrew a disputed payment; as much of it as the lab has available is held.

    amount, fee: what Stripe took, above zero; presented: the same in the lab's currency, where
    that is another. An inquiry takes nothing and is not posted.
    """
    wanted = presented or amount
    have = lock_lab(session, lab_id, wanted.currency)
    posted = transaction_of(session, SourceKind.DISPUTE, dispute_id)
    if posted is not None:
        return _same_dispute(session, posted, lab_id, dispute_id, amount)
    free = have.get(lab_available(lab_id, wanted.currency).code, zero(wanted.currency))
    posting = book.dispute_opened(
        lab_id=lab_id,
        dispute_id=dispute_id,
        amount=amount,
        fee=fee,
        held=book.least(wanted, free),
        balance_transaction_id=balance_transaction_id,
    )
    return post(session, posting, happened_on=effective_on)


def _same_dispute(
    session: Session,
    posted: TransactionId,
    lab_id: OrganisationId,
    dispute_id: str,
    amount: Money,
) -> TransactionId:
    said_again(session, SourceKind.DISPUTE, dispute_id, {"lab_id": str(lab_id)})
    _opened(session, lab_id, dispute_id, amount)
    return posted


def _opened(
    session: Session, lab_id: OrganisationId, dispute_id: str, amount: Money
) -> dict[str, Money]:
    """The legs of a dispute's opening; NothingToAnswer without one of this amount."""
    facts = {"lab_id": str(lab_id)}
    legs = legs_posted(session, SourceKind.DISPUTE, dispute_id, facts=facts)
    if legs.get(dispute_receivable(amount.currency).code) != amount:
        raise NothingToAnswer(f"Dispute {dispute_id} was not about {amount}.")
    return legs


def _held(legs: dict[str, Money], lab_id: OrganisationId, currency: str) -> Money:
    return -legs.get(lab_account(lab_id, "dispute_hold", currency).code, zero(currency))


def win_dispute(
    session: Session,
    *,
    lab_id: OrganisationId,
    dispute_id: str,
    amount: Money,
    balance_transaction_id: str,
    effective_on: date,
    fee: Money | None = None,
    presented: Money | None = None,
) -> TransactionId:
    """Rule 18: Stripe gave the payment back, once, and the lab's money is free again.

    fee: what Stripe gave back of its own; presented: as at the opening. A dispute that was lost
    raises SourceReused.
    """
    currency = (presented or amount).currency
    lock_lab(session, lab_id, currency)
    posting = book.dispute_won(
        lab_id=lab_id,
        dispute_id=dispute_id,
        amount=amount,
        fee=fee or zero(amount.currency),
        held=_held(_opened(session, lab_id, dispute_id, amount), lab_id, currency),
        balance_transaction_id=balance_transaction_id,
    )
    posted = post(session, posting, happened_on=effective_on)
    return net_lab(session, lab_id, currency, freed_by=posted)


def lose_dispute(
    session: Session,
    *,
    lab_id: OrganisationId,
    dispute_id: str,
    amount: Money,
    effective_on: date | None = None,
    presented: Money | None = None,
) -> TransactionId:
    """Rule 18: the payment is gone: out of what was held, and the rest the lab owes, less what it
    has available by now."""
    wanted = presented or amount
    currency = wanted.currency
    lock_lab(session, lab_id, currency)
    held = _held(_opened(session, lab_id, dispute_id, amount), lab_id, currency)
    posting = book.dispute_lost(
        lab_id=lab_id, dispute_id=dispute_id, amount=amount, held=held, owed=wanted - held
    )
    posted = post(session, posting, happened_on=effective_on)
    return net_lab(session, lab_id, currency, freed_by=posted)


def write_off_receivable(
    session: Session,
    *,
    amount: Money,
    source_id: str,
    proposed_by: PersonId,
    approved_by: PersonId,
    reason: str,
    lab_id: OrganisationId | None = None,
    specialist_id: PersonId | None = None,
    effective_on: date | None = None,
) -> TransactionId:
    """Rule 18, at its end: what a lab (a loss by chargeback) or a specialist owes will not come.

    Two people, and a reason as a code; InsufficientFunds beyond what is owed.
    """
    currency = amount.currency
    if lab_id is not None and specialist_id is None:
        receivable, loss = lab_receivable(lab_id, currency), chargeback_loss(currency)
        lock_lab(session, lab_id, currency)
    elif specialist_id is not None and lab_id is None:
        receivable, loss = specialist_receivable(specialist_id, currency), write_offs(currency)
    else:
        raise ValueError("Name either the lab or the specialist who owes it.")
    facts = {"proposed_by": str(proposed_by), "approved_by": str(approved_by), "reason": reason}
    posting = book.write_off(
        receivable=receivable, loss=loss, amount=amount, source_id=str(source_id), facts=facts
    )
    return post(session, posting, happened_on=effective_on)
