"""Reads of hybrid pipelines: the policy with its report, the routes, what was said of items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, Prelabel
from marketplace.jobs.rules import JobState
from marketplace.quality.models import Pipeline, PipelineItem, PipelineLabel, PipelineRound
from marketplace.quality.rules.pipeline import REASONS, ROUTES, Floats, Ints, Plan, Route
from marketplace.quality.rules.pipeline_votes import Voice
from marketplace.quality.rules.pipeline_words import PipelineState
from marketplace.tasktypes import Json
from marketplace.work.models import Seat, Submission, Task
from marketplace.work.rules import SubmissionState, TaskState

LIMIT_MAX = 200
FIRST = UUID(int=0)  # Lies before every job.
COUNTED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)


def pipeline_of(session: Session, viewer: Actor, job_id: UUID) -> Pipeline | None:
    """The pipeline of the viewer's own job; None where specialists judge every item."""
    job = jobs.job_of(session, viewer, job_id)
    return session.get(Pipeline, job.id)


def rounds_of(session: Session, viewer: Actor, job_id: UUID) -> Sequence[PipelineRound]:
    """What each round found and sent, the first one first."""
    job = jobs.job_of(session, viewer, job_id)
    rounds = select(PipelineRound).where(PipelineRound.job_id == job.id)
    return session.scalars(rounds.order_by(PipelineRound.number).limit(LIMIT_MAX)).all()


def routes_of(
    session: Session,
    viewer: Actor,
    job_id: UUID,
    *,
    route: Route | None = None,
    after: int = 0,
    limit: int = 50,
) -> Sequence[Row[PipelineItem, str]]:
    """The routes of items with their external ids, in order; `after`: the last position seen."""
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(PipelineItem, Item.external_id)
        .join(Item, Item.id == PipelineItem.item_id)
        .where(PipelineItem.job_id == job.id, PipelineItem.position > after)
        .order_by(PipelineItem.position)
        .limit(max(1, min(limit, LIMIT_MAX)))
    )
    if route is not None:
        asked = asked.where(PipelineItem.route == route)
    return session.execute(asked).all()


def labels_of_items(
    session: Session, item_ids: Sequence[UUID]
) -> Mapping[UUID, dict[str, PipelineLabel]]:
    """What is known of each unit of some items; for callers who found the items for a viewer."""
    found: dict[UUID, dict[str, PipelineLabel]] = defaultdict(dict)
    asked = select(PipelineLabel).where(PipelineLabel.item_id.in_(item_ids))
    for label in session.scalars(asked.order_by(PipelineLabel.item_id, PipelineLabel.unit)):
        found[label.item_id][label.unit] = label
    return found


@dataclass(frozen=True, slots=True)
class Heard:
    """One item with what was said of it. slice: the lab's own word, empty where it has none."""

    item_id: UUID
    position: int
    slice: str
    voices: list[Voice]
    gold: Json | None


def heard(
    session: Session, job: Job, slice_field: str | None, *, after: int, limit: int
) -> list[Heard]:
    """What models and specialists said of the next items after a position; for background work."""
    items = session.execute(
        select(Item.id, Item.position, _slice(slice_field), Item.gold)
        .where(Item.job_id == job.id, Item.position > after)
        .order_by(Item.position)
        .limit(limit)
    ).all()
    if not items:
        return []
    first, last = items[0].position, items[-1].position
    said = _prelabels(session, job, first, last)
    for item_id, specialist_id, judgement in _judgements(session, job, first, last):
        said[item_id].append(Voice(str(specialist_id), True, judgement))
    return [
        Heard(each[0], each[1], each[2] or "", said[each[0]], each[3] and each[3]["judgement"])
        for each in items
    ]


def _slice(slice_field: str | None) -> Any:
    if slice_field is None:
        return func.left("", 1)
    return func.left(
        Item.payload.op("#>>")(func.string_to_array(f"metadata,{slice_field}", ",")), 80
    )


