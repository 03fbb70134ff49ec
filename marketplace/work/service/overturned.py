"""What an overturned verdict does to a submission, its task and its seat; for `review`."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.jobs.rules.prices import seat_price
from marketplace.work import rules
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import ClaimState, SeatState, SubmissionState, TaskState, step
from marketplace.work.service import tally
from marketplace.work.service.finality import tell_final
from marketplace.work.service.seats import end_claim, held_state, reopen_seat


def accept_after_all(session: Session, submission: Submission, *, beside: bool = False) -> bool:
    """Accept what was rejected or sent back; whether it counts for its task.

    It takes its seat again where that is free and the job runs, else it is kept beside the task,
    as it is where it shall be `beside`. Raises AnsweredAgain where a later round of it is in.
    """
    if submission.state is SubmissionState.REWORK:
        _end_rework(session, submission)
    counts = not submission.is_surplus and not beside and _take_seat(session, submission)
    then = SubmissionState.ACCEPTED if counts else SubmissionState.SURPLUS_ACCEPTED
    submission.state = step(rules.NEXT_SUBMISSION, submission.state, then)
    submission.decided_at = clock.now()
    return counts


def reject_after_all(session: Session, submission: Submission) -> None:
    """Reject what was accepted; where it counted its seat opens again for somebody else."""
    counted = not submission.is_surplus
    then = SubmissionState.REJECTED if counted else SubmissionState.SURPLUS_REJECTED
    submission.state = step(rules.NEXT_SUBMISSION, submission.state, then)
    submission.decided_at = clock.now()
    if not counted:
        return
    held_state(session, submission.job_id)
    _locked_seat(session, submission)
    task = _locked_task(session, submission)
    task.counted -= 1
    task.decided -= 1
    if task.state is not TaskState.OPEN:
        task.state, task.filled_at = step(rules.NEXT_TASK, task.state, TaskState.OPEN), None
    reopen_seat(session, submission)
    _keep_price(session, submission)


def _keep_price(session: Session, submission: Submission) -> None:
    """Let a seat that opened again pay what its answer was promised, where the job's pay has risen
    since: what goes back is that price, and no rise was reserved for work that was accepted."""
    seat, job = _locked_seat(session, submission), session.get_one(Job, submission.job_id)
    if seat.price_minor is None and submission.price_minor != seat_price(job.terms(0)).pay.minor:
        seat.price_minor = submission.price_minor


def check_not_answered_again(session: Session, submission: Submission) -> Claim:
    """The claim under which an answer that was sent back may be done again, locked; AnsweredAgain
    where that was done."""
    again = session.scalar(
        select(Claim)
        .where(Claim.task_id == submission.task_id)  # By its index; what follows has none.
        .where(Claim.reworks_submission_id == submission.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if again is None or again.state in {ClaimState.SUBMITTED, ClaimState.RETURNED}:
        raise rules.AnsweredAgain("This was done once more since; look at the later round.")
    return again


def _end_rework(session: Session, submission: Submission) -> None:
    """Take the task out of its author's hands, who was asked to do it once more."""
    again = check_not_answered_again(session, submission)
    if again.state in {ClaimState.LIVE, ClaimState.EXPIRED}:
        held_state(session, submission.job_id)
        end_claim(session, again, ClaimState.RELEASED)
    tally.count(session, again, done=1)


def _take_seat(session: Session, submission: Submission) -> bool:
    running = held_state(session, submission.job_id) is not JobState.CLOSED
    seat = _locked_seat(session, submission)
    if not running or seat.state is not SeatState.OPEN:
        return False
    seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.SUBMITTED)
    task = _locked_task(session, submission)
    task.counted += 1
    task.decided += 1
    if task.counted == task.wanted:
        done = task.decided == task.wanted
        then = TaskState.FINAL if done else TaskState.FILLED
        task.state, task.filled_at = step(rules.NEXT_TASK, task.state, then), clock.now()
        tell_final(session, task)
    return True


def _locked_seat(session: Session, submission: Submission) -> Seat:
    return session.get_one(
        Seat, submission.seat_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _locked_task(session: Session, submission: Submission) -> Task:
    return session.get_one(
        Task, submission.task_id, with_for_update={"key_share": True}, populate_existing=True
    )
