"""What a judge and the people of a job said of the same items, as arrays for the statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.jobs.models import Item, Job, Prelabel, TemplateVersion
from marketplace.quality.models import JudgeAnswer
from marketplace.quality.rules.judges.answers import AnswerOutcome
from marketplace.quality.rules.judges.asking import Matter, matter, verdicts_of
from marketplace.quality.rules.judges.biases import TIE
from marketplace.quality.rules.judges.ratings import Floats, Level, Ratings
from marketplace.tasktypes import Json
from marketplace.work.models import Seat, Submission, Task
from marketplace.work.rules import SubmissionState

ITEMS_MAX = 20_000
SUBMISSIONS_MAX = 100_000
SLICE_NAME_MAX = 60
NO, YES = "no", "yes"
COUNTED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Judged:
    """One item with all that was said of it. people: verdicts by person; orders: the judge's
    answers as they were given, by 0 and 1, where it was asked here."""

    external_id: str
    put: Matter
    slice: str | None
    verdicts: Json
    confidence: float | None
    people: Mapping[UUID, Json]
    orders: Mapping[int, Json]


@dataclass(frozen=True, slots=True)
class Panel:
    """A job's items on which a judge gave verdicts. aspects: the job's dimensions."""

    aspects: Sequence[Json]
    judged: Sequence[Judged]

    @property
    def people(self) -> list[UUID]:
        """Who gave a verdict that counts here, in the order of their ids."""
        return sorted({person for each in self.judged for person in each.people})


def panel_of(
    session: Session,
    job: Job,
    *,
    model: str,
    version: str,
    judge_version_id: UUID | None = None,
    slice_key: str = "",
) -> Panel:
    """The items that a judge spoke of, in the order of the job, at most `ITEMS_MAX`.

    People's verdicts count where they were given blind: a rework of a judge calibration that told
    what the judge said is left out. For callers who found the job for its viewer.
    """
    template = session.get_one(TemplateVersion, job.template_version_id).template
    said = (
        select(Item, Prelabel.payload, Prelabel.confidence)
        .join(Prelabel, Prelabel.item_id == Item.id)
        .where(Item.job_id == job.id, Prelabel.model == model, Prelabel.version == version)
        .order_by(Item.position)
        .limit(ITEMS_MAX)
    )
    rows = session.execute(said).all()
    people = people_of(session, job, template)
    orders = _orders(session, judge_version_id, [bytes(r[0].payload_sha256) for r in rows])
    judged = []
    for item, payload, confidence in rows:
        put = matter(job.task_type, template, item.payload)
        judged.append(
            Judged(
                external_id=item.external_id,
                put=put,
                slice=slice_of(item.payload, slice_key),
                verdicts=verdicts_of(job.task_type, payload),
                confidence=confidence,
                people=people.get(item.id, {}),
                orders=orders.get(bytes(item.payload_sha256), {}),
            )
        )
    aspects = judged[0].put.aspects if judged else ()
    return Panel(aspects, judged)


def people_of(session: Session, job: Job, template: Json) -> Mapping[UUID, dict[UUID, Json]]:
    """Blind verdicts that count, by item and person; of two by one person the newer."""
    rows = (
        select(Task.item_id, Submission.specialist_id, Submission.judgement)
        .join(Task, Task.id == Submission.task_id)
        .join(Seat, Seat.id == Submission.seat_id)
        .where(Submission.job_id == job.id, Submission.state.in_(COUNTED))
        .where(Seat.set_aside_at.is_(None), Submission.repeats_submission_id.is_(None))
        .order_by(Submission.id)
        .limit(SUBMISSIONS_MAX)
    )
    if job.task_type == "judge_calibration" and template.get("reveal") != "never":
        rows = rows.where(Submission.round == 1)  # Later rounds had seen what the judge said.
    found: dict[UUID, dict[UUID, Json]] = {}
    for item_id, person_id, judgement in session.execute(rows):
        found.setdefault(item_id, {})[person_id] = verdicts_of(job.task_type, judgement)
    return found


def _orders(
    session: Session, version_id: UUID | None, contents: Sequence[bytes], epoch: int = 0
) -> Mapping[bytes, dict[int, Json]]:
    found: dict[bytes, dict[int, Json]] = {}
    if version_id is None:
        return found
    rows = select(JudgeAnswer).where(
        JudgeAnswer.judge_version_id == version_id,
        JudgeAnswer.content_sha256.in_(contents),
        JudgeAnswer.epoch == epoch,
        JudgeAnswer.outcome == AnswerOutcome.ANSWERED,
    )
    for each in session.scalars(rows):
        found.setdefault(bytes(each.content_sha256), {})[each.turned] = each.verdicts
    return found


def slice_of(payload: Json, key: str) -> str | None:
    """The item's slice: a word, a number or a yes-no under `key` in its metadata."""
    metadata = payload.get("metadata")
    value = metadata.get(key) if key and isinstance(metadata, dict) else None
    if isinstance(value, bool):
        return YES if value else NO
    return str(value)[:SLICE_NAME_MAX] if isinstance(value, str | int) and value != "" else None


