"""What explains an export: how it would begin, its card, its manifest, and the lab's own words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.delivery import queries
from marketplace.delivery import service as delivery
from marketplace.delivery.models import DataCard
from marketplace.delivery.rules.facts import LabWords
from marketplace.delivery.rules.licences import Licence
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId
from marketplace.tasktypes.exports import Policy
from marketplace.web import api
from marketplace.web.guards import me, needs

cards_api = api.blueprint("cards", "What explains an export: preview, card, manifest.")


class PreviewQuery(Schema):
    """The format, by its key, and how several judgements of an item become rows."""

    format = fields.String(required=True, metadata={"example": "trl_preference"})
    policy = fields.String(
        load_default=Policy.MAJORITY.value,
        validate=validate.OneOf([each.value for each in Policy]),
    )


class ExportColumnShown(Schema):
    """A column of a format's rows; may_lack: some rows do not have it."""

    name = fields.String()
    kind = fields.String()
    says = fields.String()
    may_lack = fields.Boolean()


class ExportPreviewShown(Schema):
    """How a file would begin: rows, or the text, or the files of an archive, of the first items."""

    format = fields.String(attribute="exporter.key")
    title = fields.String(attribute="exporter.title")
    help = fields.String(attribute="exporter.help")
    columns = fields.List(fields.Nested(ExportColumnShown), attribute="exporter.columns")
    policy = fields.String()
    rows = fields.List(fields.Dict(keys=fields.String()))
    text = fields.String()
    files = fields.List(fields.String())
    items = fields.Integer()
    counts = fields.Dict(keys=fields.String())


@cards_api.get("/jobs/<uuid:job_id>/exports/preview")
@needs(Permission.JOBS_VIEW)
@api.refuses(409)
@cards_api.arguments(PreviewQuery, location="query")
@cards_api.response(200, ExportPreviewShown)
def get_export_preview(asked: dict[str, Any], job_id: UUID) -> queries.Preview:
    """The first rows of a file as it would be now; nothing is written."""
    with transaction() as session:
        return queries.preview_of(
            session, me(), JobId(job_id), form=asked["format"], policy=asked["policy"]
        )


@cards_api.get("/exports/<uuid:export_id>/card")
@needs(Permission.JOBS_VIEW)
@cards_api.doc(responses={"200": api.file("The card, Markdown with YAML", "text/markdown")})
def get_export_card(export_id: UUID) -> Response:
    """The card of an export: what it is, how it was made, by whom, and what it cannot say."""
    with transaction() as session:
        card = queries.card_of(session, me(), ExportId(export_id))
    return Response(card, mimetype="text/markdown")


MANIFEST = {
    "description": "The manifest",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


@cards_api.get("/exports/<uuid:export_id>/manifest")
@needs(Permission.JOBS_VIEW)
@api.refuses(409)
@cards_api.doc(responses={"200": MANIFEST})
def get_export_manifest(export_id: UUID) -> Response:
    """What a finished export is and holds, with every count and hash."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    if export.manifest is None:
        raise Conflict(f"This export is {export.state.value}; its manifest is not there yet.")
    return Response(orjson.dumps(export.manifest), mimetype="application/json")


class DataCardSaid(Schema):
    """What a lab says of a job's data; languages are BCP 47 codes."""

    title = fields.String(load_default="")
    licence = fields.String(
        load_default=Licence.UNKNOWN.value,
        validate=validate.OneOf([each.value for each in Licence]),
    )
    licence_words = fields.String(load_default="")
    languages = fields.List(fields.String(), load_default=list)
    intended_use = fields.String(load_default="")
    limits = fields.String(load_default="")
    contact = fields.String(load_default="")


@cards_api.get("/jobs/<uuid:job_id>/data-card")
@needs(Permission.JOBS_VIEW)
@cards_api.response(200, DataCardSaid)
def get_data_card(job_id: UUID) -> DataCard | LabWords:
    """What the lab says of a job's data; all of it empty before it said anything."""
    with transaction() as session:
        return queries.data_card_of(session, me(), JobId(job_id)) or LabWords()


@cards_api.put("/jobs/<uuid:job_id>/data-card")
@needs(Permission.EXPORTS_CREATE)
@api.once
@cards_api.arguments(DataCardSaid)
@cards_api.response(200, DataCardSaid)
def put_data_card(session: Session, asked: dict[str, Any], job_id: UUID) -> DataCard:
    """Say what the cards of exports to come tell of a job's data."""
    words = LabWords(**(asked | {"languages": tuple(asked["languages"])}))
    return delivery.describe_data(session, me(), JobId(job_id), words)
