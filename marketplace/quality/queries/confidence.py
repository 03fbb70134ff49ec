"""How sure the labels of a job are, and of which parts its items may be looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item
from marketplace.quality.models import JobAgreement, QuestionFit, TaskPosterior

# So many labels tell the shape; a job with more is told by its first, and the answer says so.
LABELS_MAX = 50_000
BINS = 20
BOUGHT_MAX = 12
UNITS_MAX = 100
ITEMS_READ_MAX = 500
VALUES_MAX = 20
WORDS_MAX = 80


@dataclass(frozen=True, slots=True)
class Bin:
    """Labels whose confidence lies from `lower` to below `upper`."""

    lower: float
    upper: float
    labels: int


@dataclass(frozen=True, slots=True)
class Bought:
    """Labels that rest on so many judgements, with their mean confidence; the most stands for
    all beyond it."""

    judgements: int
    labels: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Shape:
    """How sure a job's labels are. is_part: told by its first labels only; sure: labels whose
    confidence reaches the job's target, None where it has none."""

    labels: int
    is_part: bool
    bins: list[Bin]
    bought: list[Bought]
    sure: int | None


def confidence_shape(session: Session, viewer: Actor, job_id: JobId) -> Shape:
    """The distribution of confidence over the labels of the viewer's job; gold is left out."""
    job = jobs.job_of(session, viewer, job_id)
    target = float(job.confidence_target) if job.confidence_target is not None else None
    first = (
        select(TaskPosterior.confidence, func.least(TaskPosterior.n, BOUGHT_MAX).label("n"))
        .where(TaskPosterior.job_id == job.id, TaskPosterior.decided.is_(False))
        .order_by(TaskPosterior.task_id, TaskPosterior.unit)
        .limit(LABELS_MAX)
        .subquery()
    )
    place = func.width_bucket(func.least(first.c.confidence, 0.999999), 0.0, 1.0, BINS)
    rows = session.execute(
        select(
            first.c.n,
            place,
            func.count(),
            func.sum(first.c.confidence),
            func.count().filter(first.c.confidence >= (target if target is not None else 2)),
        ).group_by(first.c.n, place)
    ).all()
    heights: dict[int, int] = defaultdict(int)
    told: dict[int, tuple[int, float]] = {}
    for n, at, number, total, _ in rows:
        heights[at] += number
        before = told.get(n, (0, 0.0))
        told[n] = before[0] + number, before[1] + total
    whole = sum(heights.values())
    return Shape(
        labels=whole,
        is_part=whole >= LABELS_MAX,
        bins=[Bin((at - 1) / BINS, at / BINS, heights[at]) for at in range(1, BINS + 1)],
        bought=[Bought(n, number, total / number) for n, (number, total) in sorted(told.items())],
        sure=None if target is None else sum(row[4] for row in rows),
    )


@dataclass(frozen=True, slots=True)
class Slices:
    """By what a job's contested items may be looked at. labels: of all its questions; fields: of
    its items' metadata, each with the values that its first items have."""

    units: list[str]
    labels: list[str]
    fields: Mapping[str, list[str]]


def slices_of(session: Session, viewer: Actor, job_id: JobId) -> Slices:
    """The parts into which the viewer's job falls."""
    job = jobs.job_of(session, viewer, job_id)
    units = session.scalars(
        select(JobAgreement.unit)
        .where(JobAgreement.job_id == job.id)
        .order_by(JobAgreement.items.desc(), JobAgreement.unit)
        .limit(UNITS_MAX)
    )
    labels = session.scalars(
        select(QuestionFit.labels)
        .where(QuestionFit.job_id == job.id)
        .order_by(QuestionFit.question)
        .limit(UNITS_MAX)
    )
    metadata = session.scalars(
        select(Item.payload["metadata"])
        .where(Item.job_id == job.id)
        .order_by(Item.position)
        .limit(ITEMS_READ_MAX)
    )
    return Slices(
        units=list(units),
        labels=list(dict.fromkeys(label for each in labels for label in each)),
        fields=_fields(list(metadata)),
    )


def _fields(found: Sequence[Any]) -> dict[str, list[str]]:
    """Fields that tell items apart: text or numbers, of a few values, more than one."""
    values: dict[str, set[str]] = defaultdict(set)
    for each in found:
        for name, value in (each if isinstance(each, dict) else {}).items():
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                values[name].add(str(value))
    return {
        name: sorted(said)
        for name, said in sorted(values.items())
        if 2 <= len(said) <= VALUES_MAX and all(len(one) <= WORDS_MAX for one in said)
    }


def payloads_of(
    session: Session, viewer: Actor, job_id: JobId, item_ids: Sequence[UUID]
) -> Mapping[UUID, Any]:
    """What items of the viewer's job say, by their ids."""
    job = jobs.job_of(session, viewer, job_id)
    rows = session.execute(
        select(Item.id, Item.payload).where(Item.job_id == job.id, Item.id.in_(item_ids))
    )
    return {row.id: row.payload for row in rows}
