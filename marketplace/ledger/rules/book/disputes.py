"""Disputes, and what is written off: rule 18. An inquiry (`warning_…`) posts nothing."""

from __future__ import annotations

from marketplace.ids import OrganisationId
from marketplace.ledger.rules.accounts import (
    AccountSpec,
    FeeCategory,
    dispute_receivable,
    lab_account,
    lab_available,
    lab_receivable,
    stripe_balance,
    stripe_expense,
)
from marketplace.ledger.rules.book.legs import above_zero, legs_of, moved, moved_if_any
from marketplace.ledger.rules.postings import Posting, SourceKind
from marketplace.money import Money


def dispute_opened(
    *,
    lab_id: OrganisationId,
    dispute_id: str,
    amount: Money,
    fee: Money,
    held: Money,
    balance_transaction_id: str,
) -> Posting:
    """Rule 18: Stripe withdrew a disputed payment and its fee; as much of the lab's balance as is
    there is held. amount, fee: as Stripe took them; held: in the lab's currency."""
    at_stripe = stripe_balance(amount.currency)
    contested = moved(amount, debit=dispute_receivable(amount.currency), credit=at_stripe)
    cost = moved_if_any(
        fee, debit=stripe_expense(FeeCategory.DISPUTE, fee.currency), credit=at_stripe
    )
    kept = moved_if_any(
        held,
        debit=lab_available(lab_id, held.currency),
        credit=lab_account(lab_id, "dispute_hold", held.currency),
    )
    facts = {"lab_id": str(lab_id)}
    legs = contested + cost + kept
    return Posting(SourceKind.DISPUTE, dispute_id, legs, balance_transaction_id, facts)


def dispute_won(
    *,
    lab_id: OrganisationId,
    dispute_id: str,
    amount: Money,
    fee: Money,
    held: Money,
    balance_transaction_id: str,
) -> Posting:
    """Rule 18: the payment is ours again and the lab's money free. fee: what Stripe gave back of
    its own; held: what the opening held."""
    at_stripe = stripe_balance(amount.currency)
    back = moved(amount, debit=at_stripe, credit=dispute_receivable(amount.currency))
    cost = moved_if_any(
        fee, debit=at_stripe, credit=stripe_expense(FeeCategory.DISPUTE, fee.currency)
    )
    freed = moved_if_any(
        held,
        debit=lab_account(lab_id, "dispute_hold", held.currency),
        credit=lab_available(lab_id, held.currency),
    )
    facts = {"lab_id": str(lab_id)}
    legs = back + cost + freed
    return Posting(SourceKind.DISPUTE_WON, dispute_id, legs, balance_transaction_id, facts)


def dispute_lost(
    *, lab_id: OrganisationId, dispute_id: str, amount: Money, held: Money, owed: Money
) -> Posting:
    """Rule 18: the lab bears the loss, out of what was held, and owes the rest."""
    legs = legs_of(
        [
            (lab_account(lab_id, "dispute_hold", held.currency), held),
            (lab_receivable(lab_id, owed.currency), owed),
        ],
        [(dispute_receivable(amount.currency), above_zero(amount))],
    )
    facts = {"lab_id": str(lab_id)}
    return Posting(SourceKind.DISPUTE_LOST, dispute_id, legs, facts=facts)


def write_off(
    *,
    receivable: AccountSpec,
    loss: AccountSpec,
    amount: Money,
    source_id: str,
    facts: dict[str, str],
) -> Posting:
    """Rule 18, at its end: what a lab or a specialist owes will not come."""
    legs = moved(amount, debit=loss, credit=receivable)
    return Posting(SourceKind.WRITE_OFF, source_id, legs, facts=facts)
