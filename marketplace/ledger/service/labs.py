"""Labs' money on its way in and out: rules 1 to 4, 17 and 21.

Whatever depends on what a lab has is split under the locks of all its accounts, taken at once and
in the database's order. Whatever makes money available to a lab nets what it owes.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.ids import OrganisationId, TransactionId
from marketplace.ledger.models import LedgerTransaction
from marketplace.ledger.queries.finding import fact_is
from marketplace.ledger.rules import SourceKind, book
from marketplace.ledger.rules.accounts import lab_account, lab_available, lab_receivable
from marketplace.ledger.service.posting import (
    NothingToAnswer,
    answered,
    legs_posted,
    locked_balances,
    post,
    said_again,
    transaction_of,
)
from marketplace.money import Money, zero


def lock_lab(session: Session, lab_id: OrganisationId, currency: str) -> dict[str, Money]:
    """What a lab has and owes, by code, locked until the end of the transaction.

    What is available comes first: whoever holds that waits for nobody over the lab's other
    accounts, so verbs that net after they posted never meet those that split before they post.
    """
    first = locked_balances(session, (lab_available(lab_id, currency),))
    rest = [lab_account(lab_id, part, currency) for part in ("pending", "dispute_hold")]
    return first | locked_balances(session, (*rest, lab_receivable(lab_id, currency)))


def net_lab(
    session: Session, lab_id: OrganisationId, currency: str, *, freed_by: TransactionId
) -> TransactionId:
    """Take what a lab owes from what a transaction made available to it; `freed_by`.

    Called by every verb that makes money available to a lab, in the same transaction.
    """
    owed = lab_receivable(lab_id, currency)
    debt = locked_balances(session, (owed,)).get(owed.code)
    if not debt:
        return freed_by
    free = lab_available(lab_id, currency)
    available = locked_balances(session, (free,)).get(free.code, zero(currency))
    if available and transaction_of(session, SourceKind.NET_LAB, str(freed_by)) is None:
        amount = book.least(debt, available)
        post(session, book.lab_netting(lab_id=lab_id, freed_by=freed_by, amount=amount))
    return freed_by


def record_top_up(
    session: Session,
    *,
    lab_id: OrganisationId,
    gross: Money,
    fee: Money,
    balance_transaction_id: str,
    effective_on: date,
    pending: bool = False,
) -> TransactionId:
    """Rule 1: a paid top-up. effective_on: the book's day on which Stripe took the money;
    pending: the lab may spend it only after `clear_top_up` (rule 2)."""
    posting = book.top_up(
        lab_id=lab_id,
        gross=gross,
        fee=fee,
        balance_transaction_id=balance_transaction_id,
        pending=pending,
    )
    posted = post(session, posting, happened_on=effective_on)
    return posted if pending else net_lab(session, lab_id, gross.currency, freed_by=posted)


def record_top_up_fx(
    session: Session,
    *,
    lab_id: OrganisationId,
    presented: Money,
    settled: Money,
    fee: Money,
    balance_transaction_id: str,
    effective_on: date,
    pending: bool = False,
) -> TransactionId:
    """Rule 21: a top-up that Stripe converted. presented: what the lab paid and has; settled: what
    arrived, before the fee, which is in the same currency."""
    posting = book.top_up_fx(
        lab_id=lab_id,
        presented=presented,
        settled=settled,
        fee=fee,
        balance_transaction_id=balance_transaction_id,
        pending=pending,
    )
    posted = post(session, posting, happened_on=effective_on)
    return posted if pending else net_lab(session, lab_id, presented.currency, freed_by=posted)


def clear_top_up(
    session: Session,
    *,
    lab_id: OrganisationId,
    amount: Money,
    balance_transaction_id: str,
    effective_on: date | None = None,
) -> TransactionId:
    """Rule 2: a pending top-up becomes available, whole, less what its lab owes.

    Raises NothingToAnswer for one that was never pending, had another amount, or came back.
    """
    lock_lab(session, lab_id, amount.currency)
    waiting = _pending_of(session, lab_id, amount.currency, balance_transaction_id)
    cleared = transaction_of(session, SourceKind.CLEAR_TOP_UP, balance_transaction_id)
    if waiting != amount or (cleared is None and _returned(session, balance_transaction_id)):
        raise NothingToAnswer(f"No top-up {balance_transaction_id} of {amount} waits.")
    posting = book.top_up_clearance(
        lab_id=lab_id, amount=amount, balance_transaction_id=balance_transaction_id
    )
    posted = post(session, posting, happened_on=effective_on)
    return net_lab(session, lab_id, amount.currency, freed_by=posted)


def _pending_of(session: Session, lab_id: OrganisationId, currency: str, bt: str) -> Money:
    """What a top-up put into its lab's pending account; NothingToAnswer when there is none."""
    converted = transaction_of(session, SourceKind.TOP_UP, bt) is None
    kind = SourceKind.TOP_UP_FX if converted else SourceKind.TOP_UP
    legs = legs_posted(session, kind, bt)
    return -legs.get(lab_account(lab_id, "pending", currency).code, zero(currency))


