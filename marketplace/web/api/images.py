"""Images over the API: several in one request, and the list of those that are in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.jobs import queries
from marketplace.web import api
from marketplace.web.guards import me, needs
from marketplace.web.images import sent_images, take_images
from marketplace.web.requests import takes_uploads

images_api = api.blueprint("images", "Images: what the items of a job name.")


class ImageShown(Schema):
    """An image. sha256: of the file as it was sent; bits: of one channel, 8 or 16."""

    name = fields.String()
    sha256 = fields.Function(lambda image: image.sha256.hex(), metadata={"type": "string"})
    width = fields.Integer()
    height = fields.Integer()
    bits = fields.Integer()
    format = fields.String()
    size_bytes = fields.Integer()
    created_at = fields.AwareDateTime()


class TakenShown(Schema):
    """What became of one image: added, duplicate (it was in), or refused with the reason."""

    name = fields.String()
    state = fields.String()
    message = fields.String(allow_none=True)
    image = fields.Nested(ImageShown, allow_none=True)


class ImagesTaken(Schema):
    """What became of the images of one request, in their order."""

    results = fields.List(fields.Nested(TakenShown))


@images_api.post("/jobs/<uuid:job_id>/images")
@takes_uploads
@needs(Permission.JOBS_EDIT)
@images_api.response(200, ImagesTaken)
@images_api.doc(
    requestBody={
        "required": True,
        "description": "PNG, JPEG or TIFF, at most 50 MiB each and 200 at once. An image is named "
        "after its file; the same again adds nothing.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
)
def post_images(job_id: UUID) -> dict[str, Any]:
    """Send images that items name; one that cannot be taken never stops the others."""
    return {"results": take_images(me(), job_id, sent_images())}


@images_api.get("/jobs/<uuid:job_id>/images")
@needs(Permission.JOBS_VIEW)
@images_api.arguments(api.page_query(fields.String(load_default="")), location="query")
@images_api.response(200, api.listing(ImageShown))
def get_images(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """The images of a job by name."""
    with transaction() as session:
        rows = queries.images_of(
            session, me(), job_id, after=asked["after"], limit=asked["limit"] + 1
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row.name)
