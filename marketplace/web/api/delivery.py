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
from marketplace.delivery.rules import Compression, ExportState, in_one_go, is_text, mimetype
from marketplace.delivery.rules.bundle import formats_of
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId
from marketplace.jobs import queries as jobs
from marketplace.tasktypes import Exporter, task_type
from marketplace.tasktypes.exports import Policy
from marketplace.tasktypes.label_studio.project import configuration_of
from marketplace.web import api
from marketplace.web.guards import me, needs, public
from marketplace.web.ranges import download

delivery_api = api.blueprint("delivery", "Delivery: exports.")


class ExportAsked(Schema):
    """The format, by its key, and how several judgements of an item become rows.

    since: an earlier export of the same format and policy, whose changes alone are told;
    deliver_to: an address such as s3://bucket/folder/ that the job's kept key may write to.
    """

    format = fields.String(required=True, metadata={"example": "trl_preference"})
    policy = fields.String(
        load_default=Policy.MAJORITY.value,
        validate=validate.OneOf([each.value for each in Policy]),
    )
    since = fields.UUID(load_default=None, allow_none=True)
    compression = fields.String(
        load_default=Compression.NONE.value,
        validate=validate.OneOf([each.value for each in Compression]),
    )
    deliver_to = fields.String(
        load_default="", allow_none=True, validate=validate.Length(max=1_000)
    )


class ExportShown(Schema):
    """An export; rows, bytes, sha256 and manifest are those of the finished file.

    as_of_event: the number in the job's chain up to which it tells; since: the export that it
    tells the changes from.
    """

    id = fields.UUID()
    job_id = fields.UUID()
    format = fields.String()
    policy = fields.String()
    state = fields.String()
    filename = fields.String()
    as_of = fields.AwareDateTime()
    as_of_event = fields.Integer(allow_none=True)
    since = fields.UUID(attribute="since_id", allow_none=True)
    compression = fields.String()
    deliver_to = fields.String(allow_none=True)
    delivery_state = fields.String(allow_none=True)
    delivery_failure = fields.String(allow_none=True)
    items_total = fields.Integer()
    items_read = fields.Integer()
    rows = fields.Integer(allow_none=True)
    bytes = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    counts = fields.Dict(keys=fields.String(), allow_none=True)
    failure = fields.String(allow_none=True)
    created_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)
    expires_at = fields.AwareDateTime(allow_none=True)


@delivery_api.post("/jobs/<uuid:job_id>/exports")
@needs(Permission.EXPORTS_CREATE)
@api.once
@delivery_api.arguments(ExportAsked)
@delivery_api.response(202, ExportShown)
def post_export(session: Session, asked: dict[str, Any], job_id: UUID) -> Export:
    """Ask for a file of all that is accepted now."""
    return delivery.request_export(
        session,
        me(),
        JobId(job_id),
        form=asked["format"],
        policy=asked["policy"],
        since=ExportId(asked["since"]) if asked["since"] else None,
        compression=asked["compression"],
        deliver_to=asked["deliver_to"] or "",
    )


@delivery_api.get("/jobs/<uuid:job_id>/exports")
@needs(Permission.JOBS_VIEW)
@delivery_api.arguments(api.PageQuery, location="query")
@delivery_api.response(200, api.listing(ExportShown))
def list_exports(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """A job's exports, newest first."""
    after = ExportId(asked["after"]) if asked["after"] else None
    with transaction() as session:
        jobs.job_of(session, me(), job_id)
        found = queries.exports_of(
            session, me(), job_id=JobId(job_id), after=after, limit=asked["limit"] + 1
        )
    rows = [export for export, _ in found]
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


@delivery_api.post("/exports/<uuid:export_id>/again")
@needs(Permission.EXPORTS_CREATE)
@api.once
@delivery_api.response(202, ExportShown)
def post_export_again(session: Session, export_id: UUID) -> Export:
    """Write a file once more that failed or expired; it holds what it would have held then."""
    return delivery.write_again(session, me(), ExportId(export_id))


@delivery_api.post("/exports/<uuid:export_id>/deliver-again")
@needs(Permission.EXPORTS_CREATE)
@api.once
@delivery_api.response(202, ExportShown)
def post_export_deliver_again(session: Session, export_id: UUID) -> Export:
    """Put a finished file into the lab's bucket once more."""
    return delivery.deliver_again(session, me(), ExportId(export_id))


@delivery_api.get("/exports/<uuid:export_id>")
@needs(Permission.JOBS_VIEW)
@delivery_api.response(200, ExportShown)
def get_export(export_id: UUID) -> Export:
    """How far an export is."""
    with transaction() as session:
        return queries.export_of(session, me(), ExportId(export_id))


@delivery_api.get("/exports/<uuid:export_id>/file")
@needs(Permission.EXPORTS_CREATE)
@api.refuses(409, 416)
@delivery_api.doc(
    responses={
        "200": api.file("The file, of its format's own type", "*/*"),
        "206": api.file("The part of the file that `Range` asks for", "*/*"),
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


class ColumnShown(Schema):
    """A column of a format's rows, or a file of its archive.

    A name that ends with `*` stands for all that begin so; may_lack: some rows do not have it.
    """

    name = fields.String()
    kind = fields.String()
    says = fields.String()
    may_lack = fields.Boolean()


class FormatShown(Schema):
    """What a job can be exported as.

    help: what reads it and what it cannot hold; policies: those it can follow; increments: whether
    `since` may ask for changes alone; compresses: whether `compression` may be asked for.
    """

    key = fields.String()
    title = fields.String()
    help = fields.String()
    suffix = fields.String()
    media = fields.String()
    policies = fields.List(fields.String())
    increments = fields.Boolean()
    compresses = fields.Boolean()
    columns = fields.List(fields.Nested(ColumnShown))


class TaskTypeShown(Schema):
    """A task type's contract: JSON Schemas, and what it can be exported as.

    exports: the formats' keys alone; default_export: the format that fits most uses.
    """

    key = fields.String()
    title = fields.String()
    template_schema = fields.Dict(keys=fields.String())
    item_schema = fields.Dict(keys=fields.String())
    judgement_schema = fields.Dict(keys=fields.String())
    exports = fields.List(fields.String())
    default_export = fields.String()
    formats = fields.List(fields.Nested(FormatShown))


def _told(exporter: Exporter) -> dict[str, Any]:
    """A format as FormatShown tells it."""
    offered = {*exporter.policies, Policy.MODEL}
    return {
        "key": exporter.key,
        "title": exporter.title,
        "help": exporter.help.replace("`", ""),
        "suffix": exporter.suffix,
        "media": mimetype(f"file{exporter.suffix}"),
        "policies": [each.value for each in Policy if each in offered],
        "increments": not in_one_go(exporter),
        "compresses": is_text(exporter.suffix),
        "columns": exporter.columns,
    }


@delivery_api.get("/task-types/<string:key>")
@public
@delivery_api.response(200, TaskTypeShown)
def get_task_type(key: str) -> dict[str, Any]:
    """JSON Schemas of a task type's template, item and judgement, and its export formats."""
    found = task_type(key)
    formats = formats_of(found)
    return {
        "key": found.key,
        "title": found.title,
        "template_schema": found.template_schema,
        "item_schema": found.item_schema,
        "judgement_schema": found.judgement_schema,
        "exports": list(formats),
        "default_export": found.default_export.key,
        "formats": [_told(each) for each in formats.values()],
    }
