"""Carrying out a verdict: seats and tasks, pay, letters, what is announced, what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.ids import DecisionId, JobId, PersonId, SubmissionId, TaskId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import Purpose
from marketplace.quality.rules.posterior import worth_of_verdict
from marketplace.quality.service import EvidenceSource, learn, rescore_task
from marketplace.review import rules
from marketplace.review.models import Decision
from marketplace.review.queries import looks, sealing
from marketplace.review.rules import EndedBy, Verdict
from marketplace.review.service.asking import ask_where_contested
from marketplace.review.service.draws import end_wait
from marketplace.review.service.pay import earn
from marketplace.review.service.returned import tell_later
from marketplace.review.service.second_looks import open_second_look
from marketplace.work import service as work
from marketplace.work.models import Submission


@dataclass(frozen=True, slots=True)
class Spoken:
    """A verdict with its reasons; reviewer_id is None where nobody looked."""

    verdict: Verdict
    reviewer_id: PersonId | None = None
    note: str = ""
    defects: Sequence[Mapping[str, Any]] = ()


def carry_out(
    session: Session,
    actor: Actor,
    submission: Submission,
    job: Job,
    spoken: Spoken,
    *,
    clearance_days: int,
    ended_by: EndedBy = EndedBy.VERDICT,
) -> Decision:
    """Decide a submission, in one transaction with its postings; the caller has asked who may."""
    was = submission.state
    work.settle(session, submission, rules.STATE_AFTER[spoken.verdict])
    # Rework says nothing yet, the last word does; gold speaks for qualifications.
    if spoken.reviewer_id and spoken.verdict is not Verdict.REWORK:
        _teach(session, submission, job, spoken.verdict)
    if spoken.reviewer_id and job.purpose is Purpose.WORK and not submission.is_surplus:
        session.flush()  # What counts, and what a reviewer said of it, is read in plain SQL.
        rescore_task(session, TaskId(submission.task_id))
    decision = Decision(
        id=DecisionId(new_id()),
        submission_id=submission.id,
        job_id=job.id,
        author_id=submission.specialist_id,
        reviewer_id=spoken.reviewer_id,
        verdict=spoken.verdict,
        defects=[dict(defect) for defect in spoken.defects],
        note=spoken.note,
        decided_at=clock.now(),
    )
    session.add(decision)
    end_wait(session, SubmissionId(submission.id), ended_by)
    if spoken.verdict is Verdict.ACCEPT:
        earn(session, submission, job, clearance_days)
        ask_where_contested(session, submission, job)
    elif spoken.verdict is Verdict.REWORK:
        tell_later(session, PersonId(submission.specialist_id))
    elif spoken.reviewer_id is not None:
        policy = looks.policy_of(session, JobId(job.id))
        open_second_look(session, decision, policy)
    audit.record(session, actor, f"decided {spoken.verdict.value}", submission.id)
    sealed = sealing.bound(submission, decision, job)
    _announce(session, submission, job, {"was": was.value, **sealed})
    return decision


def _announce(session: Session, submission: Submission, job: Job, more: Mapping[str, Any]) -> None:
    outbox.announce(
        session,
        f"task.{submission.state.value}",
        submission.id,
        {"task_id": submission.task_id, "round": submission.round, **more},
        organisation_id=job.organisation_id,
        job_id=job.id,
        person_id=submission.specialist_id,
    )


def _teach(session: Session, submission: Submission, job: Job, verdict: Verdict) -> None:
    if job.purpose is not Purpose.WORK:
        return
    learn(
        session,
        PersonId(submission.specialist_id),
        job,
        worth_of_verdict(accepted=verdict is Verdict.ACCEPT, round_number=submission.round),
        source=EvidenceSource.REVIEW,
        source_id=submission.id,
    )
