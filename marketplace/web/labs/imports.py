"""Files on their way into a job: sent, looked at, read, and what of them could not be used."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import storage
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, GatewayError, Missing
from marketplace.identity.rules import Permission
from marketplace.jobs import queries, service
from marketplace.jobs.models import JobImport
from marketplace.jobs.rules import IMPORT_NEXT, ImportKind, ImportState, Labels
from marketplace.jobs.rules.imports import KINDS
from marketplace.jobs.rules.lifecycle import LABELS_LABELS
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.labs.items import item_facts
from marketplace.web.requests import takes_uploads
from marketplace.web.uploads import stored

imports = Blueprint("lab_imports", __name__, url_prefix="/lab")
REJECTED_SHOWN = 50
COLUMN = "column."
FIELD_WORDS = {
    "external_id": "The item's id",
    "prompt": "What is asked (one message)",
    "messages": "The conversation (JSON)",
    "payload": "The whole item (JSON)",
    "gold": "The right answer (JSON)",
    "prelabels": "Suggestions (JSON)",
    "metadata": "Metadata (JSON)",
}


class BucketForm(Form):
    """Where in a bucket files lie, and the key that reads them."""

    source = fields.String(required=True, error_messages={"required": "Write where the files lie."})
    endpoint = fields.String(load_default="")
    region = fields.String(load_default="")
    access_key_id = fields.String(load_default="")
    secret_access_key = fields.String(load_default="")


@imports.post("/jobs/<uuid:job_id>/imports")
@takes_uploads
@needs(Permission.JOBS_EDIT)
@form_page("labs/items.html", item_facts)
def upload(job_id: UUID) -> Response:
    """Take a file of any size, and show how it looks before anything of it is read."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)  # Nobody uploads into another's job.
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Faulty("There is no file.", [Fault("/file", "Choose a file first.")])
    with stored(sent, "imports") as file:
        kind = service.kind_of_stored(file.reference, sent.filename, job.task_type)
        with transaction() as session:
            found = service.start_import(
                session,
                me(),
                job_id,
                file.reference,
                filename=sent.filename,
                wish=service.Wish(kind=kind),
                size_bytes=file.size_bytes,
                held=True,
            )
        file.taken = True
    return redirect(url_for("lab_imports.show", import_id=found.id), code=303)


@imports.post("/jobs/<uuid:job_id>/imports/bucket")
@needs(Permission.JOBS_EDIT)
@form_page("labs/items.html", item_facts)
def from_bucket(job_id: UUID) -> Response:
    """Keep the key to a bucket, and show how what lies there looks."""
    asked = load(BucketForm)
    source = asked.pop("source")
    with transaction() as session:
        service.set_bucket(session, me(), job_id, **asked)
        found = service.start_bucket_import(
            session, me(), job_id, source, wish=service.Wish(), held=True
        )
    return redirect(url_for("lab_imports.show", import_id=found.id), code=303)


@imports.get("/imports/<uuid:import_id>")
@needs(Permission.JOBS_VIEW)
def show(import_id: UUID) -> str:
    """How a file looks that waits, how far one is, and what could not be used of it."""
    after = max(0, min(request.args.get("after", 0, type=int), 2**31))
    with transaction() as session:
        found = queries.import_of(session, me(), import_id)
        job = queries.job_of(session, me(), found.job_id)
        facts = shown.job_facts(job, "items")
        rejected = queries.rejected_rows(
            session, me(), import_id, after=after, limit=REJECTED_SHOWN + 1
        )
    if found.state is ImportState.HELD:
        return render_template("labs/import_look.html", found=found, **facts, **_look(found))
    return page_or_block(
        "labs/import.html",
        "import_progress",
        target="import-progress",
        found=found,
        rejected=rejected[:REJECTED_SHOWN],
        more=len(rejected) > REJECTED_SHOWN,
        ended=not IMPORT_NEXT[found.state],
        kind_title=title_of(found.kind),
        **facts,
    )


def title_of(kind: ImportKind | None) -> str:
    """What people call a kind of file."""
    if kind is ImportKind.ARCHIVE:
        return "Archive"
    return KINDS[kind].title if kind else "Not looked at yet"


