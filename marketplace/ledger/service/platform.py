"""Our own money: between bank and Stripe, fees, reserves, adjustments; rules 5, 19, 20 and 22."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from marketplace.errors import Refused
from marketplace.ids import OrganisationId, PersonId, TransactionId
from marketplace.ledger.rules import Leg, SourceKind, book
from marketplace.ledger.rules.accounts import Bank, FeeCategory, stripe_expense
from marketplace.ledger.service.labs import net_lab
from marketplace.ledger.service.posting import (
    NothingToAnswer,
    legs_posted,
    post,
)
from marketplace.ledger.service.reversing import net
from marketplace.money import Money, zero

_FEES = {
    "unclassified": FeeCategory.UNCLASSIFIED,
    "processing": FeeCategory.PROCESSING,
    "dispute": FeeCategory.DISPUTE,
    "connect": FeeCategory.CONNECT,
}


def fund_stripe(
    session: Session,
    *,
    amount: Money,
    source_id: str,
    effective_on: date,
    where: str = "client_funds",
) -> TransactionId:
    """Rule 5: money left our bank for Stripe. source_id: the statement's line; where: the bank
    account, `client_funds` or `operating`."""
    posting = book.bank_to_stripe(amount=amount, source_id=str(source_id), where=Bank(where))
    return post(session, posting, happened_on=effective_on)


def record_stripe_funding(
    session: Session,
    *,
    amount: Money,
    balance_transaction_id: str,
    effective_on: date,
    fee: Money | None = None,
) -> TransactionId:
    """Rule 5: it arrived at Stripe (a balance transaction of type `topup`)."""
    posting = book.stripe_funded(
        amount=amount,
        fee=fee or zero(amount.currency),
        balance_transaction_id=balance_transaction_id,
    )
    return post(session, posting, happened_on=effective_on)


def record_platform_payout(
    session: Session,
    *,
    payout_id: str,
    amount: Money,
    balance_transaction_id: str,
    effective_on: date,
    step: str = "created",
    fee: Money | None = None,
) -> TransactionId:
    """Rule 19: Stripe pays our balance out, or (step `failed`) a payout came back to it.

    amount: above zero either way. A failure raises NothingToAnswer without its payout.
    """
    if step == "failed":
        back = book.platform_payout_failure(
            payout_id=payout_id, amount=amount, balance_transaction_id=balance_transaction_id
        )
        sent = legs_posted(session, SourceKind.TO_BANK, payout_id)
        if sent.get(back.legs[1].account.code) != amount:
            raise NothingToAnswer(f"Payout {payout_id} was not of {amount}.")
        return post(session, back, happened_on=effective_on)
    if step != "created":
        raise ValueError(f"A platform payout is created or failed, not {step!r}.")
    posting = book.platform_payout(
        payout_id=payout_id,
        amount=amount,
        fee=fee or zero(amount.currency),
        balance_transaction_id=balance_transaction_id,
    )
    return post(session, posting, happened_on=effective_on)


def record_bank_arrival(
    session: Session,
    *,
    payout_id: str,
    amount: Money,
    source_id: str,
    effective_on: date,
    where: str = "operating",
) -> TransactionId:
    """Rule 19: the payout is on our bank's statement; source_id: the statement's line."""
    posting = book.bank_arrival(
        payout_id=payout_id, amount=amount, source_id=str(source_id), where=Bank(where)
    )
    return post(session, posting, happened_on=effective_on)


def record_stripe_fee(
    session: Session,
    *,
    balance_transaction_id: str,
    amount: Money,
    category: str = "unclassified",
    effective_on: date,
) -> TransactionId:
    """Rule 20: Stripe took a fee of the account; below zero it gave one back.

    category: `unclassified`, `processing`, `dispute` or `connect`.
    """
    posting = book.stripe_fee(
        amount=amount, category=_FEES[category], balance_transaction_id=balance_transaction_id
    )
    return post(session, posting, happened_on=effective_on)


def classify_fee(
    session: Session,
    *,
    balance_transaction_id: str,
    amount: Money,
    category: str,
    effective_on: date | None = None,
) -> TransactionId:
    """Rule 20: somebody said what an unclassified fee was for; once, whole."""
    unclassified = stripe_expense(FeeCategory.UNCLASSIFIED, amount.currency)
    legs = legs_posted(session, SourceKind.STRIPE_FEE, balance_transaction_id)
    if legs.get(unclassified.code) != amount:
        raise NothingToAnswer(f"No unclassified fee {balance_transaction_id} of {amount}.")
    posting = book.fee_classification(
        amount=amount, category=_FEES[category], source_id=balance_transaction_id
    )
    return post(session, posting, happened_on=effective_on)


def record_reserve(
    session: Session, *, balance_transaction_id: str, amount: Money, effective_on: date
) -> TransactionId:
    """Stripe keeps part of our balance back (amount below zero, as its line states it) or lets it
    go (above)."""
    posting = book.stripe_reserve(amount=amount, balance_transaction_id=balance_transaction_id)
    return post(session, posting, happened_on=effective_on)


def adjust(
    session: Session,
    *,
    adjustment_id: str,
    legs: Sequence[Leg],
    reason: str,
    evidence_sha256: str,
    proposed_by: PersonId,
    approved_by: PersonId,
    effective_on: date,
    bt: str | None = None,
) -> TransactionId:
    """Rule 22: any legs that sum to zero in each currency, by two people.

    reason: a code of plain letters; evidence_sha256: 64 hex digits of the file that shows it;
    effective_on: a day in a month that is not closed, else PeriodClosed; bt: the line at Stripe
    that it posts, where nothing else did. Legs come from
    `rules.chart.account_named`. Refused with one person; InsufficientFunds where an owner's
    account would go below zero. What it makes available nets what its owner owes.
    """
    if proposed_by == approved_by:
        raise Refused("An adjustment needs two people.", code="same_person")
    facts = {
        "reason": reason,
        "evidence_sha256": evidence_sha256,
        "proposed_by": str(proposed_by),
        "approved_by": str(approved_by),
    }
    posting = book.adjustment(
        adjustment_id=str(adjustment_id), legs=legs, facts=facts, balance_transaction_id=bt
    )
    posted = post(session, posting, happened_on=effective_on)
    for leg in posting.legs:
        account = leg.account
        if account.owner_id is None or ":available:" not in account.code or leg.amount.minor > 0:
            continue
        if account.code.startswith("L:lab:"):
            lab_id = OrganisationId(account.owner_id)
            net_lab(session, lab_id, account.currency, freed_by=posted)
        else:
            net(session, PersonId(account.owner_id), account.currency, freed_by=posted)
    return posted
