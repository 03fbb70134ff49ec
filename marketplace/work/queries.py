"""Reads of work, each scoped to its viewer and limited."""

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
from marketplace.errors import Missing
from marketplace.ids import ClaimId, JobId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.work.models import Claim, Draft, Outcome, Seat, Submission, Task, TimeInterval
from marketplace.work.rules import (
    SURPLUS_STATES,
    ClaimState,
    Interval,
    SeatState,
    SubmissionState,
    TaskState,
    etag,
    working_seconds,
)

LIMIT_MAX = 200
BROUGHT = "brought"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with all that its holder needs to work on it.

    payload: the item's, without `metadata`, the lab's own corner.
    """

    claim: Claim
    job: Job
    item_id: UUID
    payload: Any
    template: Any
    instructions_md: str
    template_number: int
    draft: Draft | None
    working_seconds: int

    @property
    def etag(self) -> str:
        """The tag of the last draft; `"0"` where none was saved."""
        return etag(self.draft.revision if self.draft else 0)


def claim_of(session: Session, viewer: Actor, claim_id: ClaimId) -> ClaimView:
    """The viewer's own claim with its material; Missing for anybody else's."""
    claim = session.scalar(
        select(Claim).where(Claim.id == claim_id, Claim.specialist_id == viewer.person())
    )
    if claim is None:
        raise Missing("This claim is not there, or it is not yours.")
    return view_of(session, claim)


def view_of(session: Session, claim: Claim) -> ClaimView:
    """A claim's view; for a verb that has just made the claim."""
    job = session.get_one(Job, claim.job_id)
    version = session.get_one(TemplateVersion, claim.template_version_id)
    draft: Draft | None = None
    spent: Sequence[TimeInterval] = ()
    brought = session.info.pop((BROUGHT, claim.id), None)
    if brought is not None:  # A claim as fresh as that has neither drafts nor time.
        item_id, payload = brought
    else:
        item_id, payload = session.execute(
            select(Item.id, Item.payload)
            .join(Task, Task.item_id == Item.id)
            .where(Task.id == claim.task_id)
        ).one()
        draft = session.scalar(
            select(Draft).where(Draft.claim_id == claim.id).order_by(Draft.revision.desc()).limit(1)
        )
        booked = select(TimeInterval).where(TimeInterval.claim_id == claim.id)
        spent = session.scalars(booked).all()
    return ClaimView(
        claim=claim,
        job=job,
        item_id=item_id,
        payload={name: part for name, part in payload.items() if name != "metadata"},
        template=version.template,
        instructions_md=version.instructions_md,
        template_number=version.number,
        draft=draft,
        working_seconds=working_seconds(
            Interval(each.kind, each.started_at, each.ended_at) for each in spent
        ),
    )


def bring(session: Session, claim: Claim, item_id: UUID, payload: Any) -> None:
    """Leave for `view_of` what the statement that made a claim has read already."""
    session.info[BROUGHT, claim.id] = item_id, payload


def material(session: Session, task_id: UUID, template_version_id: UUID) -> tuple[Any, Any]:
    """(payload, template) that an answer to a task is checked against."""
    return session.execute(
        select(Item.payload, TemplateVersion.template)
        .join(Task, Task.item_id == Item.id)
        .join(TemplateVersion, TemplateVersion.id == template_version_id)
        .where(Task.id == task_id)
    ).one()


def drafts_of(session: Session, viewer: Actor, claim_id: ClaimId) -> Sequence[Draft]:
    """All saved revisions of the viewer's claim, newest first, at most 200."""
    own = select(Claim.id).where(Claim.id == claim_id, Claim.specialist_id == viewer.person())
    return session.scalars(
        select(Draft)
        .where(Draft.claim_id.in_(own))
        .order_by(Draft.revision.desc())
        .limit(LIMIT_MAX)
    ).all()


