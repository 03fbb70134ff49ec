"""The verbs of the book, one for each posting rule; `session` comes first, nothing commits."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.ids import (
    AccrualId,
    JobId,
    OrganisationId,
    PayoutLineId,
    PersonId,
    SubmissionId,
    TransactionId,
)
from marketplace.ledger.rules import HoldReason, SourceKind, book
from marketplace.ledger.service.posting import answered, post
from marketplace.money import Money


def record_top_up(
    session: Session,
    *,
    lab_id: OrganisationId,
    gross: Money,
    fee: Money,
    balance_transaction_id: str,
    effective_on: date,
) -> TransactionId:
    """Rule 1: a paid top-up. effective_on: the book's day on which Stripe took the money."""
    posting = book.top_up(
        lab_id=lab_id, gross=gross, fee=fee, balance_transaction_id=balance_transaction_id
    )
    return post(session, posting, happened_on=effective_on)


def reserve_for_job(
    session: Session,
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    amount: Money,
    source_id: str | UUID,
) -> TransactionId:
    """Rule 6: set money aside for a job. source_id: what it is reserved for, such as a quote."""
    return post(
        session,
        book.reservation(lab_id=lab_id, job_id=job_id, amount=amount, source_id=str(source_id)),
    )


def release_reservation(
    session: Session,
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    amount: Money,
    source_id: str | UUID,
) -> TransactionId:
    """Rule 6, the other way: give back what a job does not need."""
    return post(
        session,
        book.release(lab_id=lab_id, job_id=job_id, amount=amount, source_id=str(source_id)),
    )


def accept_work(
    session: Session,
    *,
    job_id: JobId,
    specialist_id: PersonId,
    submission_id: SubmissionId,
    round_number: int,
    reward: Money,
    fee: Money,
) -> TransactionId:
    """Rule 7: accepted work earns. reward is above zero, fee may be zero; one currency."""
    posting = book.acceptance(
        job_id=job_id,
        specialist_id=specialist_id,
        submission_id=submission_id,
        round_number=round_number,
        reward=reward,
        fee=fee,
    )
    return post(session, posting)


def clear_pay(
    session: Session, *, specialist_id: PersonId, accrual_id: AccrualId, amount: Money
) -> TransactionId:
    """Rule 8: pay that has waited its days becomes available."""
    return post(
        session, book.clearance(specialist_id=specialist_id, accrual_id=accrual_id, amount=amount)
    )


def hold_pay(
    session: Session,
    *,
    specialist_id: PersonId,
    amount: Money,
    hold_id: UUID,
    reason: HoldReason,
    owner_person_id: PersonId,
) -> TransactionId:
    """Rule 9: hold available pay; owner_person_id answers for the hold."""
    posting = book.hold(
        specialist_id=specialist_id,
        hold_id=hold_id,
        amount=amount,
        reason=HoldReason(reason),
        owner_person_id=owner_person_id,
    )
    return post(session, posting)


def release_hold(
    session: Session,
    *,
    specialist_id: PersonId,
    amount: Money,
    hold_id: UUID,
    reason: HoldReason,
    owner_person_id: PersonId,
) -> TransactionId:
    """Rule 9, the other way: let a hold go, whole; NothingToAnswer when the amount differs."""
    posting = book.unhold(
        specialist_id=specialist_id,
        hold_id=hold_id,
        amount=amount,
        reason=HoldReason(reason),
        owner_person_id=owner_person_id,
    )
    return post(session, posting, reverses=answered(session, posting, SourceKind.HOLD))


def reserve_payout(
    session: Session, *, specialist_id: PersonId, line_id: PayoutLineId, amount: Money
) -> TransactionId:
    """Rule 13: set available pay aside for a payout line, in the line's own transaction."""
    return post(
        session,
        book.payout_reservation(specialist_id=specialist_id, line_id=line_id, amount=amount),
    )


def cancel_payout(
    session: Session, *, specialist_id: PersonId, line_id: PayoutLineId, amount: Money
) -> TransactionId:
    """Rule 13, the other way: the line ends unsent. A line that was sent raises SourceReused."""
    posting = book.payout_cancellation(specialist_id=specialist_id, line_id=line_id, amount=amount)
    reserved = answered(session, posting, SourceKind.PAYOUT_RESERVE)
    return post(session, posting, reverses=reserved)


def confirm_transfer(
    session: Session,
    *,
    specialist_id: PersonId,
    line_id: PayoutLineId,
    amount: Money,
    transfer_id: str,
    balance_transaction_id: str,
    connected_account: str,
    destination_amount: Money,
    effective_on: date | None = None,
) -> TransactionId:
    """Rule 14: Stripe moved the line's money; a cancelled line raises SourceReused.

    destination_amount: what arrived on `connected_account` (`acct_…`), in its currency.
    """
    posting = book.transfer(
        specialist_id=specialist_id,
        line_id=line_id,
        amount=amount,
        transfer_id=transfer_id,
        balance_transaction_id=balance_transaction_id,
        connected_account=connected_account,
        destination_amount=destination_amount,
    )
    answered(session, posting, SourceKind.PAYOUT_RESERVE)
    return post(session, posting, happened_on=effective_on)
