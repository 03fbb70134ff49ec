"""What is kept of pay for the tax office: rule 23."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from marketplace.ids import PayoutLineId, PersonId, TransactionId
from marketplace.ledger.rules import SourceKind, book
from marketplace.ledger.rules.accounts import Bank
from marketplace.ledger.service.posting import answered, post
from marketplace.ledger.service.reversing import net
from marketplace.money import Money


def withhold_tax(
    session: Session, *, specialist_id: PersonId, amount: Money, line_id: PayoutLineId
) -> TransactionId:
    """Rule 23: keep part of what a payout line would pay; in the line's own transaction, beside
    `reserve_payout` of the rest."""
    posting = book.withholding(specialist_id=specialist_id, line_id=line_id, amount=amount)
    return post(session, posting)


def return_withholding(
    session: Session, *, specialist_id: PersonId, amount: Money, line_id: PayoutLineId
) -> TransactionId:
    """Rule 23, the other way: the line was cancelled, so nothing was to be kept of it; whole, and
    less what its owner owes. InsufficientFunds once it was remitted."""
    posting = book.withholding_back(specialist_id=specialist_id, line_id=line_id, amount=amount)
    kept = answered(session, posting, SourceKind.WITHHOLDING)
    freed = post(session, posting, reverses=kept)
    return net(session, specialist_id, amount.currency, freed_by=freed)


def remit_tax(
    session: Session,
    *,
    specialist_id: PersonId,
    amount: Money,
    source_id: str,
    proposed_by: PersonId,
    approved_by: PersonId,
    effective_on: date,
    where: str = "client_funds",
) -> TransactionId:
    """Rule 23, at its end: what was withheld went to the tax office. source_id: the remittance
    and the person, so that one payment of ours may cover many; two people answer for it."""
    facts = {"proposed_by": str(proposed_by), "approved_by": str(approved_by)}
    posting = book.tax_remittance(
        specialist_id=specialist_id,
        source_id=str(source_id),
        amount=amount,
        where=Bank(where),
        facts=facts,
    )
    return post(session, posting, happened_on=effective_on)