def _returned(session: Session, bt: str) -> bool:
    returned = select(func.count()).where(
        LedgerTransaction.source_kind == SourceKind.TOP_UP_RETURN, *fact_is(bt)
    )
    return bool(session.scalar(returned))


def return_top_up(
    session: Session,
    *,
    lab_id: OrganisationId,
    amount: Money,
    balance_transaction_id: str,
    original_balance_transaction_id: str,
    effective_on: date,
    settled: Money | None = None,
    fee: Money | None = None,
) -> TransactionId:
    """Rule 3: a payment came back: out of what is pending of it, then of what the lab has
    available; the rest the lab owes (`A:receivable:lab`).

    amount: above zero, in the lab's currency; settled, fee: what Stripe took, and for its work,
    where that is another currency.
    """
    currency = amount.currency
    have = lock_lab(session, lab_id, currency)
    facts = {
        "original": original_balance_transaction_id,
        "lab_id": str(lab_id),
        "amount": str(amount),
    }
    posted = said_again(session, SourceKind.TOP_UP_RETURN, balance_transaction_id, facts)
    if posted is not None:
        return posted
    waiting = _pending_of(session, lab_id, currency, original_balance_transaction_id)
    if transaction_of(session, SourceKind.CLEAR_TOP_UP, original_balance_transaction_id):
        waiting = zero(currency)
    in_pending = have.get(lab_account(lab_id, "pending", currency).code, zero(currency))
    taken = book.taken_from_lab(
        amount,
        pending=book.least(waiting, in_pending),
        available=have.get(lab_available(lab_id, currency).code, zero(currency)),
    )
    took = settled or amount
    posting = book.top_up_return(
        lab_id=lab_id,
        settled=took,
        fee=fee or zero(took.currency),
        taken=taken,
        facts=facts,
        balance_transaction_id=balance_transaction_id,
    )
    return post(session, posting, happened_on=effective_on)


def reserve_refund(
    session: Session, *, lab_id: OrganisationId, amount: Money, refund_id: str
) -> TransactionId:
    """Rule 17: set a refund aside before Stripe is asked for it; refund_id: our own, so that two
    equal refunds on a day are two. InsufficientFunds beyond what is available."""
    posting = book.refund_reservation(lab_id=lab_id, refund_id=str(refund_id), amount=amount)
    return post(session, posting)


def confirm_refund(
    session: Session,
    *,
    refund_id: str,
    amount: Money,
    balance_transaction_id: str,
    effective_on: date,
    settled: Money | None = None,
    fee: Money | None = None,
) -> TransactionId:
    """Rule 17: Stripe took the refund out of our balance. settled, fee: what it took, above zero,
    where that is another currency; the fee of the payment itself is not returned."""
    took = settled or amount
    posting = book.refund_sent(
        refund_id=str(refund_id),
        amount=amount,
        settled=took,
        fee=fee or zero(took.currency),
        balance_transaction_id=balance_transaction_id,
    )
    answered(session, posting, SourceKind.REFUND)
    return post(session, posting, happened_on=effective_on)


def cancel_refund(
    session: Session, *, lab_id: OrganisationId, refund_id: str, amount: Money
) -> TransactionId:
    """Rule 17: a refund that was never sent is the lab's again; one that was raises
    SourceReused."""
    lock_lab(session, lab_id, amount.currency)
    posting = book.refund_cancellation(lab_id=lab_id, refund_id=str(refund_id), amount=amount)
    reserved = answered(session, posting, SourceKind.REFUND)
    posted = post(session, posting, reverses=reserved)
    return net_lab(session, lab_id, amount.currency, freed_by=posted)


def return_refund(
    session: Session,
    *,
    lab_id: OrganisationId,
    refund_id: str,
    amount: Money,
    balance_transaction_id: str,
    effective_on: date,
    settled: Money | None = None,
) -> TransactionId:
    """Rule 17: a refund failed days later, and the money is the lab's again, once."""
    lock_lab(session, lab_id, amount.currency)
    facts = {"lab_id": str(lab_id)}
    taken = legs_posted(session, SourceKind.REFUND, str(refund_id), facts=facts)
    if taken.get(lab_available(lab_id, amount.currency).code) != amount:
        raise NothingToAnswer(f"No refund {refund_id} of {amount} left this lab.")
    legs_posted(session, SourceKind.REFUND_SENT, str(refund_id))
    posting = book.refund_failure(
        lab_id=lab_id,
        refund_id=str(refund_id),
        amount=amount,
        settled=settled or amount,
        balance_transaction_id=balance_transaction_id,
    )
    posted = post(session, posting, happened_on=effective_on)
    return net_lab(session, lab_id, amount.currency, freed_by=posted)
