"""Imports over the API: files and buckets that are read in the background."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, GatewayError
from marketplace.identity.rules import Permission
from marketplace.jobs import queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import JobImport
from marketplace.jobs.rules import ImportKind, Labels
from marketplace.web import api
from marketplace.web.errors import faults_of
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_uploads
from marketplace.web.uploads import stored

imports_api = api.blueprint("imports", "Imports: files and buckets, read in the background.")
KINDS = [str(kind) for kind in ImportKind]
LABELS = [str(each) for each in Labels]


class KindAsked(Schema):
    """What a file is and what becomes of its labels; both may be left out."""

    kind = fields.String(
        validate=validate.OneOf(KINDS),
        metadata={"description": "The form of the file; told by its content when left out."},
    )
    labels = fields.String(
        validate=validate.OneOf(LABELS),
        metadata={"description": "What the labels in it become, where its kind has labels."},
    )


class WishAsked(KindAsked):
    """How a file is to be read; all of it may be left out."""

    mapping = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Column → field of the item, of tables: external_id, prompt, payload, "
            "gold, prelabels, or a path such as a, messages.0.content, metadata.year, "
            "gold.judgement.choice. Columns not named are left out."
        },
    )


class UploadAsked(KindAsked):
    """The fields beside the file of an upload."""

    mapping = fields.Raw()
    hold = fields.Boolean(load_default=False)


class AccessAsked(Schema):
    """The key that reads a bucket. endpoint: one that the operator allows."""

    endpoint = fields.String(load_default="")
    region = fields.String(load_default="")
    access_key_id = fields.String(load_default="")
    secret_access_key = fields.String(load_default="", load_only=True)


class BucketAsked(WishAsked):
    """Where in a bucket files lie: one file, or all whose names begin so."""

    source = fields.String(required=True, metadata={"example": "s3://bucket/folder/"})
    access = fields.Nested(AccessAsked, load_default=lambda: AccessAsked().load({}))
    hold = fields.Boolean(load_default=False)


class ImportShown(Schema):
    """A file, an archive or a place in a bucket on its way into a job."""

    id = fields.UUID()
    job_id = fields.UUID()
    filename = fields.String()
    source = fields.String(attribute="source_url", allow_none=True)
    kind = fields.String(allow_none=True)
    labels = fields.String()
    mapping = fields.Dict()
    state = fields.String()
    size_bytes = fields.Integer(allow_none=True)
    read_bytes = fields.Function(lambda found: found.progress[0], metadata={"type": "integer"})
    total_bytes = fields.Function(lambda found: found.progress[1], metadata={"type": "integer"})
    rows_read = fields.Integer()
    accepted = fields.Integer()
    duplicates = fields.Integer()
    rejected = fields.Integer()
    images_added = fields.Integer()
    images_known = fields.Integer()
    left_out = fields.Dict()
    failure = fields.String(allow_none=True)
    created_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)


class FaultShown(Schema):
    """What is wrong with a row, and where."""

    pointer = fields.String()
    message = fields.String()


class RowShown(Schema):
    """A row as it would be read; payload is null where it cannot be used."""

    number = fields.Integer()
    file = fields.String()
    external_id = fields.String(allow_none=True)
    payload = fields.Dict(allow_none=True)
    gold = fields.Dict(allow_none=True)
    prelabels = fields.Integer()
    faults = fields.List(fields.Nested(FaultShown))


class LookShown(Schema):
    """How a held file looks. columns: what each most likely is; files: of an archive, by suffix."""

    kind = fields.String(allow_none=True)
    rows = fields.List(fields.Nested(RowShown))
    columns = fields.Dict()
    fields_known = fields.List(fields.String(), attribute="fields")
    files = fields.Dict()
    left_out = fields.Dict(attribute="left")
    fault = fields.String(allow_none=True)


@imports_api.post("/jobs/<uuid:job_id>/imports")
@takes_uploads
@api.keyed
@needs(Permission.JOBS_EDIT)
@imports_api.response(202, ImportShown)
@imports_api.doc(
    requestBody={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "kind": {"type": "string", "enum": KINDS},
                        "labels": {"type": "string", "enum": LABELS},
                        "mapping": {"type": "string", "description": "A JSON object."},
                        "hold": {"type": "boolean"},
                    },
                }
            }
        },
    }
)
def post_import(job_id: UUID) -> Response:
    """Send a file of any size; it is read in the background, or held until `read`."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)  # Nobody uploads into another's job.
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Faulty("There is no file.", [Fault("/file", "Send it as the form field “file”.")])
    asked = _asked(request.form)
    held = asked.pop("hold")
    with stored(upload, "imports") as file:
        kind = jobs.kind_of_stored(
            file.reference, upload.filename, job.task_type, asked.pop("kind", None)
        )
        wish = _wish(asked | {"kind": kind})
        digest = hashlib.sha256(file.sha256 + repr((wish, held)).encode()).digest()
        with transaction() as session:
            former = api.kept(session, digest)
            if former is not None:
                return former.answer()
            started = jobs.start_import(
                session,
                me(),
                job_id,
                file.reference,
                filename=upload.filename,
                wish=wish,
                size_bytes=file.size_bytes,
                held=held,
            )
            answer = jsonify(ImportShown().dump(started))
            answer.status_code = 202
            api.keep(session, answer, digest)
        file.taken = True
    return answer


