"""How far jobs are, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.work.models import Outcome, Seat, Submission, Task
from marketplace.work.queries.claims import LIMIT_MAX
from marketplace.work.rules import SURPLUS_STATES, SeatState, SubmissionState, TaskState


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, in tasks, seats and submissions.

    final: tasks that are decided, dropped ones with them; submitted to rework: answers that fill
    a seat; surplus: all that are kept beside; cannot_complete, guideline_gaps: reports;
    opted_out: how often somebody stopped for their own sake.
    """

    tasks: int
    final: int
    filled: int
    seats_open: int
    seats_claimed: int
    submitted: int
    in_review: int
    accepted: int
    rejected: int
    rework: int
    surplus: int
    surplus_in_review: int
    cannot_complete: int
    guideline_gaps: int
    opted_out: int = 0


def progress_of(session: Session, viewer: Actor, job_id: JobId) -> Progress:
    """The job's counts; Missing for a job that the viewer's organisation does not own."""
    job = jobs.job_of(session, viewer, job_id)
    return _progress(session, [job.id])[job.id]


def progress_of_many(session: Session, viewer: Actor, asked: Sequence[Job]) -> dict[UUID, Progress]:
    """The counts of several jobs by their ids, in five queries; jobs that are not the viewer's
    are left out."""
    own = [job.id for job in asked if jobs.may_see(viewer, job)]
    return _progress(session, own[:LIMIT_MAX])


def _progress(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    tasks = _counts(session, Task.job_id, Task.state, job_ids)
    seats = _counts(session, Seat.job_id, Seat.state, job_ids)
    answers = _counts(session, Submission.job_id, Submission.state, job_ids)
    endings = _counts(session, Outcome.job_id, Outcome.kind, job_ids)
    repeats = _repeats(session, job_ids)
    return {
        each: Progress(
            tasks=sum(tasks[each].values()),
            final=tasks[each][TaskState.FINAL],
            filled=tasks[each][TaskState.FILLED],
            seats_open=seats[each][SeatState.OPEN],
            seats_claimed=seats[each][SeatState.CLAIMED],
            submitted=answers[each][SubmissionState.SUBMITTED],
            in_review=answers[each][SubmissionState.IN_REVIEW],
            surplus_in_review=answers[each][SubmissionState.SURPLUS_IN_REVIEW],
            accepted=answers[each][SubmissionState.ACCEPTED],
            rejected=answers[each][SubmissionState.REJECTED],
            rework=answers[each][SubmissionState.REWORK],
            surplus=sum(answers[each][state] for state in SURPLUS_STATES) - repeats.get(each, 0),
            cannot_complete=endings[each]["cannot_complete"],
            guideline_gaps=endings[each]["guideline_gap"],
            opted_out=endings[each]["opted_out"],
        )
        for each in job_ids
    }


def _counts(
    session: Session,
    job: InstrumentedAttribute[UUID],
    state: InstrumentedAttribute[Any],
    job_ids: Sequence[UUID],
) -> dict[UUID, Counter[str]]:
    """How many rows each job has in each state."""
    found: dict[UUID, Counter[str]] = {each: Counter() for each in job_ids}
    counted = select(job, state, func.count()).where(job.in_(job_ids)).group_by(job, state)
    for job_id, in_state, number in session.execute(counted):
        found[job_id][in_state] = number
    return found


def _repeats(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many answers each job has that repeat their authors' own."""
    counted = (
        select(Submission.job_id, func.count())
        .where(Submission.job_id.in_(job_ids), Submission.repeats_submission_id.is_not(None))
        .group_by(Submission.job_id)
    )
    return dict(session.execute(counted).all())


def throughput_of(
    session: Session, viewer: Actor, job_id: JobId, *, days: int = 30
) -> Sequence[Row[datetime, int]]:
    """Submissions a day (UTC) of the job's last days with any, oldest first."""
    job = jobs.job_of(session, viewer, job_id)
    day = func.date_trunc("day", Submission.submitted_at, "UTC")
    newest = session.execute(
        select(day, func.count())
        .where(Submission.job_id == job.id)
        .group_by(day)
        .order_by(day.desc())
        .limit(days)
    ).all()
    return newest[::-1]
