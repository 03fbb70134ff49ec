"""What is believed of labels: of one task, of a whole job, and where people differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty
from marketplace.ids import JobId, SubmissionId, TaskId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.quality.models import TaskPosterior
from marketplace.quality.queries.agreement import COUNTED
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.believing import Estimate
from marketplace.secrets import pseudonym
from marketplace.tasktypes import task_type
from marketplace.work.models import Seat, Submission, Task

LIMIT_MAX = 200
CONTESTED_MAX = 50
# A label is in the contest where so much speaks for it.
IN_CONTEST = 0.1


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of one unit: its likeliest label, how sure that is, and of how many labels.

    probabilities: of every label; decided: gold says it; estimate: of a unit that is a number,
    with bounds that hold 90 %, beside the legal label that is nearest to it.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    n: int
    humans: int
    models: int
    decided: bool
    estimate: Estimate | None = None


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
        estimate=estimate_of(row),
    )


def estimate_of(row: TaskPosterior) -> Estimate | None:
    """The number of a row that has one."""
    if row.estimate is None or row.estimate_lower is None or row.estimate_upper is None:
        return None
    return Estimate(row.estimate, row.estimate_lower, row.estimate_upper)


@dataclass(frozen=True, slots=True)
class BelievedLabel:
    """A label of a job as it is believed now; cursor: the `after` of what follows it."""

    task_id: TaskId
    external_id: str
    unit: str
    label: str
    confidence: float
    n: int
    humans: int
    models: int
    decided: bool
    estimate: Estimate | None

    @property
    def cursor(self) -> str:
        return f"{self.task_id}:{self.unit}"


def labels_of_job(
    session: Session, viewer: Actor, job_id: JobId, *, after: str | None = None, limit: int = 50
) -> list[BelievedLabel]:
    """The labels of the viewer's job, by task and unit; after: the last cursor seen.

    Raises Faulty for a cursor that is none.
    """
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(TaskPosterior, Item.external_id)
        .join(Task, Task.id == TaskPosterior.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(TaskPosterior.job_id == job.id)
    )
    if after is not None:
        asked = asked.where(tuple_(TaskPosterior.task_id, TaskPosterior.unit) > _cursor(after))
    rows = session.execute(
        asked.order_by(TaskPosterior.task_id, TaskPosterior.unit).limit(
            max(1, min(limit, LIMIT_MAX + 1))
        )
    )
    return [
        BelievedLabel(
            task_id=TaskId(row.task_id),
            external_id=external_id,
            unit=row.unit,
            label=row.label,
            confidence=row.confidence,
            n=row.n,
            humans=row.humans,
            models=row.models,
            decided=row.decided,
            estimate=estimate_of(row),
        )
        for row, external_id in rows
    ]


def _cursor(after: str) -> tuple[UUID, str]:
    task_id, _, unit = after.partition(":")
    try:
        return UUID(task_id), unit
    except ValueError:
        fault = Fault("/after", "Give the `next` of the former answer.")
        raise Faulty("This is no place in the list.", [fault]) from None


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a job's items. labels: two that both are in the contest; field, value: of the
    items' metadata."""

    unit: str | None = None
    labels: tuple[str, str] | None = None
    field: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """What one person says of a contested unit, under this lab's pseudonym for them."""

    submission_id: SubmissionId
    author: str
    label: str
    rationale: str | None


@dataclass(frozen=True, slots=True)
class ContestedItem:
    """A unit of an item on which people differ; cursor: the `after` of what follows it."""

    task_id: TaskId
    item_id: UUID
    external_id: str
    unit: str
    believed: Posterior
    voices: list[Voice]

    @property
    def cursor(self) -> str:
        return f"{self.believed.confidence!r}:{self.task_id}:{self.unit}"


def contested_items(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    *,
    slice: Slice = Slice(),  # noqa: A002  The field's own word.
    after: str | None = None,
    limit: int = 20,
) -> list[ContestedItem]:
    """The items of the viewer's job that are least sure first, each with who says what.

    Only units that two people or more judged, and that gold does not settle. Raises Faulty for a
    cursor that is none.
    """
    job = jobs.job_of(session, viewer, job_id)
    asked = (
        select(TaskPosterior, Item.id, Item.external_id)
        .join(Task, Task.id == TaskPosterior.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(TaskPosterior.job_id == job.id, TaskPosterior.humans >= 2)
        .where(TaskPosterior.decided.is_(False), *_within(slice))
    )
    if after is not None:
        sure, _, rest = after.partition(":")
        asked = asked.where(_behind(sure, rest))
    order = (TaskPosterior.confidence, TaskPosterior.task_id, TaskPosterior.unit)
    rows = session.execute(
        asked.order_by(*order).limit(max(1, min(limit, CONTESTED_MAX + 1)))
    ).all()
    voices = _voices(session, job, [row.task_id for row, _, _ in rows])
    return [
        ContestedItem(
            task_id=TaskId(row.task_id),
            item_id=item_id,
            external_id=external_id,
            unit=row.unit,
            believed=posterior(row),
            voices=voices.get((row.task_id, row.unit), []),
        )
        for row, item_id, external_id in rows
    ]


def _behind(sure: str, rest: str) -> ColumnElement[bool]:
    task_id, unit = _cursor(rest)
    try:
        confidence = float(sure)
    except ValueError:
        raise Faulty("This is no place in the list.", [Fault("/after", "Begin anew.")]) from None
    later = tuple_(TaskPosterior.task_id, TaskPosterior.unit) > (task_id, unit)
    return or_(
        TaskPosterior.confidence > confidence,
        and_(TaskPosterior.confidence == confidence, later),
    )


def _within(slice_: Slice) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if slice_.unit is not None:
        asked.append(TaskPosterior.unit == slice_.unit)
    for label in slice_.labels or ():
        place = func.array_position(TaskPosterior.labels, label)
        asked.append(TaskPosterior.probabilities[place] >= IN_CONTEST)
    if slice_.field is not None:
        said = Item.payload["metadata"][slice_.field].as_string()
        asked.append(said == (slice_.value or ""))
    return asked


def _voices(
    session: Session, job: Job, task_ids: Sequence[UUID]
) -> dict[tuple[UUID, str], list[Voice]]:
    """Who says what of these tasks, by task and unit, in the order in which it came."""
    template = session.get_one(TemplateVersion, job.template_version_id).template
    scheme = Scheme(task_type(job.task_type), template)
    rows = session.scalars(
        select(Submission)
        .join(Seat, Seat.id == Submission.seat_id)
        .where(Submission.task_id.in_(task_ids), Submission.state.in_(COUNTED))
        .where(Seat.set_aside_at.is_(None))
        .order_by(Submission.id)
    ).all()
    by_task: dict[UUID, list[Submission]] = {}
    for row in rows:
        by_task.setdefault(row.task_id, []).append(row)
    found: dict[tuple[UUID, str], list[Voice]] = {}
    for task_id, given in by_task.items():
        for row, ballot in zip(
            given, scheme.ballots([each.judgement for each in given]), strict=True
        ):
            for unit, label in ballot.items():
                name = pseudonym(str(job.organisation_id), str(row.specialist_id))
                (shown,) = scheme.shown(unit, [label])
                voice = Voice(SubmissionId(row.id), name, shown, row.rationale)
                found.setdefault((task_id, unit), []).append(voice)
    return found
