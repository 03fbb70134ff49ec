"""What an author sees of their own judgement once it is in, and what they added to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import SubmissionId
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.tasktypes import task_type
from marketplace.work.models import Addendum, Submission, Task
from marketplace.work.queries.prelabels import Said, prelabels_of


@dataclass(frozen=True, slots=True)
class Receipt:
    """One's own submission with its material.

    payload: without `metadata`; judges: what models said, as far as the type tells it afterwards;
    addenda: what the author added, oldest first.
    """

    submission: Submission
    job: Job
    template: Any
    payload: Any
    judges: list[Said]
    addenda: list[dict[str, Any]]


def receipt_of(session: Session, viewer: Actor, submission_id: SubmissionId) -> Receipt:
    """The receipt of the viewer's own submission; Missing for anybody else's."""
    row = session.execute(
        select(Submission, Job, TemplateVersion.template, Item.id, Item.payload)
        .join(Job, Job.id == Submission.job_id)
        .join(TemplateVersion, TemplateVersion.id == Submission.template_version_id)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(Submission.id == submission_id, Submission.specialist_id == viewer.person())
    ).first()
    if row is None:
        raise Missing("This submission is not there, or it is not yours.")
    submission, job, template, item_id, payload = row
    told = task_type(job.task_type).prelabels_told
    said = prelabels_of(session, [item_id])[item_id] if told else []
    return Receipt(
        submission=submission,
        job=job,
        template=template,
        payload={name: part for name, part in payload.items() if name != "metadata"},
        judges=told(template, said) if told else [],
        addenda=addenda_of(session, [submission.id])[submission.id],
    )


def addenda_of(
    session: Session, submission_ids: Collection[UUID], *, until: datetime | None = None
) -> Mapping[UUID, list[dict[str, Any]]]:
    """What authors added, by submission, oldest first: `{id, kind, made_at, …}`.

    For callers who have found the submissions for their viewer. until: what came later is left
    out, so that an export of a moment stays the same.
    """
    found: dict[UUID, list[dict[str, Any]]] = {each: [] for each in submission_ids}
    if not found:
        return found
    asked = select(Addendum).where(Addendum.submission_id.in_(found)).order_by(Addendum.id)
    if until is not None:
        asked = asked.where(Addendum.made_at <= until)
    for each in session.scalars(asked):
        told = {"id": str(each.id), "kind": each.kind.value, **each.content}
        told["made_at"] = each.made_at.isoformat()
        found[each.submission_id].append(told)
    return found
