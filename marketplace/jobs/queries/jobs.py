"""Reads of jobs, scoped by viewer: members see what their own organisation posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.endpoints.queries import endpoint_faults
from marketplace.errors import Fault, Missing
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Item, Job, Prelabel, TemplateVersion
from marketplace.jobs.queries.item_images import image_faults
from marketplace.jobs.queries.qualification import qualification_faults
from marketplace.jobs.queries.scans import scan_advice, scan_faults
from marketplace.jobs.rules import Draft, Estimate, JobState, estimate_of, lint_faults
from marketplace.jobs.rules.template_lint import template_advice, template_faults
from marketplace.tasktypes import task_type

LIMIT_MAX = 200
GOLD_LOOKED_AT_MAX = 200


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """An item as a page shows it."""

    item: Item
    prelabels: Sequence[Prelabel]


def may_see(viewer: Actor, job: Job) -> bool:
    """Whether a job is the viewer's to know about; specialists see jobs through routing."""
    if viewer.is_system:
        return True
    own = viewer.organisation_id is not None and viewer.organisation_id == job.organisation_id
    return own and viewer.may(Permission.JOBS_VIEW)


def job_of(session: Session, viewer: Actor, job_id: UUID) -> Job:
    """The job; Missing when it is not there or another organisation's."""
    job = session.get(Job, job_id)
    if job is None or not may_see(viewer, job):
        raise Missing("There is no such job.")
    return job


def jobs_of(
    session: Session,
    viewer: Actor,
    *,
    state: JobState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Job]:
    """Jobs of the viewer's organisation, newest first; `after`: the last id of the page before."""
    viewer.require(Permission.JOBS_VIEW)
    jobs = select(Job).where(Job.organisation_id == viewer.organisation())
    if state is not None:
        jobs = jobs.where(Job.state == state)
    if after is not None:
        jobs = jobs.where(Job.id < after)
    return session.scalars(jobs.order_by(Job.id.desc()).limit(_limited(limit))).all()


def jobs_wanting_seats(session: Session, *, limit: int = 100) -> Sequence[UUID]:
    """Open jobs with items that have no seats yet; for `routing`, which opens them."""
    jobs = select(Job.id).where(Job.state == JobState.OPEN, Job.item_count > Job.items_seated)
    return session.scalars(jobs.order_by(Job.id).limit(limit)).all()


def template_version(session: Session, viewer: Actor, job_id: UUID) -> TemplateVersion:
    """The current version of a job's template and instructions."""
    job = job_of(session, viewer, job_id)
    return session.get_one(TemplateVersion, job.template_version_id)


def current_versions(session: Session, jobs: Sequence[Job]) -> dict[UUID, TemplateVersion]:
    """The current versions of jobs that the caller may see, by their own ids, in one query."""
    ids = [job.template_version_id for job in jobs]
    found = session.scalars(select(TemplateVersion).where(TemplateVersion.id.in_(ids)))
    return {version.id: version for version in found}


def template_versions(session: Session, viewer: Actor, job_id: UUID) -> Sequence[TemplateVersion]:
    """All versions of a job's template, newest first, at most 200."""
    job = job_of(session, viewer, job_id)
    versions = select(TemplateVersion).where(TemplateVersion.job_id == job.id)
    return session.scalars(versions.order_by(TemplateVersion.number.desc()).limit(LIMIT_MAX)).all()


def lint(session: Session, job: Job) -> list[Fault]:
    """What keeps a draft from being published; pointers lead into the body of POST /jobs."""
    template = session.get_one(TemplateVersion, job.template_version_id).template
    kind = task_type(job.task_type)
    faults = lint_faults(
        Draft(
            title=job.title,
            domain=job.domain,
            instructions_md=job.instructions_md,
            item_count=job.item_count,
            profession=job.profession,
            pay=job.pay,
            hourly_rate=job.hourly_rate,
            deadline_at=job.deadline_at,
            expected_seconds=job.expected_seconds,
            lease_seconds=job.lease_seconds,
            template_faults=kind.check_template(template)
            or template_faults(job.task_type, template),
            gold_faults=_gold_faults(session, job, template),
        ),
        clock.now(),
    )
    faults += image_faults(session, job)
    faults += endpoint_faults(session, job.organisation_id, template)
    faults += scan_faults(session, job)
    return faults + qualification_faults(session, job, template)


def advice(session: Session, job: Job) -> list[Fault]:
    """What is worth a look before publishing, and keeps nothing back; pointers as in `lint`."""
    template = session.get_one(TemplateVersion, job.template_version_id).template
    advised = scan_advice(session, job)
    if task_type(job.task_type).check_template(template):
        return advised
    told = template_advice(job.task_type, template)
    return advised + [Fault(f"/template{fault.pointer}", fault.message) for fault in told]


def _gold_faults(session: Session, job: Job, template: dict[str, Any]) -> list[Fault]:
    """Faults of the first items' gold: a last look, since it was checked when it came."""
    kind = task_type(job.task_type)
    items = select(Item.external_id, Item.payload, Item.gold)
    items = items.where(Item.job_id == job.id, Item.position <= GOLD_LOOKED_AT_MAX)
    return [
        Fault(f"/items/gold{fault.pointer}", f"Item {row.external_id}: {fault.message}")
        for row in session.execute(items.order_by(Item.position))
        if row.gold is not None
        for fault in kind.check_gold(template, row.payload, row.gold)
    ]


def estimate(job: Job, *, fee_basis_points: int) -> Estimate:
    """The least and the most that all items of a job cost, with the fee (frozen once open)."""
    return estimate_of(job.terms(fee_basis_points), job.item_count)


def items_of(
    session: Session, viewer: Actor, job_id: UUID, *, after: int = 0, limit: int = 50
) -> list[ItemPreview]:
    """Items in order of arrival, with pre-labels; `after`: the position of the last one seen."""
    job = job_of(session, viewer, job_id)
    chosen = select(Item).where(Item.job_id == job.id, Item.position > after)
    items = session.scalars(chosen.order_by(Item.position).limit(_limited(limit))).all()
    said: dict[UUID, list[Prelabel]] = {item.id: [] for item in items}
    prelabels = select(Prelabel).where(Prelabel.item_id.in_(said))
    for prelabel in session.scalars(prelabels.order_by(Prelabel.item_id, Prelabel.number)):
        said[prelabel.item_id].append(prelabel)
    return [ItemPreview(item, said[item.id]) for item in items]


def payload_text(session: Session, item_id: UUID) -> str:
    """An item's payload as JSON text, letter for letter; for one who authorised the item."""
    return session.execute(select(cast(Item.payload, Text)).where(Item.id == item_id)).scalar_one()


def _limited(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))