def _prelabels(session: Session, job: Job, first: int, last: int) -> dict[UUID, list[Voice]]:
    rows = session.execute(
        select(
            Prelabel.item_id, Prelabel.model, Prelabel.version, Prelabel.payload,
            Prelabel.confidence,
        )
        .join(Item, Item.id == Prelabel.item_id)
        .where(Item.job_id == job.id, Item.position.between(first, last))
        .order_by(Prelabel.item_id, Prelabel.number)
    )  # fmt: skip
    said: dict[UUID, list[Voice]] = defaultdict(list)
    for item_id, model, version, payload, confidence in rows:
        said[item_id].append(Voice(f"{model}@{version}", False, payload, confidence))
    return said


def _judgements(
    session: Session, job: Job, first: int, last: int
) -> Sequence[Row[UUID, UUID, Json]]:
    return session.execute(
        select(Task.item_id, Submission.specialist_id, Submission.judgement)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .join(Seat, Seat.id == Submission.seat_id)
        .where(Submission.job_id == job.id, Submission.state.in_(COUNTED))
        .where(Seat.set_aside_at.is_(None), Item.position.between(first, last))
        .order_by(Submission.id)
    ).all()


@dataclass(frozen=True, eq=False)
class Routed:
    """The routes of a job's items in the order of their positions, which are dense from 1."""

    plan: Plan
    slices: Ints
    confidence: Floats


def routed(session: Session, job_id: UUID) -> Routed:
    """All routes of a job as columns; for background work."""
    rows = session.execute(
        select(
            PipelineItem.route, PipelineItem.reason, PipelineItem.inclusion, PipelineItem.stratum,
            PipelineItem.round, PipelineItem.slice, PipelineItem.confidence,
        )
        .where(PipelineItem.job_id == job_id)
        .order_by(PipelineItem.position)
    ).all()  # fmt: skip
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * 7
    routes = {route: at for at, route in enumerate(ROUTES)}
    reasons = {reason: at for at, reason in enumerate(REASONS)}
    return Routed(
        Plan(
            np.array([routes[each] for each in columns[0]], dtype=np.int8),
            np.array([reasons[each] for each in columns[1]], dtype=np.int8),
            np.array(columns[2], dtype=np.float64),
            np.array(columns[3], dtype=np.int32),
            np.array(columns[4], dtype=np.int32),
        ),
        np.array(columns[5], dtype=np.int32),
        np.array(columns[6], dtype=np.float64),
    )


def judged_count(session: Session, job_id: UUID) -> int:
    """How many answers of specialists count in a job."""
    counted = select(func.count()).select_from(Submission)
    return (
        session.scalar(counted.where(Submission.job_id == job_id, Submission.state.in_(COUNTED)))
        or 0
    )


def waits(session: Session, job_id: UUID) -> bool:
    """Whether specialists have tasks of a job still to judge."""
    open_ones = select(Task.id).where(Task.job_id == job_id, Task.state == TaskState.OPEN)
    return session.scalar(select(open_ones.exists())) or False


def running_pipelines(
    session: Session, *, after: UUID = FIRST, limit: int = 200
) -> Sequence[Pipeline]:
    """Pipelines whose items are with specialists, or may be again, by job; `after`: the last job
    seen. For background work."""
    running = (
        select(Pipeline)
        .join(Job, Job.id == Pipeline.job_id)
        .where(
            (Pipeline.state == PipelineState.JUDGING)
            | (Pipeline.state == PipelineState.DONE) & (Job.state == JobState.OPEN)
        )
        .where(Pipeline.job_id > after)
    )
    return session.scalars(running.order_by(Pipeline.job_id).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class ModelHeard:
    """A model that spoke of a job's items. stated: the mean of what it states to be sure."""

    author: str
    items: int
    stated: float | None


def models_of(session: Session, viewer: Actor, job_id: UUID) -> list[ModelHeard]:
    """The models that spoke of a job's items, those of most items first."""
    job = jobs.job_of(session, viewer, job_id)
    author = Prelabel.model + "@" + Prelabel.version
    rows = session.execute(
        select(author, func.count(), func.avg(Prelabel.confidence))
        .join(Item, Item.id == Prelabel.item_id)
        .where(Item.job_id == job.id)
        .group_by(author)
        .order_by(func.count().desc(), author)
        .limit(LIMIT_MAX)
    )
    return [ModelHeard(*row) for row in rows]
