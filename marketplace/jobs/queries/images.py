"""Images of a job, for who may see the job."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.jobs.models import ItemImage
from marketplace.jobs.queries.item_images import named_image
from marketplace.jobs.queries.jobs import job_of

LIMIT_MAX = 200


def image_of(session: Session, viewer: Actor, job_id: UUID, name: str) -> ItemImage:
    """An image of a job that the viewer may see; Missing for any other."""
    return named_image(session, job_of(session, viewer, job_id).id, name)


def images_of(
    session: Session, viewer: Actor, job_id: UUID, *, after: str = "", limit: int = 50
) -> Sequence[ItemImage]:
    """Images of a job by name; `after`: the last name of the page before."""
    job = job_of(session, viewer, job_id)
    rows = select(ItemImage).where(ItemImage.job_id == job.id, ItemImage.name > after)
    return session.scalars(rows.order_by(ItemImage.name).limit(max(1, min(limit, LIMIT_MAX)))).all()


def image_count(session: Session, viewer: Actor, job_id: UUID) -> int:
    """How many images a job has."""
    job = job_of(session, viewer, job_id)
    counted = select(func.count()).select_from(ItemImage).where(ItemImage.job_id == job.id)
    return session.scalar(counted) or 0
