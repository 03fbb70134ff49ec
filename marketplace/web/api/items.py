"""Items over the API: NDJSON in one request, or a file of any size in the background."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, TooLarge
from marketplace.identity.rules import Permission
from marketplace.jobs import queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import JobImport
from marketplace.jobs.rules import ndjson_lines
from marketplace.web import api
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_uploads
from marketplace.web.uploads import stored

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


class ImportShown(Schema):
    """A file on its way into a job."""

    id = fields.UUID()
    job_id = fields.UUID()
    filename = fields.String()
    kind = fields.String()
    state = fields.String()
    size_bytes = fields.Integer(allow_none=True)
    read_bytes = fields.Integer()
    rows_read = fields.Integer()
    accepted = fields.Integer()
    duplicates = fields.Integer()
    rejected = fields.Integer()
    failure = fields.String(allow_none=True)
    created_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)


@items_api.post("/jobs/<uuid:job_id>/imports")
@takes_uploads
@needs(Permission.JOBS_EDIT)
@items_api.response(202, ImportShown)
@items_api.doc(
    requestBody={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
)
def post_import(job_id: UUID) -> Response:
    """Send a file of any size; it is read in the background."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)  # Nobody uploads into another's job.
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Faulty("There is no file.", [Fault("/file", "Send it as the form field “file”.")])
    with stored(upload, "imports") as file:
        kind = jobs.kind_of_stored(file.reference, upload.filename, job.task_type)
        with transaction() as session:
            former = api.kept(session, file.sha256)
            if former is not None:
                return former.answer()
            started = jobs.start_import(
                session,
                me(),
                job_id,
                file.reference,
                filename=upload.filename,
                wish=jobs.Wish(kind=kind),
                size_bytes=file.size_bytes,
            )
            answer = jsonify(ImportShown().dump(started))
            answer.status_code = 202
            api.keep(session, answer, file.sha256)
        file.taken = True
    return answer


@items_api.get("/imports/<uuid:import_id>")
@needs(Permission.JOBS_VIEW)
@items_api.response(200, ImportShown)
def get_import(import_id: UUID) -> JobImport:
    """How far an import is."""
    with transaction() as session:
        return queries.import_of(session, me(), import_id)


@items_api.get("/imports/<uuid:import_id>/rejected.jsonl")
@needs(Permission.JOBS_VIEW)
@items_api.doc(
    responses={
        "200": {
            "description": "One fault a line",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    }
)
def get_rejected(import_id: UUID) -> Response:
    """The rejected rows: line, pointer, message."""
    with transaction() as session:
        found = queries.import_of(session, me(), import_id)
        body = b"".join(queries.rejected_lines(session, me(), found.id))
    return Response(body, mimetype="application/x-ndjson")
