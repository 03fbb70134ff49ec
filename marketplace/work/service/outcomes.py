"""Endings that are not answers: reporting them, dropping tasks that nobody can do, closing gaps."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Fault, Faulty
from marketplace.ids import ClaimId, JobId, OutcomeId, TaskId, new_id
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.tasktypes import task_type
from marketplace.work import rules
from marketplace.work.models import Claim, Outcome, Seat, Task
from marketplace.work.rules import ClaimState, OutcomeKind, SeatState, TaskState, step
from marketplace.work.service.claims import own_claim
from marketplace.work.service.seats import close_unwanted_seat, end_claim


def report_outcome(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    kind: OutcomeKind,
    evidence: str,
) -> Outcome:
    """End a claim without an answer, which penalises nobody.

    A task that two people could not complete is handed out no more; who opts out leaves it to
    others. What the report earns, and whether its job pauses, is decided above:
    `routing.report_outcome` is the verb for views.
    """
    said = rules.evidence_of(evidence, kind)
    claim = own_claim(session, actor, claim_id, fence)
    _refuse_to_opt_out(session, claim, kind)
    # Reports of a job come one after the other: they are counted, and may pause it.
    jobs.locked(session, SYSTEM, claim.job_id)
    if kind is OutcomeKind.CANNOT_COMPLETE:
        _hold_seats(session, claim.task_id)
    end_claim(session, claim, ClaimState.REPORTED)
    outcome = Outcome(
        id=OutcomeId(new_id()),
        claim_id=claim.id,
        job_id=claim.job_id,
        task_id=claim.task_id,
        specialist_id=claim.specialist_id,
        kind=kind,
        evidence=said,
        reported_at=clock.now(),
    )
    session.add(outcome)
    session.flush()  # It counts among the reports of its task, and pay refers to it.
    _announce(session, f"task.{kind.value}", outcome)
    # Who has answered the task before does not speak for those who still wait for it.
    if kind is OutcomeKind.CANNOT_COMPLETE and claim.repeats_submission_id is None:
        _drop_where_nobody_can(session, outcome)
    return outcome


def _refuse_to_opt_out(session: Session, claim: Claim, kind: OutcomeKind) -> None:
    """Only material that may harm is paid for when somebody stops half-way."""
    job = session.get_one(Job, claim.job_id)
    if kind is OutcomeKind.OPTED_OUT and not task_type(job.task_type).may_opt_out:
        fault = Fault("/kind", "Give the task back; nothing is held against you.")
        raise Faulty("Tasks of this kind are given back.", [fault])


def _hold_seats(session: Session, task_id: TaskId) -> None:
    """Lock a task's seats in the order of their ids, before any of them is touched."""
    session.scalars(
        select(Seat.id)
        .where(Seat.task_id == task_id)
        .order_by(Seat.id)
        .with_for_update(key_share=True)
    ).all()


def _drop_where_nobody_can(session: Session, outcome: Outcome) -> None:
    people = session.scalar(
        select(func.count(Outcome.specialist_id.distinct())).where(
            Outcome.task_id == outcome.task_id, Outcome.kind == OutcomeKind.CANNOT_COMPLETE
        )
    )
    task = session.get_one(Task, outcome.task_id, with_for_update={"key_share": True})
    if (people or 0) < rules.DROPPED_AFTER_PEOPLE or task.state is not TaskState.OPEN:
        return
    if task.dropped_at is not None:
        return
    task.dropped_at = clock.now()
    free = select(Seat).where(Seat.task_id == task.id, Seat.state == SeatState.OPEN)
    for seat in session.scalars(free.order_by(Seat.id)).all():
        close_unwanted_seat(session, seat)
    _announce(session, "task.dropped", outcome)


def answer_gaps(
    session: Session, actor: Actor, job_id: JobId, gap_ids: Sequence[UUID], answer: str
) -> int:
    """Say what became of reported gaps of a job; how many were still open.

    Their reporters may be offered the tasks again. The caller has checked that the job is the
    actor's.
    """
    gaps = session.scalars(
        select(Outcome)
        .where(Outcome.job_id == job_id, Outcome.id.in_(gap_ids))
        .where(Outcome.kind == OutcomeKind.GUIDELINE_GAP, Outcome.answered_at.is_(None))
        .order_by(Outcome.id)
        .with_for_update(key_share=True)
    ).all()
    for gap in gaps:
        gap.answer, gap.answered_at, gap.answered_by = answer, clock.now(), actor.person()
        claim = session.get_one(Claim, gap.claim_id, with_for_update={"key_share": True})
        claim.state = step(rules.NEXT_CLAIM, claim.state, ClaimState.RELEASED)
        _announce(session, "task.gap_answered", gap)
    return len(gaps)


def _announce(session: Session, kind: str, outcome: Outcome) -> None:
    outbox.announce(
        session,
        kind,
        outcome.task_id,
        {"outcome_id": outcome.id},
        organisation_id=session.get_one(Job, outcome.job_id).organisation_id,
        job_id=outcome.job_id,
    )
