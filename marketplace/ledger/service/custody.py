"""What happens to money after a transfer: rules 15 and 16."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.ids import PayoutLineId, PersonId, TransactionId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.queries.finding import fact_is
from marketplace.ledger.rules import SourceKind, book
from marketplace.ledger.rules.accounts import specialist_account, stripe_balance
from marketplace.ledger.rules.book import PayoutStep
from marketplace.ledger.service.posting import (
    NothingToAnswer,
    legs_posted,
    locked_balances,
    post,
    transaction_of,
)
from marketplace.ledger.service.reversing import net
from marketplace.money import Money, zero


def record_connected_payout(
    session: Session,
    *,
    step: str,
    payout_id: str,
    specialist_id: PersonId,
    connected_account: str,
    amount: Money,
    effective_on: date | None = None,
) -> TransactionId:
    """Rule 15: a payout from a connected account to its owner's bank took a step.

    step: `created`, `paid`, `failed` (before it was paid), `failed_after_paid` or `reversed`;
    amount: above zero, in the balance's currency. NothingToAnswer where the step before is
    missing or had another amount: post that one first. A payout ends once: `failed` after `paid`
    raises SourceReused. InsufficientFunds beyond what lies on the connected account.
    """
    taken = PayoutStep(step)
    posting = book.connected_payout(
        taken,
        payout_id=payout_id,
        specialist_id=specialist_id,
        connected_account=connected_account,
        amount=amount,
    )
    before = book.STEP_BEFORE.get(taken)
    if before is not None:
        facts = {"connected_account": connected_account}
        legs = legs_posted(session, before, payout_id, facts=facts)
        if amount not in legs.values():
            raise NothingToAnswer(f"Payout {payout_id} was not of {amount}.")
    return post(session, posting, happened_on=effective_on)


def record_transfer_reversal(
    session: Session,
    *,
    specialist_id: PersonId,
    line_id: PayoutLineId,
    reversal_id: str,
    amount: Money,
    balance_transaction_id: str,
    connected_account: str,
    destination_amount: Money,
    effective_on: date | None = None,
    held: bool = False,
) -> TransactionId:
    """Rule 16: a transfer came back, whole or in part, and the money is the specialist's again:
    available, less what they owe, or `held` until somebody has looked.

    NothingToAnswer where the line was not sent, or its reversals together exceed it.
    """
    currency = amount.currency
    parts = ("available", "held", "payout_reserved")
    locked_balances(session, [specialist_account(specialist_id, part, currency) for part in parts])
    posting = book.transfer_reversal(
        specialist_id=specialist_id,
        line_id=line_id,
        reversal_id=reversal_id,
        amount=amount,
        balance_transaction_id=balance_transaction_id,
        connected_account=connected_account,
        destination_amount=destination_amount,
        held=held,
    )
    if transaction_of(session, SourceKind.TRANSFER_REVERSAL, reversal_id) is None:
        at_stripe = stripe_balance(currency).code
        sent = -legs_posted(session, SourceKind.TRANSFER, str(line_id)).get(
            at_stripe, zero(currency)
        )
        if _reversed(session, line_id, currency) + amount > sent:
            raise NothingToAnswer(f"Line {line_id} sent {sent}, less than comes back of it.")
    posted = post(session, posting, happened_on=effective_on)
    return posted if held else net(session, specialist_id, currency, freed_by=posted)


def _reversed(session: Session, line_id: PayoutLineId, currency: str) -> Money:
    """What has come back of a line so far."""
    minor = session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.source_kind == SourceKind.TRANSFER_REVERSAL,
            *fact_is(str(line_id)),
            LedgerAccount.code == stripe_balance(currency).code,
        )
    )
    return Money(int(minor or 0), currency)
