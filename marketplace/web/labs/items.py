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
from marketplace.identity.rules import Permission
from marketplace.jobs import queries, service
from marketplace.jobs.rules import IMPORT_NEXT, ndjson_lines
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

items = Blueprint("lab_items", __name__, url_prefix="/lab")
ROWS_SHOWN = 3


class PasteForm(Form):
    """A few lines of JSONL, typed or pasted."""

    lines = fields.String(required=True, error_messages={"required": "Paste at least one line."})


def item_facts() -> dict[str, Any]:
    """What the page of items shows."""
    job_id = (request.view_args or {})["job_id"]
    after = request.args.get("after", 0, type=int)
    after = max(0, min(after, 2**62))
    allowed = settings().s3_source_endpoints
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        return shown.job_facts(job, "items") | {
            "rows": queries.items_of(session, me(), job_id, after=after, limit=ROWS_SHOWN),
            "imports": queries.imports_of(session, me(), job_id, limit=10),
            "task_template": queries.template_version(session, me(), job_id).template,
            "after": after,
            "ended": {state for state, following in IMPORT_NEXT.items() if not following},
            "report": None,
            "file_kinds": list(dict.fromkeys(service.kinds_of_job(job.task_type).values())),
            "endpoints": [(each, "AWS" if each == "aws" else each) for each in allowed],
            "bucket": queries.bucket_key_of(session, me(), job_id),
        }


@items.get("/jobs/<uuid:job_id>/items")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The items: how to send more, what became of files, the rows as specialists see them."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/items.html", **item_facts())


@items.post("/jobs/<uuid:job_id>/items")
@needs(Permission.JOBS_EDIT)
@form_page("labs/items.html", item_facts)
def paste(job_id: UUID) -> Response:
    """Add a few pasted lines now; lines that cannot be used stay in the box with their reasons."""
    text = load(PasteForm)["lines"]
    with transaction() as session:
        report = service.add_items(
            session, me(), job_id, ndjson_lines(BytesIO(text.encode("utf-8", "replace")))
        )
    if report.rows_rejected:
        kept = _rejected_lines(text, {fault.line for fault in report.rejected})
        facts = item_facts() | {"report": report, "typed": {"lines": kept}}
        return make_response(render_template("labs/items.html", **facts), 422)
    flash(_said(report.accepted, report.duplicates), "good")
    return redirect(url_for("lab_items.show", job_id=job_id), code=303)


def _rejected_lines(text: str, numbers: set[int]) -> str:
    lines = text.split("\n")
    return "\n".join(line for at, line in enumerate(lines, 1) if at in numbers)


def _said(accepted: int, duplicates: int) -> str:
    said = f"{accepted:,} {'item is' if accepted == 1 else 'items are'} in."
    return said + (f" {duplicates:,} were here already." if duplicates else "")
