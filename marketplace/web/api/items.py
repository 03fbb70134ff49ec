"""Items over the API: NDJSON in one request. Files of any size are imports."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.errors import TooLarge
from marketplace.identity.rules import Permission
from marketplace.jobs import service as jobs
from marketplace.jobs.rules import ndjson_lines
from marketplace.web import api
from marketplace.web.guards import me, needs

items_api = api.blueprint("items", "Items: the rows of a job.")
REQUEST_MAX_BYTES = 32 * 1024 * 1024


class RejectedShown(Schema):
    """One fault of one line that was not taken."""

    line = fields.Integer()
    pointer = fields.String()
    message = fields.String()
    external_id = fields.String(allow_none=True)


class ItemsShown(Schema):
    """What became of the lines. rejected lists at most 1,000 faults of `rows_rejected` lines."""

    accepted = fields.Integer()
    duplicates = fields.Integer()
    rows_read = fields.Integer()
    rows_rejected = fields.Integer()
    rejected = fields.List(fields.Nested(RejectedShown))


@items_api.post("/jobs/<uuid:job_id>/items")
@needs(Permission.JOBS_EDIT)
@api.once(streamed=True)
@items_api.response(200, ItemsShown)
@items_api.doc(
    requestBody={
        "required": True,
        "description": "One item a line, at most 1 MiB a line and 32 MiB in all.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
)
def post_items(session: Session, job_id: UUID) -> Any:
    """Add items; lines that cannot be used never stop the others, repeated ones add nothing."""
    if (request.content_length or 0) > REQUEST_MAX_BYTES:
        raise TooLarge("Send at most 32 MiB a request, or use POST /jobs/{id}/imports.")
    request.max_content_length = REQUEST_MAX_BYTES
    return jobs.add_items(session, me(), job_id, ndjson_lines(request.stream))
