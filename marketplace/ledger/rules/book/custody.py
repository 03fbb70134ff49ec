"""Transfers and what happens to the money on connected accounts: rules 14 to 16."""

from __future__ import annotations

from enum import StrEnum

from marketplace.ids import PayoutLineId, PersonId
from marketplace.ledger.rules.accounts import (
    connected,
    connected_to_bank,
    in_connected,
    specialist_account,
    stripe_balance,
)
from marketplace.ledger.rules.book.legs import moved, moved_if_any
from marketplace.ledger.rules.postings import Posting, SourceKind
from marketplace.money import Money


class PayoutStep(StrEnum):
    """What happened to a payout from a connected account to its owner's bank."""

    CREATED = "created"
    PAID = "paid"
    FAILED = "failed"
    FAILED_AFTER_PAID = "failed_after_paid"
    REVERSED = "reversed"


KIND_OF_STEP = {
    PayoutStep.CREATED: SourceKind.PO_CREATED,
    PayoutStep.PAID: SourceKind.PO_PAID,
    PayoutStep.FAILED: SourceKind.PO_FAILED,
    PayoutStep.FAILED_AFTER_PAID: SourceKind.PO_RETURNED,
    PayoutStep.REVERSED: SourceKind.PO_REVERSED,
}
# The step that must stand before a step, with the same amount.
STEP_BEFORE = {
    PayoutStep.PAID: SourceKind.PO_CREATED,
    PayoutStep.FAILED: SourceKind.PO_CREATED,
    PayoutStep.FAILED_AFTER_PAID: SourceKind.PO_PAID,
    PayoutStep.REVERSED: SourceKind.PO_PAID,
}


def transfer(
    *,
    specialist_id: PersonId,
    line_id: PayoutLineId,
    amount: Money,
    transfer_id: str,
    balance_transaction_id: str,
    connected_account: str,
    destination_amount: Money,
) -> Posting:
    """Rule 14: the money left our balance and lies on the specialist's connected account.

    destination_amount is what arrived, in the destination's currency; a conversion that comes to
    nothing leaves no custody to watch.
    """
    paid = moved(
        amount,
        debit=specialist_account(specialist_id, "payout_reserved", amount.currency),
        credit=stripe_balance(amount.currency),
    )
    arrived = destination_amount.currency
    custody = moved_if_any(
        destination_amount,
        debit=connected(connected_account, arrived),
        credit=in_connected(specialist_id, arrived),
    )
    facts = {"transfer_id": transfer_id, "connected_account": connected_account}
    return Posting(SourceKind.TRANSFER, str(line_id), paid + custody, balance_transaction_id, facts)


def connected_payout(
    step: PayoutStep,
    *,
    payout_id: str,
    specialist_id: PersonId,
    connected_account: str,
    amount: Money,
) -> Posting:
    """Rule 15: money on a connected account goes to its owner's bank, or comes back from there.

    amount: in the currency of the connected account's balance.
    """
    there = connected(connected_account, amount.currency)
    leaving = connected_to_bank(connected_account, amount.currency)
    theirs = in_connected(specialist_id, amount.currency)
    debit, credit = {
        PayoutStep.CREATED: (leaving, there),
        PayoutStep.PAID: (theirs, leaving),
        PayoutStep.FAILED: (there, leaving),
        PayoutStep.FAILED_AFTER_PAID: (there, theirs),
        PayoutStep.REVERSED: (there, theirs),
    }[step]
    legs = moved(amount, debit=debit, credit=credit)
    facts = {"connected_account": connected_account}
    return Posting(KIND_OF_STEP[step], payout_id, legs, facts=facts)


def transfer_reversal(
    *,
    specialist_id: PersonId,
    line_id: PayoutLineId,
    reversal_id: str,
    amount: Money,
    balance_transaction_id: str,
    connected_account: str,
    destination_amount: Money,
    held: bool,
) -> Posting:
    """Rule 16: a transfer comes back, whole or in part, and is the specialist's again."""
    part = "held" if held else "available"
    back = moved(
        amount,
        debit=stripe_balance(amount.currency),
        credit=specialist_account(specialist_id, part, amount.currency),
    )
    there = destination_amount.currency
    custody = moved_if_any(
        destination_amount,
        debit=in_connected(specialist_id, there),
        credit=connected(connected_account, there),
    )
    facts = {"line_id": str(line_id), "connected_account": connected_account}
    return Posting(
        SourceKind.TRANSFER_REVERSAL, reversal_id, back + custody, balance_transaction_id, facts
    )
