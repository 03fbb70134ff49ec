"""What waits for a reviewer: answers under review, and second looks that look the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, PersonId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job
from marketplace.review.models import Decision, HeldDecision, ReviewDraw, SecondLook
from marketplace.review.queries.decisions import LIMIT_MAX
from marketplace.review.rules import HeldState, Reason, SecondLookState
from marketplace.work.models import Claim, Submission, Task
from marketplace.work.queries import SubmissionView
from marketplace.work.rules import WAITING


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a queue is asked for. reason: why it was drawn; author_id: of whom; defect: the code
    of a defect that the round before had."""

    reason: Reason | None = None
    author_id: PersonId | None = None
    defect: str | None = None


EVERYTHING = Filters()


def review_queue(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    *,
    filters: Filters = EVERYTHING,
    after: SubmissionId | None = None,
    limit: int = 50,
) -> Sequence[SubmissionView]:
    """A job's submissions that wait for this viewer, oldest first.

    Left out are their own, those of people of their organisations, and held ones. Rejections that
    they may look at again are among them, without a sign of it.
    """
    viewer.require(Permission.WORK_REVIEW)
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(Submission, Item.external_id, Item.payload)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(Submission.job_id == job.id, *_for(viewer.person()), *_narrowed(filters))
        .order_by(Submission.id)
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(Submission.id > after)
    return [SubmissionView(*row) for row in session.execute(asked)]


def waiting_jobs(session: Session, viewer: Actor, *, limit: int = 50) -> Sequence[Row[Job]]:
    """The organisation's jobs that have submissions waiting for this viewer."""
    waits = select(Submission.id).where(Submission.job_id == Job.id, *_for(viewer.person()))
    return session.execute(
        select(Job)
        .where(Job.organisation_id == viewer.organisation(), waits.exists())
        .order_by(Job.id)
        .limit(min(limit, LIMIT_MAX))
    ).all()


def waiting_counts(session: Session, viewer: Actor, job_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many submissions of jobs that the caller may see wait for this viewer."""
    counted = (
        select(Submission.job_id, func.count())
        .where(Submission.job_id.in_(job_ids), *_for(viewer.person()))
        .group_by(Submission.job_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def waiting_authors(session: Session, viewer: Actor, job_id: JobId) -> Sequence[tuple[UUID, int]]:
    """Who has submissions waiting for this viewer in a job, and how many, most first."""
    jobs.job_of(session, viewer, job_id)
    number = func.count()
    counted = (
        select(Submission.specialist_id, number)
        .where(Submission.job_id == job_id, *_for(viewer.person()))
        .group_by(Submission.specialist_id)
        .order_by(number.desc(), Submission.specialist_id)
        .limit(LIMIT_MAX)
    )
    return [(author, count) for author, count in session.execute(counted)]


def blind_to(session: Session, viewer: Actor, submission_ids: Sequence[UUID]) -> set[SubmissionId]:
    """Those of some submissions whose verdict this viewer must not see yet, since theirs is to be
    the second and would follow the first."""
    return set(
        session.scalars(
            select(SecondLook.submission_id)
            .where(SecondLook.submission_id.in_(submission_ids))
            .where(SecondLook.state == SecondLookState.OPEN)
            .where(SecondLook.first_reviewer_id != viewer.person())
        )
    )


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """How far the review of a job is: answers drawn for a reviewer, and those that are decided."""

    drawn: int
    decided: int


def review_progress(session: Session, job_id: JobId) -> ReviewProgress:
    """How far the review of a job is that the caller may see."""
    counted = select(func.count(), func.count(ReviewDraw.ended_at)).where(
        ReviewDraw.job_id == job_id, ReviewDraw.sampled
    )
    return ReviewProgress(*session.execute(counted).one())


def _for(person_id: PersonId) -> list[ColumnElement[bool]]:
    """The conditions under which a submission waits for this person."""
    second = exists().where(
        SecondLook.submission_id == Submission.id,
        SecondLook.state == SecondLookState.OPEN,
        SecondLook.first_reviewer_id != person_id,
    )
    held = exists().where(
        HeldDecision.submission_id == Submission.id, HeldDecision.state == HeldState.HELD
    )
    return [
        or_(Submission.state.in_(WAITING), second),
        Submission.specialist_id != person_id,
        ~held,
        ~func.shares_organisation(literal(person_id), Submission.specialist_id),
    ]


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.author_id is not None:
        conditions.append(Submission.specialist_id == filters.author_id)
    if filters.reason is not None:
        conditions.append(
            exists().where(
                ReviewDraw.submission_id == Submission.id,
                ReviewDraw.reasons.contains([filters.reason.value]),
            )
        )
    if filters.defect:
        named: list[dict[str, Any]] = [{"code": filters.defect}]
        conditions.append(
            select(literal(1))
            .select_from(Claim)
            .join(Decision, Decision.submission_id == Claim.reworks_submission_id)
            .where(Claim.id == Submission.claim_id, Decision.defects.contains(named))
            .correlate(Submission)
            .exists()
        )
    return conditions
