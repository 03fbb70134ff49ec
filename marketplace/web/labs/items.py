"""Items of a job: a file in the background, a few lines at once, the rows as they will look."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs import queries, service
from marketplace.jobs.rules import IMPORT_NEXT, ndjson_lines
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.requests import takes_uploads
from marketplace.web.uploads import stored

items = Blueprint("lab_items", __name__, url_prefix="/lab")
ROWS_SHOWN = 3
REJECTED_SHOWN = 50


class PasteForm(Form):
    """A few lines of JSONL, typed or pasted."""

    lines = fields.String(required=True, error_messages={"required": "Paste at least one line."})


def _facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    after = request.args.get("after", 0, type=int)
    after = max(0, min(after, 2**62))
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        return shown.job_facts(job, "items") | {
            "rows": queries.items_of(session, me(), job_id, after=after, limit=ROWS_SHOWN),
            "imports": queries.imports_of(session, me(), job_id, limit=10),
            "task_template": queries.template_version(session, me(), job_id).template,
            "after": after,
            "ended": {state for state, following in IMPORT_NEXT.items() if not following},
            "report": None,
        }


@items.get("/jobs/<uuid:job_id>/items")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The items: how to send more, what became of files, the rows as specialists see them."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/items.html", **_facts())


@items.post("/jobs/<uuid:job_id>/items")
@needs(Permission.JOBS_EDIT)
@form_page("labs/items.html", _facts)
def paste(job_id: UUID) -> Response:
    """Add a few pasted lines now; lines that cannot be used stay in the box with their reasons."""
    text = load(PasteForm)["lines"]
    with transaction() as session:
        report = service.add_items(
            session, me(), job_id, ndjson_lines(BytesIO(text.encode("utf-8", "replace")))
        )
    if report.rows_rejected:
        kept = _rejected_lines(text, {fault.line for fault in report.rejected})
        facts = _facts() | {"report": report, "typed": {"lines": kept}}
        return make_response(render_template("labs/items.html", **facts), 422)
    flash(_said(report.accepted, report.duplicates), "good")
    return redirect(url_for("lab_items.show", job_id=job_id), code=303)


def _rejected_lines(text: str, numbers: set[int]) -> str:
    lines = text.split("\n")
    return "\n".join(line for at, line in enumerate(lines, 1) if at in numbers)


def _said(accepted: int, duplicates: int) -> str:
    said = f"{accepted:,} {'item is' if accepted == 1 else 'items are'} in."
    return said + (f" {duplicates:,} were here already." if duplicates else "")


@items.post("/jobs/<uuid:job_id>/imports")
@takes_uploads
@needs(Permission.JOBS_EDIT)
@form_page("labs/items.html", _facts)
def upload(job_id: UUID) -> Response:
    """Take a file of any size; it is read in the background."""
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
            )
        file.taken = True
    return redirect(url_for("lab_items.show_import", import_id=found.id), code=303)


@items.get("/imports/<uuid:import_id>")
@needs(Permission.JOBS_VIEW)
def show_import(import_id: UUID) -> str:
    """How far an import is, and what it could not use."""
    after = max(0, min(request.args.get("after", 0, type=int), 2**31))
    with transaction() as session:
        found = queries.import_of(session, me(), import_id)
        job = queries.job_of(session, me(), found.job_id)
        rejected = queries.rejected_rows(
            session, me(), import_id, after=after, limit=REJECTED_SHOWN + 1
        )
        facts = shown.job_facts(job, "items")
    return page_or_block(
        "labs/import.html",
        "import_progress",
        target="import-progress",
        found=found,
        rejected=rejected[:REJECTED_SHOWN],
        more=len(rejected) > REJECTED_SHOWN,
        ended=not IMPORT_NEXT[found.state],
        **facts,
    )


@items.get("/imports/<uuid:import_id>/rejected.jsonl")
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
