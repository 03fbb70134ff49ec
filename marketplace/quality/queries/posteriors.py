"""What is believed of labels: of one task, of a whole job, and where people differ most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.quality.models import TaskPosterior


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of one unit: its likeliest label, how sure that is, and of how many labels.

    probabilities: of every label; decided: gold says it.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    n: int
    humans: int
    models: int
    decided: bool


def posterior_of(session: Session, task_id: UUID) -> Mapping[str, Posterior]:
    """What is believed of each unit of a task; for services, which know who may see it."""
    rows = session.scalars(
        select(TaskPosterior)
        .where(TaskPosterior.task_id == task_id)
        .order_by(TaskPosterior.unit)
        .execution_options(populate_existing=True)
    )
    return {row.unit: posterior(row) for row in rows}


def posterior(row: TaskPosterior) -> Posterior:
    """A row as callers read it."""
    return Posterior(
        label=row.label,
        confidence=row.confidence,
        probabilities=dict(zip(row.labels, row.probabilities, strict=True)),
        n=row.n,
        humans=row.humans,
        models=row.models,
        decided=row.decided,
    )
