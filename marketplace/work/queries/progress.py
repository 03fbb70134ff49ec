"""How far jobs are, in numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    union_all,
)
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
    """The counts of several jobs by their ids, in one statement; jobs that are not the viewer's
    are left out."""
    own = [job.id for job in asked if jobs.may_see(viewer, job)]
    return _progress(session, own[:LIMIT_MAX])


def _progress(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    found: dict[tuple[UUID, str], Counter[str]] = defaultdict(Counter)
    repeats: Counter[UUID] = Counter()
    for what, job_id, state, number, repeating in session.execute(_counts(job_ids)):
        found[job_id, what][state] = number
        repeats[job_id] += repeating
    return {each: _told(each, found, repeats[each]) for each in job_ids}


def _told(job_id: UUID, found: Mapping[tuple[UUID, str], Counter[str]], repeats: int) -> Progress:
    tasks, seats, answers, endings = (
        found[job_id, what] for what in ("tasks", "seats", "answers", "endings")
    )
    return Progress(
        tasks=sum(tasks.values()),
        final=tasks[TaskState.FINAL],
        filled=tasks[TaskState.FILLED],
        seats_open=seats[SeatState.OPEN],
        seats_claimed=seats[SeatState.CLAIMED],
        submitted=answers[SubmissionState.SUBMITTED],
        in_review=answers[SubmissionState.IN_REVIEW],
        surplus_in_review=answers[SubmissionState.SURPLUS_IN_REVIEW],
        accepted=answers[SubmissionState.ACCEPTED],
        rejected=answers[SubmissionState.REJECTED],
        rework=answers[SubmissionState.REWORK],
        surplus=sum(answers[state] for state in SURPLUS_STATES) - repeats,
        cannot_complete=endings["cannot_complete"],
        guideline_gaps=endings["guideline_gap"],
        opted_out=endings["opted_out"],
    )


def _counts(job_ids: Sequence[UUID]) -> CompoundSelect[str, UUID, str, int, int]:
    """How many rows each job has of each kind in each state, and how many of its answers repeat
    their authors' own: all in one statement, which sees one moment."""

    def counted(
        what: str,
        job: InstrumentedAttribute[UUID],
        state: InstrumentedAttribute[Any],
        repeating: ColumnElement[int],
    ) -> Select[str, UUID, str, int, int]:
        numbers = (func.count().label("number"), repeating.label("repeating"))
        head = (literal(what).label("what"), job.label("job_id"), cast(state, Text).label("state"))
        return select(*head, *numbers).where(job.in_(job_ids)).group_by(job, state)

    none = literal(0)
    return union_all(
        counted("tasks", Task.job_id, Task.state, none),
        counted("seats", Seat.job_id, Seat.state, none),
        counted(
            "answers",
            Submission.job_id,
            Submission.state,
            func.count(Submission.repeats_submission_id),
        ),
        counted("endings", Outcome.job_id, Outcome.kind, none),
    )


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
