"""Endings that are no answers: what a report earns, when gaps pause a job, closing them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from marketplace import audit
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId, JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, PauseReason
from marketplace.money import Money
from marketplace.review import service as review
from marketplace.routing.service.publishing import resume_job
from marketplace.work import service as work
from marketplace.work.models import Outcome, Submission
from marketplace.work.rules import GAP_PEOPLE, GAP_WINDOW_ENDS, OutcomeKind

NOTE_MIN = 10


@dataclass(frozen=True, slots=True)
class Reported:
    """A report, with what it earned, and whether its job is paused for it now."""

    outcome: Outcome
    earned: Money | None
    paused: bool


def report_outcome(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    kind: OutcomeKind,
    evidence: str,
    clearance_days: int,
) -> Reported:
    """End a claim without an answer, which penalises nobody.

    A task that cannot be done earns the job's declared share of its pay; who opts out is paid for
    what is done. A gap that three people
    met within the job's last fifty answers and reports pauses the job until the lab closes it.
    """
    outcome = work.report_outcome(
        session, actor, claim_id, fence=fence, kind=kind, evidence=evidence
    )
    job = session.get_one(Job, outcome.job_id)
    accrual = review.pay_outcome(session, outcome, job, clearance_days=clearance_days)
    paused = kind is OutcomeKind.GUIDELINE_GAP and _pause_where_gaps_repeat(session, job)
    return Reported(outcome, accrual.amount if accrual else None, paused)


def _pause_where_gaps_repeat(session: Session, job: Job) -> bool:
    """The report holds the job, so each counts those before it."""
    if job.state is not JobState.OPEN or _people_at_gaps(session, job.id) < GAP_PEOPLE:
        return False
    jobs.pause_job(session, SYSTEM, job.id, reason=PauseReason.GUIDELINE)
    return True


def _people_at_gaps(session: Session, job_id: UUID) -> int:
    """How many people reported a gap that is still open, within the last ends of claims."""
    last_of_each = (
        select(each.id).where(each.job_id == job_id).order_by(each.id.desc()).limit(GAP_WINDOW_ENDS)
        for each in (Submission, Outcome)
    )
    ends = union_all(*last_of_each).subquery()
    last = select(ends.c.id).order_by(ends.c.id.desc()).limit(GAP_WINDOW_ENDS)
    people = select(func.count(Outcome.specialist_id.distinct())).where(
        Outcome.id.in_(last),
        Outcome.kind == OutcomeKind.GUIDELINE_GAP,
        Outcome.answered_at.is_(None),
    )
    return session.scalar(people) or 0


def close_gaps(
    session: Session,
    actor: Actor,
    job_id: JobId,
    gap_ids: Sequence[UUID],
    *,
    note: str,
    resume: bool = False,
) -> int:
    """Close reported gaps with a note, which becomes part of the instructions; how many.

    The note is a new version of the instructions, for claims from now on; whoever reported the
    gaps reads it, and may be offered their tasks again. resume: hand out tasks again as well,
    where the gaps had paused the job.
    """
    actor.require(Permission.JOBS_EDIT)
    if len(note.strip()) < NOTE_MIN:
        words = "Say what specialists should do there, in a sentence that the instructions lacked."
        raise Faulty("The gap needs an answer.", [Fault("/note", words)])
    jobs.clarify(session, actor, job_id, note)
    closed = work.answer_gaps(session, actor, job_id, gap_ids, note.strip())
    if not closed:
        raise Conflict("These gaps are closed already; the page was out of date.")
    audit.record(session, actor, "closed gaps", job_id, gaps=closed)
    job = session.get_one(Job, job_id)
    if resume and job.pause_reason is PauseReason.GUIDELINE:
        resume_job(session, actor, job_id)
    return closed
