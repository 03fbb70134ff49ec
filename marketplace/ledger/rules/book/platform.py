"""Our own money between bank and Stripe, fees, reserves and adjustments: rules 5, 19, 20, 22."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketplace.ledger.rules.accounts import (
    Bank,
    FeeCategory,
    bank,
    stripe_balance,
    stripe_expense,
    stripe_reserved,
    stripe_to_bank,
    topup_in_transit,
)
from marketplace.ledger.rules.book.labs import fee_legs
from marketplace.ledger.rules.book.legs import moved
from marketplace.ledger.rules.postings import Leg, NothingToPost, Posting, SourceKind
from marketplace.money import Money


def bank_to_stripe(*, amount: Money, source_id: str, where: Bank) -> Posting:
    """Rule 5: money left our bank for Stripe."""
    legs = moved(
        amount, debit=topup_in_transit(amount.currency), credit=bank(where, amount.currency)
    )
    return Posting(SourceKind.FUND_STRIPE, source_id, legs)


def stripe_funded(*, amount: Money, fee: Money, balance_transaction_id: str) -> Posting:
    """Rule 5: it arrived at Stripe."""
    at_stripe = stripe_balance(amount.currency)
    legs = moved(amount, debit=at_stripe, credit=topup_in_transit(amount.currency))
    legs += fee_legs(fee, at_stripe)
    return Posting(SourceKind.STRIPE_FUNDED, balance_transaction_id, legs, balance_transaction_id)


def platform_payout(
    *, payout_id: str, amount: Money, fee: Money, balance_transaction_id: str
) -> Posting:
    """Rule 19: Stripe pays our balance out to our bank."""
    at_stripe = stripe_balance(amount.currency)
    legs = moved(amount, debit=stripe_to_bank(amount.currency), credit=at_stripe)
    legs += fee_legs(fee, at_stripe)
    return Posting(SourceKind.TO_BANK, payout_id, legs, balance_transaction_id)


def platform_payout_failure(
    *, payout_id: str, amount: Money, balance_transaction_id: str
) -> Posting:
    """Rule 19, the other way: the payout failed or was cancelled, and is back at Stripe."""
    legs = moved(
        amount, debit=stripe_balance(amount.currency), credit=stripe_to_bank(amount.currency)
    )
    return Posting(SourceKind.TO_BANK_FAILED, payout_id, legs, balance_transaction_id)


def bank_arrival(*, payout_id: str, amount: Money, source_id: str, where: Bank) -> Posting:
    """Rule 19: the payout is on our bank's statement. source_id: the statement's line."""
    legs = moved(amount, debit=bank(where, amount.currency), credit=stripe_to_bank(amount.currency))
    return Posting(SourceKind.BANK_ARRIVAL, source_id, legs, facts={"payout_id": payout_id})


def stripe_fee(*, amount: Money, category: FeeCategory, balance_transaction_id: str) -> Posting:
    """Rule 20: a fee of the account. amount: above zero for what Stripe took, below for what it
    gave back."""
    cost, at_stripe = stripe_expense(category, amount.currency), stripe_balance(amount.currency)
    if amount.minor < 0:
        legs = moved(-amount, debit=at_stripe, credit=cost)
    else:
        legs = moved(amount, debit=cost, credit=at_stripe)
    return Posting(SourceKind.STRIPE_FEE, balance_transaction_id, legs, balance_transaction_id)


def fee_classification(*, amount: Money, category: FeeCategory, source_id: str) -> Posting:
    """Rule 20: somebody said what an unclassified fee was for. amount: as it was posted."""
    if category is FeeCategory.UNCLASSIFIED:
        raise NothingToPost("A fee is classified as something.")
    now = stripe_expense(category, amount.currency)
    before = stripe_expense(FeeCategory.UNCLASSIFIED, amount.currency)
    if amount.minor < 0:
        legs = moved(-amount, debit=before, credit=now)
    else:
        legs = moved(amount, debit=now, credit=before)
    return Posting(SourceKind.FEE_CLASS, source_id, legs)


def stripe_reserve(*, amount: Money, balance_transaction_id: str) -> Posting:
    """Stripe keeps part of our balance back, or lets it go. amount: as Stripe's line states it,
    below zero when it leaves our balance."""
    kept, free = stripe_reserved(amount.currency), stripe_balance(amount.currency)
    if amount.minor < 0:
        legs = moved(-amount, debit=kept, credit=free)
    else:
        legs = moved(amount, debit=free, credit=kept)
    return Posting(SourceKind.STRIPE_RESERVE, balance_transaction_id, legs, balance_transaction_id)


def adjustment(
    *,
    adjustment_id: str,
    legs: Sequence[Leg],
    facts: Mapping[str, str],
    balance_transaction_id: str | None = None,
) -> Posting:
    """Rule 22: any legs that sum to zero in each currency; two people answer for them."""
    return Posting(
        SourceKind.ADJUSTMENT,
        adjustment_id,
        tuple(legs),
        balance_transaction_id=balance_transaction_id,
        facts=facts,
    )