def slice_keys(session: Session, job: Job) -> list[str]:
    """The members of the first items' metadata by which a report can be sliced."""
    first = select(Item.payload).where(Item.job_id == job.id).order_by(Item.position).limit(50)
    keys: dict[str, None] = {}
    for payload in session.scalars(first):
        metadata = payload.get("metadata")
        if isinstance(metadata, dict):
            keys |= {key: None for key in metadata if slice_of(payload, key) is not None}
    return sorted(keys)[:20]


def ratings_of(panel: Panel) -> dict[str, Ratings]:
    """Each dimension of a panel as arrays over its items."""
    return {each["key"]: _dimension(panel, each) for each in panel.aspects}


def _dimension(panel: Panel, aspect: Json) -> Ratings:
    key, judged = aspect["key"], panel.judged
    labels = labels_of(aspect, [each.put.payload for each in judged])

    def coded(said: Mapping[str, Any], at: int) -> float:
        return code(aspect, labels, judged[at].put.payload, said.get(key))

    verdicts = np.array([coded(each.verdicts, at) for at, each in enumerate(judged)])
    people = panel.people
    experts = np.array(
        [
            [coded(each.people.get(person, {}), at) for at, each in enumerate(judged)]
            for person in people
        ]
    ).reshape(len(people), len(judged))
    confidence = [np.nan if e.confidence is None else e.confidence for e in judged]
    turned: dict[str, Floats] = {}
    if aspect["kind"] == "preference" and any(len(each.orders) == 2 for each in judged):
        straight = np.array([coded(e.orders.get(0, {}), at) for at, e in enumerate(judged)])
        other = np.array([coded(e.orders.get(1, {}), at) for at, e in enumerate(judged)])
        turned = _orders_of(panel, aspect, labels, straight, other)
    return Ratings(
        level=Level.ORDINAL if aspect["kind"] == "score" else Level.NOMINAL,
        judge=verdicts,
        experts=experts,
        confidence=None if np.isnan(confidence).all() else np.array(confidence, np.float64),
        length=_lengths(panel, aspect),
        labels=labels,
        **turned,
    )


def _orders_of(
    panel: Panel, aspect: Json, labels: Sequence[str], straight: Floats, other: Floats
) -> dict[str, Floats]:
    """Both orders of a preference: the answers, and whether each chose what it was shown first."""
    tie = labels.index(TIE) if TIE in labels else -1
    slots = [[e["id"] for e in each.put.payload["responses"]] for each in panel.judged]
    first = np.array([code(aspect, labels, each.put.payload, ids[0])
                      for each, ids in zip(panel.judged, slots, strict=True)])  # fmt: skip
    last = np.array([code(aspect, labels, each.put.payload, ids[-1])
                     for each, ids in zip(panel.judged, slots, strict=True)])  # fmt: skip

    def chose(said: Floats, shown: Floats) -> Floats:
        return np.where(np.isnan(said) | (said == tie), np.nan, (said == shown).astype(np.float64))

    return {
        "straight_judge": straight,
        "reversed_judge": other,
        "first_shown": chose(straight, first),
        "first_shown_reversed": chose(other, last),
    }


def labels_of(aspect: Json, payloads: Sequence[Json]) -> tuple[str, ...]:
    """The names of a nominal dimension's codes, none for a scale.

    The responses of a preference go by their names where all items use the same, else by place.
    """
    if aspect["kind"] == "score":
        return ()
    if aspect["kind"] == "binary":
        return (NO, YES)
    if aspect["kind"] == "choice":
        return tuple(each["key"] for each in aspect["options"])
    names = [[e["id"] for e in payload.get("responses", [])] for payload in payloads]
    most = max(map(len, names), default=0)
    alike = all(each == names[0] for each in names)
    places = tuple(names[0]) if names and alike else tuple(f"response {n + 1}" for n in range(most))
    return (*places, TIE) if aspect.get("allow_tie", True) else places


def code(aspect: Json, labels: Sequence[str], payload: Json, verdict: Any) -> float:
    """A verdict as a number: a score itself, else its place among the labels; NaN for none."""
    if verdict is None:
        return float("nan")
    if aspect["kind"] == "score":
        return float(verdict)
    if aspect["kind"] == "binary":
        return float(bool(verdict))
    if aspect["kind"] == "preference" and verdict != TIE:
        ids = [each["id"] for each in payload.get("responses", [])]
        return float(ids.index(verdict)) if verdict in ids else float("nan")
    return float(labels.index(verdict)) if verdict in labels else float("nan")


def _lengths(panel: Panel, aspect: Json) -> Floats | None:
    """Characters of what was judged; of a preference between two, by how much the second of its
    codes is longer, since the codes of verdicts rise from the first response to the second."""
    if aspect["kind"] == "choice":
        return None
    found = [_length(each.put, aspect) for each in panel.judged]
    return None if all(each is None for each in found) else np.array(
        [np.nan if each is None else each for each in found], np.float64
    )  # fmt: skip


def _length(put: Matter, aspect: Json) -> float | None:
    texts = [each["text"] for each in put.payload.get("responses", [])]
    if aspect["kind"] == "preference":
        if len(texts) != 2:
            return None
        return float(len(texts[1]) - len(texts[0]))
    if not texts:
        messages = put.payload.get("messages", [])
        return float(len(str(messages[-1]["content"]))) if messages else None
    return float(sum(map(len, texts)))
