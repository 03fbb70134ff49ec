"""Verdicts: which work a person looks at, what they say of it, what is accepted by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import DecisionId, PersonId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import Purpose
from marketplace.quality.rules.posterior import worth_of_verdict
from marketplace.quality.service import EvidenceSource, learn
from marketplace.review import rules
from marketplace.review.models import Decision
from marketplace.review.rules import Verdict
from marketplace.review.service.pay import earn
from marketplace.review.service.returned import tell_later
from marketplace.work import service as work
from marketplace.work.models import Submission
from marketplace.work.rules import ARRIVED


def is_reviewed(submission_id: SubmissionId, round_: int, job: Job) -> bool:
    """Whether a person looks at a fresh submission: a sampled one, and each that was reworked.

    The rest is accepted by itself; gold judges what is handed in for a qualification.
    """
    if job.purpose is Purpose.QUALIFICATION:
        return False
    return rules.is_sampled(submission_id, 1.0 if round_ > 1 else float(job.review_sample_ratio))


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

    Acceptance earns the pay frozen at claim, in this transaction; a surplus answer earns by the
    job's rule for late work. Raises OwnWork, Faulty without reasons, NoRework for a surplus
    answer, IllegalStep when it is decided already.
    """
    actor.require(Permission.WORK_REVIEW)
    submission = work.locked_submission(session, submission_id)
    job = session.get_one(Job, submission.job_id)
    if job.organisation_id != actor.organisation():
        raise Missing("This submission is not there, or it belongs to another organisation.")
    if submission.specialist_id == actor.person():
        raise rules.OwnWork("Nobody reviews their own work; ask a colleague.")
    if job.purpose is Purpose.QUALIFICATION and verdict is not Verdict.ACCEPT:
        raise Conflict("Answers in a qualification are paid for the effort; gold judges them.")
    rules.check_reasons(verdict, note, defects)
    rules.check_round(verdict, submission.round)
    # Rework says nothing yet, the last word does; gold speaks for qualifications.
    if verdict is not Verdict.REWORK and job.purpose is Purpose.WORK:
        worth = worth_of_verdict(accepted=verdict is Verdict.ACCEPT, round_number=submission.round)
        learn(
            session,
            PersonId(submission.specialist_id),
            job,
            worth,
            source=EvidenceSource.REVIEW,
            source_id=submission.id,
        )
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
        earn(session, submission, job, clearance_days)
    elif verdict is Verdict.REWORK:
        tell_later(session, PersonId(submission.specialist_id))
    audit.record(session, actor, f"decided {verdict.value}", submission.id)
    outbox.announce(
        session,
        f"task.{submission.state.value}",
        submission.id,
        {"task_id": submission.task_id, "round": submission.round},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return decision


def accept_next_arrived(session: Session, *, clearance_days: int) -> bool:
    """Accept the oldest submission that was not sampled for review; False when there is none."""
    submission = session.scalar(
        select(Submission)
        .where(Submission.state.in_(ARRIVED))
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
