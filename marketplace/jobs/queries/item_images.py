"""What items say of their images, for who authorised the items, and images that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.errors import Fault, Missing
from marketplace.jobs.models import ItemImage, Job

NAMES_IMAGES = frozenset({"regions"})
TOLD_MAX = 20
# Items whose image is not there, or has other sides than the item says.
WITHOUT = text(
    """SELECT item.external_id, named.image, item_image.width, item_image.height
    FROM item CROSS JOIN LATERAL (
      SELECT item.payload::json ->> 'image' AS image, item.payload::json ->> 'width' AS width,
        item.payload::json ->> 'height' AS height
    ) AS named
    LEFT JOIN item_image ON item_image.job_id = item.job_id AND item_image.name = named.image
    WHERE item.job_id = :job_id AND (
      item_image.name IS NULL
      OR named.width IS NOT NULL AND named.width <> item_image.width::text
      OR named.height IS NOT NULL AND named.height <> item_image.height::text
    )
    ORDER BY item.position LIMIT :most"""
)


def named_image(session: Session, job_id: UUID, name: str) -> ItemImage:
    """An image by its name, for one who authorised the item that names it."""
    found = session.get(ItemImage, (job_id, name))
    if found is None:
        raise Missing("There is no such image.")
    return found


def with_image(session: Session, job: Job, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload with the size and the hash of its image, where the task type has images.

    For one who authorised the item; nothing is read for other task types.
    """
    if job.task_type not in NAMES_IMAGES:
        return dict(payload)
    found = session.get(ItemImage, (job.id, payload["image"]))
    return {**payload, **(found.facts if found else {})}


def image_faults(session: Session, job: Job) -> list[Fault]:
    """Items whose image is missing or of another size, the first 20; for the lint."""
    if job.task_type not in NAMES_IMAGES:
        return []
    faults = []
    for row in session.execute(WITHOUT, {"job_id": job.id, "most": TOLD_MAX}):
        said = f"Item {row.external_id}: "
        if row.width is None:
            said += f"the image “{row.image}” is not in. Send it under this name."
        else:
            said += f"“{row.image}” has {row.width} by {row.height} pixels, not what the item says."
        faults.append(Fault("/items/payload/image", said))
    return faults
