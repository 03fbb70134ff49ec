"""Endings that were no answers, for the lab that owns the job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item
from marketplace.work.models import Outcome, Task
from marketplace.work.queries.claims import LIMIT_MAX
from marketplace.work.rules import OutcomeKind


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """A report with its task; external_id: the lab's name for the item."""

    outcome: Outcome
    task: Task
    external_id: str


def outcomes_of(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    kind: OutcomeKind,
    *,
    open_only: bool = False,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[OutcomeView]:
    """A job's reports of a kind, newest first, from before an id on; open_only: gaps that the lab
    has not closed yet."""
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(Outcome, Task, Item.external_id)
        .join(Task, Task.id == Outcome.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(Outcome.job_id == job.id, Outcome.kind == kind)
        .order_by(Outcome.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    if open_only:
        asked = asked.where(Outcome.answered_at.is_(None))
    if before is not None:
        asked = asked.where(Outcome.id < before)
    return [OutcomeView(*row) for row in session.execute(asked)]
