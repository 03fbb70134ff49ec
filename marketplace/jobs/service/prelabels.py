"""What models say of items that are stored already: LLM judges, and models asked later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Fault, Faulty
from marketplace.jobs.models import Item, Job, Prelabel, TemplateVersion
from marketplace.jobs.rules.rows import NAME_MAX, PRELABELS_MAX
from marketplace.jobs.service.items import checks_of
from marketplace.tasktypes import Json


@dataclass(frozen=True, slots=True)
class Said:
    """A model's judgement of one item, in the shape of the job's task type. confidence: 0..1."""

    item_id: UUID
    model: str
    version: str
    payload: Json
    confidence: float | None = None


def add_prelabels(session: Session, job_id: UUID, rows: Iterable[Said]) -> int:
    """Add what models said to items of a job, and return how many rows are new.

    What a model and version said of an item before stays as it is, so that doing this twice adds
    nothing. Raises Faulty for a judgement that the job's type and template do not allow. For
    callers who have found the job for whoever asks.
    """
    said = list(rows)
    # Two at the same time would take the same numbers; claims and answers do not wait for this.
    job = session.get_one(Job, job_id, with_for_update={"key_share": True})
    items = _items(session, job, {each.item_id for each in said})
    _refuse_faulty(session, job, said, items)
    numbers = _numbers(session, items)
    added = 0
    for each in said:
        number = numbers.get(each.item_id, 0) + 1
        if number > PRELABELS_MAX:
            continue
        row = insert(Prelabel).values(
            item_id=each.item_id,
            number=number,
            model=each.model,
            version=each.version,
            payload=each.payload,
            confidence=each.confidence,
            made_at=clock.now(),
        )
        new = row.on_conflict_do_nothing(index_elements=["item_id", "model", "version"])
        if session.execute(new.returning(Prelabel.number)).first() is not None:
            numbers[each.item_id] = number
            added += 1
    return added


def _items(session: Session, job: Job, item_ids: set[UUID]) -> dict[UUID, Json]:
    found = select(Item.id, Item.payload).where(Item.job_id == job.id, Item.id.in_(item_ids))
    return {row.id: row.payload for row in session.execute(found)}


def _refuse_faulty(session: Session, job: Job, said: list[Said], items: dict[UUID, Json]) -> None:
    template = session.get_one(TemplateVersion, job.template_version_id).template
    checks = checks_of(job.task_type, template)
    faults = []
    for at, each in enumerate(said):
        if each.item_id not in items:
            faults.append(Fault(f"/{at}/item_id", "This item is none of the job's."))
            continue
        if not 1 <= len(each.model) <= NAME_MAX or len(each.version) > NAME_MAX:
            faults.append(Fault(f"/{at}/model", f"Use a name of at most {NAME_MAX} characters."))
        wrong = checks.judgement(items[each.item_id], each.payload)
        faults += [Fault(f"/{at}/payload{fault.pointer}", fault.message) for fault in wrong]
    if faults:
        raise Faulty("What a model said does not fit the job.", faults)


def _numbers(session: Session, items: Iterable[UUID]) -> dict[UUID, int]:
    last = (
        select(Prelabel.item_id, func.max(Prelabel.number).label("last"))
        .where(Prelabel.item_id.in_(list(items)))
        .group_by(Prelabel.item_id)
    )
    return {row.item_id: row.last for row in session.execute(last)}
