"""The verbs of review: route, decide, accept what was not sampled, clear what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import AccrualId, DecisionId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.ledger import service as ledger
from marketplace.review import rules
from marketplace.review.models import Accrual, Decision
from marketplace.review.rules import Verdict
from marketplace.work import service as work
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState


def route(session: Session, submission: Submission, job: Job) -> None:
    """Send a fresh submission to review, when it is sampled; the rest is accepted by itself."""
    if submission.state is not SubmissionState.SUBMITTED:
        return  # Surplus waits for nobody.
    ratio = 1.0 if submission.round > 1 else float(job.review_sample_ratio)
    if rules.is_sampled(submission.id, ratio):
        work.settle(session, submission, SubmissionState.IN_REVIEW)


def decide(
    session: Session,
    actor: Actor,
    submission_id: SubmissionId,
    *,
    verdict: Verdict,
    clearance_days: int,
    note: str = "",
    defects: Sequence[Mapping[str, Any]] = (),
) -> Decision:
    """Say accept, rework or reject on a submission of the actor's organisation.

    Acceptance earns the pay frozen at claim, in this transaction. Raises OwnWork, Faulty without
    reasons, IllegalStep when it is decided already.
    """
    actor.require(Permission.WORK_REVIEW)
    submission = work.locked_submission(session, submission_id)
    job = session.get_one(Job, submission.job_id)
    if job.organisation_id != actor.organisation():
        raise Missing("This submission is not there, or it belongs to another organisation.")
    if submission.specialist_id == actor.person():
        raise rules.OwnWork("Nobody reviews their own work; ask a colleague.")
    rules.check_reasons(verdict, note, defects)
    rules.check_round(verdict, submission.round)
    return _carry_out(
        session,
        actor,
        submission,
        job,
        verdict=verdict,
        clearance_days=clearance_days,
        note=note.strip(),
        defects=defects,
    )


def _carry_out(
    session: Session,
    actor: Actor,
    submission: Submission,
    job: Job,
    *,
    verdict: Verdict,
    clearance_days: int,
    note: str,
    defects: Sequence[Mapping[str, Any]],
) -> Decision:
    work.settle(session, submission, rules.STATE_AFTER[verdict])
    decision = Decision(
        id=DecisionId(new_id()),
        submission_id=submission.id,
        job_id=job.id,
        author_id=submission.specialist_id,
        reviewer_id=actor.person_id,
        verdict=verdict,
        defects=[dict(defect) for defect in defects],
        note=note,
        decided_at=clock.now(),
    )
    session.add(decision)
    if verdict is Verdict.ACCEPT:
        _earn(session, submission, job, clearance_days)
    audit.record(session, actor, f"decided {verdict.value}", submission.id)
    outbox.announce(
        session,
        f"task.{rules.STATE_AFTER[verdict].value}",
        submission.id,
        {"task_id": submission.task_id, "round": submission.round},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return decision


def _earn(session: Session, submission: Submission, job: Job, clearance_days: int) -> None:
    pay = submission.pay
    at = clock.now()
    session.add(
        Accrual(
            id=AccrualId(new_id()),
            submission_id=submission.id,
            job_id=job.id,
            specialist_id=submission.specialist_id,
            amount_minor=pay.minor,
            currency=pay.currency,
            accrued_at=at,
            clears_at=rules.clears_at(at, clearance_days),
        )
    )
    session.flush()  # Refused acceptances must not reach the ledger's locks.
    if pay:
        ledger.accept_work(
            session,
            job_id=submission.job_id,
            specialist_id=submission.specialist_id,
            submission_id=submission.id,
            round_number=submission.round,
            reward=pay,
            fee=pay.portion(job.fee_basis_points or 0),
        )


def accept_next_arrived(session: Session, *, clearance_days: int) -> bool:
    """Accept the oldest submission that was not sampled for review; False when there is none."""
    submission = session.scalar(
        select(Submission)
        .where(Submission.state == SubmissionState.SUBMITTED)
        .order_by(Submission.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if submission is None:
        return False
    job = session.get_one(Job, submission.job_id)
    _carry_out(
        session,
        SYSTEM,
        submission,
        job,
        verdict=Verdict.ACCEPT,
        clearance_days=clearance_days,
        note="",
        defects=(),
    )
    return True


def clear_next_due(session: Session) -> bool:
    """Make the pay available whose date came first; False when none is due."""
    accrual = session.scalar(
        select(Accrual)
        .where(Accrual.cleared_at.is_(None), Accrual.clears_at <= clock.now())
        .order_by(Accrual.clears_at)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if accrual is None:
        return False
    accrual.cleared_at = clock.now()
    if accrual.amount:
        ledger.clear_pay(
            session,
            specialist_id=accrual.specialist_id,
            accrual_id=accrual.id,
            amount=accrual.amount,
        )
    return True