def claims_in_hand(
    session: Session, viewer: Actor, *, limit: int = 20
) -> Sequence[Row[Claim, str]]:
    """The viewer's live claims, and lapsed ones that hold a draft, with the job's title."""
    drafted = select(Draft.claim_id).where(Draft.claim_id == Claim.id).exists()
    return session.execute(
        select(Claim, Job.title)
        .join(Job, Job.id == Claim.job_id)
        .where(Claim.specialist_id == viewer.person())
        .where((Claim.state == ClaimState.LIVE) | ((Claim.state == ClaimState.EXPIRED) & drafted))
        .order_by(Claim.id.desc())
        .limit(min(limit, LIMIT_MAX))
    ).all()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, in tasks, seats and submissions.

    final: tasks that are decided, dropped ones with them; submitted to rework: answers that fill
    a seat; surplus: all that are kept beside; cannot_complete, guideline_gaps: reports.
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


def progress_of(session: Session, viewer: Actor, job_id: JobId) -> Progress:
    """The job's counts; Missing for a job that the viewer's organisation does not own."""
    job = jobs.job_of(session, viewer, job_id)
    return _progress(session, [job.id])[job.id]


def progress_of_many(session: Session, viewer: Actor, asked: Sequence[Job]) -> dict[UUID, Progress]:
    """The counts of several jobs by their ids, in four queries; jobs that are not the viewer's
    are left out."""
    own = [job.id for job in asked if jobs.may_see(viewer, job)]
    return _progress(session, own[:LIMIT_MAX])


def _progress(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    tasks = _counts(session, Task.job_id, Task.state, job_ids)
    seats = _counts(session, Seat.job_id, Seat.state, job_ids)
    answers = _counts(session, Submission.job_id, Submission.state, job_ids)
    endings = _counts(session, Outcome.job_id, Outcome.kind, job_ids)
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
            surplus=sum(answers[each][state] for state in SURPLUS_STATES),
            cannot_complete=endings[each]["cannot_complete"],
            guideline_gaps=endings[each]["guideline_gap"],
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


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission with its item, for the lab that owns the job."""

    submission: Submission
    external_id: str
    payload: Any


def submissions_of(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    *,
    after: SubmissionId | None = None,
    limit: int = 50,
    states: Sequence[SubmissionState] | None = None,
) -> Sequence[SubmissionView]:
    """A job's submissions in the order of their ids, from `after` on."""
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(Submission, Item.external_id, Item.payload)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(Submission.job_id == job.id)
        .order_by(Submission.id)
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(Submission.id > after)
    if states is not None:
        asked = asked.where(Submission.state.in_(states))
    return [SubmissionView(*row) for row in session.execute(asked)]


def submission_of(session: Session, viewer: Actor, submission_id: SubmissionId) -> SubmissionView:
    """One submission of the viewer's organisation's jobs; Missing for any other."""
    row = session.execute(
        select(Submission, Item.external_id, Item.payload)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .join(Job, Job.id == Submission.job_id)
        .where(Submission.id == submission_id, Job.organisation_id == viewer.organisation())
    ).first()
    if row is None:
        raise Missing("This submission is not there, or it belongs to another organisation.")
    return SubmissionView(*row)


def former_rounds(session: Session, viewer: Actor, submission: Submission) -> Sequence[Submission]:
    """What the same author handed in before for the same seat, oldest first."""
    jobs.job_of(session, viewer, submission.job_id)
    return session.scalars(
        select(Submission)
        .where(Submission.task_id == submission.task_id)
        .where(Submission.seat_id == submission.seat_id, Submission.round < submission.round)
        .where(Submission.specialist_id == submission.specialist_id)
        .order_by(Submission.round)
        .limit(LIMIT_MAX)
    ).all()


def own_submissions(
    session: Session, viewer: Actor, *, after: SubmissionId | None = None, limit: int = 50
) -> Sequence[Row[Submission, str]]:
    """The viewer's submissions with their jobs' titles, newest first."""
    asked = (
        select(Submission, Job.title)
        .join(Job, Job.id == Submission.job_id)
        .where(Submission.specialist_id == viewer.person())
        .order_by(Submission.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(Submission.id < after)
    return session.execute(asked).all()
