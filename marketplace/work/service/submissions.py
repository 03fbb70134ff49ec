"""Submissions: what a verdict does to them, to their tasks and to their seats."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Missing
from marketplace.ids import ClaimId, SubmissionId, TaskId, new_id
from marketplace.work import rules
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import (
    ClaimState,
    SeatState,
    SubmissionState,
    TaskState,
    step,
)
from marketplace.work.service import tally
from marketplace.work.service.finality import tell_final
from marketplace.work.service.seats import held_state, reopen_seat


def locked_submission(session: Session, submission_id: SubmissionId) -> Submission:
    """A submission, locked against another verdict at the same moment; Missing without it."""
    submission = session.get(Submission, submission_id, with_for_update={"key_share": True})
    if submission is None:
        raise Missing("This submission is not there.")
    return submission


def hold_task(session: Session, task_id: TaskId) -> None:
    """Lock a task with all its answers and seats, for who changes several of them at once.

    In the order of every verb, so that whoever settles one of them comes before or after.
    """
    job_id = session.scalar(select(Task.job_id).where(Task.id == task_id))
    if job_id is None:
        raise Missing("This task is not there.")
    answers = select(Submission.id).where(Submission.task_id == task_id).order_by(Submission.id)
    session.execute(answers.with_for_update(key_share=True)).all()
    held_state(session, job_id)
    seats = select(Seat.id).where(Seat.task_id == task_id).order_by(Seat.id)
    session.execute(seats.with_for_update(key_share=True)).all()
    session.execute(select(Task.id).where(Task.id == task_id).with_for_update(key_share=True)).all()


def settle(session: Session, submission: Submission, verdict: SubmissionState) -> None:
    """Carry a verdict into seats and tasks; for `review`, which decided it.

    accepted counts towards a final task; rejected opens the seat for somebody else; rework gives
    the seat back to its author, with the first refusal, under a longer lease. A surplus answer
    has neither task nor seat to carry it into: NoRework for rework.
    """
    if submission.is_surplus:
        _settle_surplus(submission, verdict)
        return
    submission.state = step(rules.NEXT_SUBMISSION, submission.state, verdict)
    if verdict is SubmissionState.IN_REVIEW:
        return
    submission.decided_at = clock.now()
    if verdict is SubmissionState.ACCEPTED:
        _count_accepted(session, submission)
        return
    held_state(session, submission.job_id)
    session.get_one(Seat, submission.seat_id, with_for_update={"key_share": True})
    task = session.get_one(Task, submission.task_id, with_for_update={"key_share": True})
    task.counted -= 1
    if task.state is TaskState.FILLED:
        task.state, task.filled_at = step(rules.NEXT_TASK, task.state, TaskState.OPEN), None
    if verdict is SubmissionState.REJECTED:
        reopen_seat(session, submission)
    else:
        _return_for_rework(session, submission)


def _settle_surplus(submission: Submission, verdict: SubmissionState) -> None:
    then = rules.SURPLUS_AFTER.get(verdict)
    if then is None:
        raise rules.NoRework("This is an extra answer without a seat. Accept it or reject it.")
    submission.state = step(rules.NEXT_SUBMISSION, submission.state, then)
    if verdict is not SubmissionState.IN_REVIEW:
        submission.decided_at = clock.now()


def _count_accepted(session: Session, submission: Submission) -> None:
    task = session.get_one(Task, submission.task_id, with_for_update={"key_share": True})
    task.decided += 1
    if task.decided == task.wanted and task.state is TaskState.FILLED:
        task.state = step(rules.NEXT_TASK, task.state, TaskState.FINAL)
        tell_final(session, task)


def _return_for_rework(session: Session, submission: Submission) -> None:
    former = session.get_one(Claim, submission.claim_id, with_for_update={"key_share": True})
    former.state = step(rules.NEXT_CLAIM, former.state, ClaimState.RETURNED)
    session.flush()  # The former claim leaves the unique index before its successor enters it.
    seat = session.get_one(Seat, submission.seat_id, with_for_update={"key_share": True})
    seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.CLAIMED)
    at = clock.now()
    tally.count(session, former, live=1, done=-1)
    session.add(
        Claim(
            id=ClaimId(new_id()),
            seat_id=former.seat_id,
            task_id=former.task_id,
            job_id=former.job_id,
            specialist_id=former.specialist_id,
            template_version_id=former.template_version_id,
            reworks_submission_id=submission.id,
            seat_rank=former.seat_rank,
            state=ClaimState.LIVE,
            claimed_at=at,
            expires_at=at + rules.REWORK_LEASE,
            price_minor=former.price_minor,
            currency=former.currency,
            paid_seconds_max=former.paid_seconds_max,
            credential_level=former.credential_level,
            presented_order=former.presented_order,
        )
    )
