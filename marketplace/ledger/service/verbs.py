"""The verbs of the book, one for each posting rule; `session` comes first, nothing commits."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.ids import (
    AccrualId,
    DecisionId,
    JobId,
    OrganisationId,
    PayoutLineId,
    PersonId,
    SubmissionId,
    TransactionId,
)
from marketplace.ledger.rules import HoldReason, SourceKind, book
from marketplace.ledger.rules.accounts import job_contingency, lab_available, specialist_account
from marketplace.ledger.service.labs import net_lab
from marketplace.ledger.service.posting import answered, locked_balances, post, transaction_of
from marketplace.ledger.service.reversing import net
from marketplace.money import Money, zero


def reserve_for_job(
    session: Session,
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    amount: Money,
    source_id: str | UUID,
    contingency: Money | None = None,
) -> TransactionId:
    """Rule 6: set money aside for a job. source_id: what it is reserved for, such as a quote;
    contingency: for pay beyond the judgements asked for, in an account of its own."""
    posting = book.reservation(
        lab_id=lab_id,
        job_id=job_id,
        amount=amount,
        source_id=str(source_id),
        contingency=contingency,
    )
    return post(session, posting)


def release_reservation(
    session: Session,
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    amount: Money,
    source_id: str | UUID,
    contingency: Money | None = None,
) -> TransactionId:
    """Rule 6, the other way: give back what a job does not need, and of its contingency, less what
    its lab owes."""
    posting = book.release(
        lab_id=lab_id,
        job_id=job_id,
        amount=amount,
        source_id=str(source_id),
        contingency=contingency,
    )
    return net_lab(session, lab_id, amount.currency, freed_by=post(session, posting))


def accept_work(
    session: Session,
    *,
    job_id: JobId,
    specialist_id: PersonId,
    submission_id: SubmissionId,
    round_number: int,
    reward: Money,
    fee: Money,
    overturned_by: DecisionId | None = None,
) -> TransactionId:
    """Rule 7: accepted work earns. reward is above zero, fee may be zero; one currency.

    overturned_by: the decision that accepted it after all, where it was rejected before.
    """
    posting = book.acceptance(
        job_id=job_id,
        specialist_id=specialist_id,
        submission_id=submission_id,
        round_number=round_number,
        reward=reward,
        fee=fee,
        overturned_by=overturned_by,
    )
    return post(session, posting)


def pay_beyond_quote(
    session: Session,
    kind: SourceKind,
    source_id: UUID,
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    specialist_id: PersonId,
    reward: Money,
    fee: Money,
    ours: bool = False,
) -> TransactionId:
    """Rules 24 to 28: pay that no quote counted, never refused to the specialist.

    kind: SURPLUS, CANNOT_COMPLETE, FLOOR_TOP_UP, REVIEW_PAY, QUALIFICATION_PAY or OVERTURNED;
    source_id: what it is paid for, such as the submission or the decision. It comes out of the
    job's contingency, then the lab's balance, else it is our goodwill, which takes no fee; all of
    it is goodwill where it is `ours` to pay.
    """
    currency = reward.currency
    spare = job_contingency(job_id, currency, lab_id=lab_id)
    free = lab_available(lab_id, currency)
    theirs = specialist_account(specialist_id, "pending", currency)
    held = locked_balances(session, (spare, free, theirs))
    posted = transaction_of(session, kind, str(source_id))
    if posted is not None:  # What is there to split has changed since; the posting has not.
        return posted
    nothing = zero(currency)
    sources = book.sources_of(
        reward,
        fee,
        contingency=nothing if ours else held.get(spare.code, nothing),
        available=nothing if ours else held.get(free.code, nothing),
    )
    posting = book.beyond_quote(
        kind,
        str(source_id),
        lab_id=lab_id,
        job_id=job_id,
        specialist_id=specialist_id,
        reward=reward,
        sources=sources,
    )
    return post(session, posting)


def pay_bonus(
    session: Session,
    *,
    lab_id: OrganisationId | None,
    specialist_id: PersonId,
    bonus: Money,
    fee: Money,
    source_id: str | UUID,
) -> TransactionId:
    """Rule 10: a lab pays a specialist beyond the price, out of what it has available, and us the
    fee; without a lab it is our goodwill, with no fee."""
    posting = book.bonus(
        lab_id=lab_id,
        specialist_id=specialist_id,
        amount=bonus,
        fee=fee,
        source_id=str(source_id),
    )
    return post(session, posting)


def clear_pay(
    session: Session, *, specialist_id: PersonId, accrual_id: AccrualId, amount: Money
) -> TransactionId:
    """Rule 8: pay that has waited its days becomes available, less what its owner owes."""
    posting = book.clearance(specialist_id=specialist_id, accrual_id=accrual_id, amount=amount)
    return net(session, specialist_id, amount.currency, freed_by=post(session, posting))


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
    """Rule 9, the other way: let a hold go, whole, less what its owner owes; NothingToAnswer when
    the amount differs."""
    posting = book.unhold(
        specialist_id=specialist_id,
        hold_id=hold_id,
        amount=amount,
        reason=HoldReason(reason),
        owner_person_id=owner_person_id,
    )
    held = answered(session, posting, SourceKind.HOLD)
    freed = post(session, posting, reverses=held)
    return net(session, specialist_id, amount.currency, freed_by=freed)


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
    """Rule 13, the other way: the line ends unsent, and what its payee owes is netted. A line
    that was sent raises SourceReused."""
    posting = book.payout_cancellation(specialist_id=specialist_id, line_id=line_id, amount=amount)
    reserved = answered(session, posting, SourceKind.PAYOUT_RESERVE)
    freed = post(session, posting, reverses=reserved)
    return net(session, specialist_id, amount.currency, freed_by=freed)


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
