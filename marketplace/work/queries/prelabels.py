"""What models said of items, for claims, answers, reviews and exports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.jobs.models import Prelabel
from marketplace.work.models import Task

Said = dict[str, Any]


def prelabels_of(
    session: Session, item_ids: Collection[UUID], *, until: datetime | None = None
) -> Mapping[UUID, list[Said]]:
    """Pre-labels by item, in the order they were sent: model, version, confidence, payload.

    For callers who have found the items for their viewer; whether a specialist may see any of it
    is for the task type to say (`TaskType.with_prelabels`). until: what was added later is left
    out, so that an export of a moment stays the same.
    """
    found: dict[UUID, list[Said]] = {item_id: [] for item_id in item_ids}
    if not found:
        return found
    asked = select(Prelabel).where(Prelabel.item_id.in_(found))
    if until is not None:
        asked = asked.where(Prelabel.made_at.is_(None) | (Prelabel.made_at <= until))
    for each in session.scalars(asked.order_by(Prelabel.item_id, Prelabel.number)):
        found[each.item_id].append(
            {
                "model": each.model,
                "version": each.version,
                "confidence": each.confidence,
                "payload": each.payload,
            }
        )
    return found


def prelabels_of_task(session: Session, task_id: UUID) -> list[Said]:
    """The pre-labels of a task's item."""
    item_id = session.scalar(select(Task.item_id).where(Task.id == task_id))
    return prelabels_of(session, [item_id])[item_id] if item_id else []