def _asked(form: Mapping[str, str]) -> dict[str, Any]:
    """The fields beside the file; Faulty with a pointer for each faulty one."""
    try:
        asked: dict[str, Any] = UploadAsked().load({k: v for k, v in form.items() if v})
        if "mapping" in asked:
            asked["mapping"] = WishAsked().load({"mapping": json.loads(asked["mapping"])})[
                "mapping"
            ]
    except ValidationError as faulty:
        raise Faulty("The fields are not right.", faults_of(faulty.messages)) from None
    except json.JSONDecodeError:
        words = "Give a JSON object of columns and fields."
        raise Faulty(words, [Fault("/mapping", words)]) from None
    return asked


def _wish(asked: dict[str, Any]) -> jobs.Wish:
    labels = asked.get("labels")
    return jobs.Wish(
        kind=asked.get("kind"),
        labels=Labels(labels) if labels else None,
        mapping=asked.get("mapping", {}),
    )


@imports_api.post("/jobs/<uuid:job_id>/imports/bucket")
@needs(Permission.JOBS_EDIT)
@api.once
@imports_api.arguments(BucketAsked)
@imports_api.response(202, ImportShown)
def post_bucket_import(session: Session, asked: dict[str, Any], job_id: UUID) -> JobImport:
    """Read what lies in a bucket of yours; the key is kept encrypted, for this job only.

    Without `access` the key is used that was sent before.
    """
    jobs.set_bucket(session, me(), job_id, **asked["access"])
    return jobs.start_bucket_import(
        session, me(), job_id, asked["source"], wish=_wish(asked), held=asked["hold"]
    )


@imports_api.get("/imports/<uuid:import_id>")
@needs(Permission.JOBS_VIEW)
@imports_api.response(200, ImportShown)
def get_import(import_id: UUID) -> JobImport:
    """How far an import is."""
    with transaction() as session:
        return queries.import_of(session, me(), import_id)


@imports_api.get("/imports/<uuid:import_id>/look")
@needs(Permission.JOBS_VIEW)
@imports_api.response(200, LookShown)
def get_look(import_id: UUID) -> jobs.Sketch:
    """How a held import looks: its kind, its columns, its first rows as items."""
    with transaction() as session:
        found = queries.import_of(session, me(), import_id)
        reading = jobs.reading_of(session, found)
        key = queries.bucket_key_of(session, me(), found.job_id)
    return jobs.sketch_import(found, reading, key)


@imports_api.post("/imports/<uuid:import_id>/read")
@needs(Permission.JOBS_EDIT)
@api.once
@imports_api.arguments(WishAsked)
@imports_api.response(202, ImportShown)
def post_read(session: Session, asked: dict[str, Any], import_id: UUID) -> JobImport:
    """Read a held import now. What is left out of the body stays as it is told by the file."""
    found = queries.import_of(session, me(), import_id)
    kept: dict[str, Any] = {"kind": found.kind, "mapping": found.mapping}
    if asked.get("kind", found.kind) == found.kind:
        kept["labels"] = found.labels
    asked = kept | asked
    return jobs.release_import(session, me(), import_id, _wish(asked))


@imports_api.delete("/imports/<uuid:import_id>")
@needs(Permission.JOBS_EDIT)
@imports_api.response(200, ImportShown)
def delete_import(import_id: UUID) -> JobImport:
    """Give up a held import, of which nothing was read, and delete its file."""
    with transaction() as session:
        queries.import_of(session, me(), import_id)
        found = jobs.drop_import(session, me(), import_id)
    if found.storage_ref:
        # A file that stays for now lies there harmlessly; nobody can come to it.
        with suppress(GatewayError):
            storage.current().delete(found.storage_ref)
    return found


@imports_api.get("/imports/<uuid:import_id>/rejected.jsonl")
@needs(Permission.JOBS_VIEW)
@imports_api.doc(responses={"200": api.file("One fault a line", "application/x-ndjson")})
def get_rejected(import_id: UUID) -> Response:
    """The rejected rows: file of an archive, line, external id, pointer, message."""
    with transaction() as session:
        found = queries.import_of(session, me(), import_id)
        body = b"".join(queries.rejected_lines(session, me(), found.id))
    return Response(body, mimetype="application/x-ndjson")