def _look(found: JobImport) -> dict[str, Any]:
    """How a held import looks, with the choices there are."""
    with transaction() as session:
        reading = service.reading_of(session, found)
        key = queries.bucket_key_of(session, me(), found.job_id)
        template = queries.template_version(session, me(), found.job_id).template
    drawn = service.sketch_import(found, reading, key)
    kind = KINDS.get(drawn.kind) if drawn.kind else None
    of_one = found.kind is not None and found.kind is not ImportKind.ARCHIVE
    choices = service.kinds_of_job(reading.task_type) if of_one else {}
    offered = kind.labels if kind else _labels_of(reading.task_type)
    return {
        "sketch": drawn,
        "kind_title": title_of(drawn.kind),
        "told": kind.told if kind else "Each file in it is read by what it holds.",
        "kinds": [(str(key), title) for key, title in choices.items()],
        "labels": [(str(each), LABELS_LABELS[each]) for each in offered],
        "task_template": template,
        "images": _images(found.job_id, drawn),
        "became_choices": partial(_choices, drawn.fields),
    }


def _images(job_id: UUID, drawn: service.Sketch) -> set[str]:
    """The images of the rows that are in the job already; the others come with the file, or not."""
    named = {row.payload["image"] for row in drawn.rows if row.payload and "image" in row.payload}
    found = set()
    with transaction() as session:
        for name in named:
            with suppress(Missing):
                found.add(queries.image_of(session, me(), job_id, name).name)
    return found


def _choices(known: list[str], column: str, became: str) -> list[tuple[str, str]]:
    """What a column may become, with what it is taken for."""
    own = f"metadata.{column.replace('.', '_')}"
    further = [became] if became and became not in (*known, own) else []
    named = [(name, FIELD_WORDS.get(name, name)) for name in (*known, *further)]
    return [("", "Leave it out"), *named, (own, "Metadata: yours, not shown to specialists")]


def _labels_of(task_type: str) -> tuple[Labels, ...]:
    """What labels may become in an archive, whose files may be of several kinds."""
    kinds = [kind for kind in KINDS.values() if kind.makes(task_type) and kind.labels]
    return (Labels.PRELABELS, Labels.GOLD, Labels.LEAVE) if kinds else ()


@imports.post("/imports/<uuid:import_id>/look")
@needs(Permission.JOBS_EDIT)
def look_again(import_id: UUID) -> Response:
    """Look at the file once more, as another kind or with other columns."""
    with transaction() as session:
        service.change_wish(session, me(), import_id, _wish())
    return redirect(url_for("lab_imports.show", import_id=import_id), code=303)


@imports.post("/imports/<uuid:import_id>/read")
@needs(Permission.JOBS_EDIT)
def read(import_id: UUID) -> Response:
    """Read the file in the background, as somebody chose after they looked."""
    with transaction() as session:
        service.release_import(session, me(), import_id, _wish())
    return redirect(url_for("lab_imports.show", import_id=import_id), code=303)


def _wish() -> service.Wish:
    mapping = {
        name.removeprefix(COLUMN): became
        for name, became in request.form.items()
        if name.startswith(COLUMN)
    }
    labels = request.form.get("labels", "")
    return service.Wish(
        kind=request.form.get("kind") or None,
        labels=Labels(labels) if labels in {*Labels} else None,
        mapping=mapping,
    )


@imports.post("/imports/<uuid:import_id>/drop")
@needs(Permission.JOBS_EDIT)
def drop(import_id: UUID) -> Response:
    """Give up a file of which nothing was read, and delete it."""
    with transaction() as session:
        found = service.drop_import(session, me(), import_id)
    if found.storage_ref:
        # A file that stays for now lies there harmlessly; nobody can come to it.
        with suppress(GatewayError):
            storage.current().delete(found.storage_ref)
    flash(f"“{found.filename}” was not read, and is deleted here.", "good")
    return redirect(url_for("lab_items.show", job_id=found.job_id), code=303)


@imports.get("/imports/<uuid:import_id>/rejected.jsonl")
@needs(Permission.JOBS_VIEW)
def rejected_file(import_id: UUID) -> Response:
    """The rejected rows as a file: line, external id, pointer, message."""
    with transaction() as session:
        found = queries.import_of(session, me(), import_id)
        body = b"".join(queries.rejected_lines(session, me(), import_id))
    name = f"rejected-{str(found.id)[:8]}.jsonl"
    answer = Response(body, mimetype="application/x-ndjson")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
