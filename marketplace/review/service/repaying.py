"""The money of an overturned verdict: earned after all, or taken back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import JobId, OrganisationId, PersonId
from marketplace.jobs.models import Job
from marketplace.ledger import service as ledger
from marketplace.ledger.rules import SourceKind
from marketplace.review import rules
from marketplace.review.models import Accrual, Decision
from marketplace.review.rules import AccrualKind, OverturnCause
from marketplace.review.service.pay import accrual_of
from marketplace.work.models import Submission


def earn_after_all(
    session: Session,
    decision: Decision,
    submission: Submission,
    job: Job,
    *,
    counts: bool,
    clearance_days: int,
) -> Accrual:
    """Pay for a submission that a decision accepted after all, at the price of its claim.

    counts: it took its seat again, so the job's reserve pays; else it is paid like surplus work,
    and by us alone where an appeal lapsed. It clears as if the first verdict had been the right
    one: the wait was no fault of the author's.
    """
    pay = submission.pay
    kind = AccrualKind.ACCEPTED if counts else AccrualKind.OVERTURNED
    accrual = accrual_of(kind, pay, job, submission.specialist_id, clearance_days)
    accrual.submission_id, accrual.decision_id = submission.id, decision.id
    first = session.scalars(
        select(Decision.decided_at).where(
            Decision.submission_id == submission.id, Decision.overturns_id.is_(None)
        )
    ).one()
    accrual.clears_at = max(accrual.accrued_at, rules.clears_at(first, clearance_days))
    session.add(accrual)
    session.flush()  # What is earned already must not reach the ledger's locks.
    if not pay:
        return accrual
    fee = pay.portion(job.fee_basis_points or 0)
    if counts:
        ledger.accept_work(
            session,
            job_id=submission.job_id,
            specialist_id=submission.specialist_id,
            submission_id=submission.id,
            round_number=submission.round,
            reward=pay,
            fee=fee,
            overturned_by=decision.id,
        )
    else:
        ledger.pay_beyond_quote(
            session,
            SourceKind.OVERTURNED,
            decision.id,
            lab_id=OrganisationId(job.organisation_id),
            job_id=JobId(job.id),
            specialist_id=submission.specialist_id,
            reward=pay,
            fee=fee,
            ours=decision.cause is OverturnCause.APPEAL_LAPSED,
        )
    return accrual


def take_back(session: Session, submission: Submission, job: Job, *, job_ended: bool) -> Accrual:
    """Take back what a submission earned, whether it has cleared or not.

    job_ended: what the job's money paid goes to its lab, since the job wants nothing any more.

    The accrual's row is locked first, and so is it by whatever clears it: one of the two comes
    first, and the other finds what it did.
    """
    accrual = session.scalars(
        select(Accrual)
        .where(Accrual.submission_id == submission.id, Accrual.reversed_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    accrual.reversed_at = clock.now()
    if accrual.amount:
        kind, source_id = earned_by(accrual, submission)
        ledger.reverse_pay(
            session,
            accrual_id=accrual.id,
            kind=kind,
            source_id=source_id,
            lab_id=OrganisationId(job.organisation_id),
            job_id=JobId(job.id),
            specialist_id=PersonId(accrual.specialist_id),
            reward=accrual.amount,
            cleared=accrual.cleared_at is not None,
            job_ended=job_ended,
        )
    return accrual


def earned_by(accrual: Accrual, submission: Submission) -> tuple[SourceKind, str]:
    """The posting by which a submission's accrual was earned."""
    if accrual.kind is AccrualKind.SURPLUS:
        return SourceKind.SURPLUS, str(submission.id)
    if accrual.kind is AccrualKind.OVERTURNED:
        return SourceKind.OVERTURNED, str(accrual.decision_id)
    parts = [submission.id, submission.round, accrual.decision_id]
    return SourceKind.ACCEPT, ":".join(str(part) for part in parts if part is not None)
