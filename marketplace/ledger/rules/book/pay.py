"""Specialists' money between being earned and being sent: rules 8 to 10, 12, 13 and 23."""

from __future__ import annotations

from uuid import UUID

from marketplace.ids import AccrualId, OrganisationId, PayoutLineId, PersonId, TransactionId
from marketplace.ledger.rules.accounts import (
    Bank,
    bank,
    goodwill,
    lab_available,
    platform_fee,
    specialist_account,
    specialist_receivable,
    tax_withheld,
)
from marketplace.ledger.rules.book.legs import above_zero, legs_of, moved
from marketplace.ledger.rules.postings import HoldReason, Leg, NothingToPost, Posting, SourceKind
from marketplace.money import Money


def bonus(
    *,
    lab_id: OrganisationId | None,
    specialist_id: PersonId,
    amount: Money,
    fee: Money,
    source_id: str,
) -> Posting:
    """Rule 10: a lab pays a specialist beyond the price, and us the fee; without a lab it is our
    goodwill, which carries no fee."""
    currency = amount.currency
    if lab_id is None and fee:
        raise NothingToPost("Our own bonus carries no fee.")
    payer = goodwill(currency) if lab_id is None else lab_available(lab_id, currency)
    legs = legs_of(
        [(payer, above_zero(amount) + fee)],
        [
            (specialist_account(specialist_id, "pending", currency), amount),
            (platform_fee(currency), fee),
        ],
    )
    return Posting(SourceKind.BONUS, source_id, legs)


def clearance(*, specialist_id: PersonId, accrual_id: AccrualId, amount: Money) -> Posting:
    """Rule 8: pay that waited its time becomes available."""
    legs = _within(specialist_id, amount, "pending", "available")
    return Posting(SourceKind.CLEAR, str(accrual_id), legs)


def hold(
    *,
    specialist_id: PersonId,
    hold_id: UUID,
    amount: Money,
    reason: HoldReason,
    owner_person_id: PersonId,
) -> Posting:
    """Rule 9: pay is held for a reason by somebody who answers for it."""
    legs = _within(specialist_id, amount, "available", "held")
    facts = {"reason": reason.value, "owner_person_id": str(owner_person_id)}
    return Posting(SourceKind.HOLD, str(hold_id), legs, facts=facts)


def unhold(
    *,
    specialist_id: PersonId,
    hold_id: UUID,
    amount: Money,
    reason: HoldReason,
    owner_person_id: PersonId,
) -> Posting:
    """Rule 9, the other way: a hold is let go, whole."""
    legs = _within(specialist_id, amount, "held", "available")
    facts = {"reason": reason.value, "owner_person_id": str(owner_person_id)}
    return Posting(SourceKind.UNHOLD, str(hold_id), legs, facts=facts)


def payout_reservation(*, specialist_id: PersonId, line_id: PayoutLineId, amount: Money) -> Posting:
    """Rule 13: a payout line sets its money aside."""
    legs = _within(specialist_id, amount, "available", "payout_reserved")
    return Posting(SourceKind.PAYOUT_RESERVE, str(line_id), legs)


def payout_cancellation(
    *, specialist_id: PersonId, line_id: PayoutLineId, amount: Money
) -> Posting:
    """Rule 13, the other way: the line is cancelled, or proven never to have been sent."""
    legs = _within(specialist_id, amount, "payout_reserved", "available")
    return Posting(SourceKind.PAYOUT_CANCEL, str(line_id), legs)


def netting(*, specialist_id: PersonId, freed_by: TransactionId, amount: Money) -> Posting:
    """Rule 12: what a specialist owes is taken from what just became available to them.

    freed_by: the transaction that made it available.
    """
    legs = moved(
        amount,
        debit=specialist_account(specialist_id, "available", amount.currency),
        credit=specialist_receivable(specialist_id, amount.currency),
    )
    return Posting(SourceKind.NET, str(freed_by), legs)


def withholding(*, specialist_id: PersonId, line_id: PayoutLineId, amount: Money) -> Posting:
    """Rule 23: part of a payout is kept for the tax office."""
    legs = moved(
        amount,
        debit=specialist_account(specialist_id, "available", amount.currency),
        credit=tax_withheld(specialist_id, amount.currency),
    )
    return Posting(SourceKind.WITHHOLDING, str(line_id), legs)


def withholding_back(*, specialist_id: PersonId, line_id: PayoutLineId, amount: Money) -> Posting:
    """Rule 23, the other way: the payout that it was kept from never went out, or came back."""
    legs = moved(
        amount,
        debit=tax_withheld(specialist_id, amount.currency),
        credit=specialist_account(specialist_id, "available", amount.currency),
    )
    return Posting(SourceKind.WITHHOLDING_BACK, str(line_id), legs)


def tax_remittance(
    *, specialist_id: PersonId, source_id: str, amount: Money, where: Bank, facts: dict[str, str]
) -> Posting:
    """Rule 23, at its end: what was withheld is paid to the tax office from our bank."""
    legs = moved(
        amount,
        debit=tax_withheld(specialist_id, amount.currency),
        credit=bank(where, amount.currency),
    )
    return Posting(SourceKind.TAX_REMITTED, source_id, legs, facts=facts)


def _within(specialist_id: PersonId, amount: Money, source: str, target: str) -> tuple[Leg, ...]:
    return moved(
        amount,
        debit=specialist_account(specialist_id, source, amount.currency),
        credit=specialist_account(specialist_id, target, amount.currency),
    )
