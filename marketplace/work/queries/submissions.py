"""Submissions, for the lab that owns the job and for their authors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import JobId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.work.models import Submission, Task
from marketplace.work.queries.claims import LIMIT_MAX
from marketplace.work.rules import SubmissionState


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


def version_of(session: Session, submission: Submission) -> TemplateVersion:
    """The template with instructions that an answer's author had; the caller may see the answer."""
    return session.get_one(TemplateVersion, submission.template_version_id)


def versions_of(session: Session, submissions: Sequence[Submission]) -> dict[UUID, TemplateVersion]:
    """The same of many answers, by the versions' ids, in one query."""
    ids = {given.template_version_id for given in submissions}
    found = session.scalars(select(TemplateVersion).where(TemplateVersion.id.in_(ids)))
    return {version.id: version for version in found}


def former_rounds(session: Session, viewer: Actor, submission: Submission) -> Sequence[Submission]:
    """What the same author handed in before for the same seat, oldest first."""
    jobs.job_of(session, viewer, submission.job_id)
    return session.scalars(
        select(Submission)
        .where(Submission.task_id == submission.task_id)
        .where(Submission.seat_id == submission.seat_id, Submission.round < submission.round)
        .where(Submission.specialist_id == submission.specialist_id)
        .where(Submission.repeats_submission_id.is_(None))
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
