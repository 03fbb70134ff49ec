"""What third people settled and might become gold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item
from marketplace.review.models import Adjudication
from marketplace.review.queries.adjudication import adjudicated
from marketplace.review.rules import AdjudicationState
from marketplace.work.models import Task

LIMIT_MAX = 200


def settled_without_gold(
    session: Session, viewer: Actor, job_id: JobId, *, limit: int = 50
) -> Sequence[Row[UUID, str, datetime | None]]:
    """A job's items that were adjudicated and have no gold, newest word first: (id, external_id,
    ended_at)."""
    job = jobs.job_of(session, viewer, job_id)
    return session.execute(
        select(Item.id, Item.external_id, Adjudication.ended_at)
        .join(Task, Task.item_id == Item.id)
        .join(Adjudication, Adjudication.task_id == Task.id)
        .where(Adjudication.job_id == job.id, Item.gold.is_(None))
        .where(Adjudication.state == AdjudicationState.SETTLED)
        .order_by(Adjudication.id.desc())
        .limit(min(limit, LIMIT_MAX))
    ).all()


def settled_judgement(
    session: Session, viewer: Actor, item_id: UUID
) -> tuple[JobId, dict[str, Any]]:
    """What a third person said of an item of the viewer's own, with its job; Missing else."""
    item = session.get(Item, item_id)
    if item is None:
        raise Missing("There is no such item.")
    job = jobs.job_of(session, viewer, item.job_id)
    tasks = session.scalars(select(Task.id).where(Task.item_id == item.id)).all()
    word = next(iter(adjudicated(session, tasks).values()), None)
    if word is None or not isinstance(word.judgement, dict):
        raise Missing("Nobody has settled this item yet; ask for adjudication first.")
    return JobId(job.id), word.judgement
