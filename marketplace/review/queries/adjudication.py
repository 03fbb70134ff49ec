"""Contested tasks, and what third people made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import JobId, TaskId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job
from marketplace.review.models import Adjudication
from marketplace.review.queries.decisions import LIMIT_MAX
from marketplace.review.rules import JUDGEMENTS_SHOWN_MAX, AdjudicationState
from marketplace.work.models import Submission, Task
from marketplace.work.rules import SubmissionState

COUNTED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)


def adjudicated(session: Session, task_ids: Sequence[UUID]) -> Mapping[UUID, Adjudication]:
    """What third people said of tasks that the caller may see, by task: the latest word on each.

    Its `judgement`, in the item's own names, speaks before any majority.
    """
    found = session.scalars(
        select(Adjudication)
        .where(Adjudication.task_id.in_(task_ids))
        .where(Adjudication.state == AdjudicationState.SETTLED)
        .order_by(Adjudication.id)
    )
    return {case.task_id: case for case in found}


def adjudications_of(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    *,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Row[Adjudication, str]]:
    """A job's contested tasks with the lab's names of their items, oldest first."""
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(Adjudication, Item.external_id)
        .join(Task, Task.id == Adjudication.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(Adjudication.job_id == job.id)
        .order_by(Adjudication.id)
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(Adjudication.id > after)
    return session.execute(asked).all()


def adjudication_of(session: Session, viewer: Actor, adjudication_id: UUID) -> Adjudication:
    """One case of the viewer's organisation; Missing for any other."""
    found = session.scalar(
        select(Adjudication)
        .join(Job, Job.id == Adjudication.job_id)
        .where(Adjudication.id == adjudication_id, Job.organisation_id == viewer.organisation())
    )
    if found is None:
        raise Missing("This case is not there, or it belongs to another organisation.")
    return found


def item_of(session: Session, case: Adjudication) -> tuple[str, Any]:
    """(external id, payload) of the item of a case that the caller may see."""
    return session.execute(
        select(Item.external_id, Item.payload)
        .join(Task, Task.item_id == Item.id)
        .where(Task.id == case.task_id)
    ).one()


def counted_of(session: Session, task_id: TaskId) -> Sequence[Submission]:
    """The judgements that count for a task, oldest first, at most 50."""
    return session.scalars(
        select(Submission)
        .where(Submission.task_id == task_id, Submission.state.in_(COUNTED))
        .order_by(Submission.id)
        .limit(JUDGEMENTS_SHOWN_MAX)
    ).all()
