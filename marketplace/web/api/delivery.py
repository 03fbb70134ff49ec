"""Delivery over the API: exports, and the task types' schemas."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.db import transaction
from marketplace.delivery import queries
from marketplace.delivery import service as delivery
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState, mimetype
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId
from marketplace.jobs import queries as jobs
from marketplace.tasktypes import task_type
from marketplace.tasktypes.exports import Policy
from marketplace.tasktypes.label_studio.project import configuration_of
from marketplace.web import api
from marketplace.web.guards import me, needs, public
from marketplace.web.ranges import download

delivery_api = api.blueprint("delivery", "Delivery: exports.")


class ExportAsked(Schema):
    """The format, by its key, and how several judgements of an item become rows."""

    format = fields.String(required=True, metadata={"example": "trl_preference"})
    policy = fields.String(
        load_default=Policy.MAJORITY.value,
        validate=validate.OneOf([each.value for each in Policy]),
    )


class ExportShown(Schema):
    """An export; rows, bytes and sha256 are those of the finished file."""

    id = fields.UUID()
    job_id = fields.UUID()
    format = fields.String()
    policy = fields.String()
    state = fields.String()
    filename = fields.String()
    as_of = fields.AwareDateTime()
    items_total = fields.Integer()
    items_read = fields.Integer()
    rows = fields.Integer(allow_none=True)
    bytes = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    counts = fields.Dict(keys=fields.String(), allow_none=True)
    failure = fields.String(allow_none=True)
    created_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)


@delivery_api.post("/jobs/<uuid:job_id>/exports")
@needs(Permission.EXPORTS_CREATE)
@api.once
@delivery_api.arguments(ExportAsked)
@delivery_api.response(202, ExportShown)
def post_export(session: Session, asked: dict[str, Any], job_id: UUID) -> Export:
    """Ask for a file of all that is accepted now."""
    return delivery.request_export(
        session, me(), JobId(job_id), form=asked["format"], policy=asked["policy"]
    )


@delivery_api.get("/exports/<uuid:export_id>")
@needs(Permission.JOBS_VIEW)
@delivery_api.response(200, ExportShown)
def get_export(export_id: UUID) -> Export:
    """How far an export is."""
    with transaction() as session:
        return queries.export_of(session, me(), ExportId(export_id))


@delivery_api.get("/exports/<uuid:export_id>/file")
@needs(Permission.EXPORTS_CREATE)
@delivery_api.doc(
    responses={
        "200": {
            "description": "The file",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        },
        "206": {
            "description": "The part of the file that `Range` asks for",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        },
    }
)
def get_export_file(export_id: UUID) -> Response:
    """The finished file."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    return sent(export)


def sent(export: Export) -> Response:
    """The file of a finished export as a download; Conflict before it is finished."""
    if export.state is not ExportState.DONE or export.bytes is None or export.sha256 is None:
        raise Conflict(f"This export is {export.state.value}; its file is not there yet.")
    reference, kept = export.reference, storage.current()
    return download(
        lambda offset: kept.open(reference, offset=offset),
        size=export.bytes,
        sha256=export.sha256,
        mimetype=mimetype(export.filename),
        filename=export.filename,
    )


@delivery_api.get("/jobs/<uuid:job_id>/label-studio-config")
@needs(Permission.JOBS_VIEW)
@delivery_api.doc(
    responses={
        "200": {
            "description": "A labelling configuration",
            "content": {"application/xml": {"schema": {"type": "string"}}},
        }
    }
)
def get_label_studio_config(job_id: UUID) -> Response:
    """The configuration of a Label Studio project that shows what the export says; 404 for task
    types that have no such export."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        template = jobs.template_version(session, me(), job_id).template
    return Response(configuration_of(job.task_type, template), mimetype="application/xml")


class TaskTypeShown(Schema):
    """A task type's contract: JSON Schemas, and what it can be exported as."""

    key = fields.String()
    title = fields.String()
    template_schema = fields.Dict(keys=fields.String())
    item_schema = fields.Dict(keys=fields.String())
    judgement_schema = fields.Dict(keys=fields.String())
    exports = fields.List(fields.String())


@delivery_api.get("/task-types/<string:key>")
@public
@delivery_api.response(200, TaskTypeShown)
def get_task_type(key: str) -> dict[str, Any]:
    """JSON Schemas of a task type's template, item and judgement."""
    found = task_type(key)
    return {
        "key": found.key,
        "title": found.title,
        "template_schema": found.template_schema,
        "item_schema": found.item_schema,
        "judgement_schema": found.judgement_schema,
        "exports": sorted(found.exports),
    }
