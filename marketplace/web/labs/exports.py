"""Exports: asking for a file, watching it being written, looking at it, taking it away."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import storage
from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState, mimetype
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.tasktypes import PolicyUnavailable, task_type
from marketplace.tasktypes.exports import Policy
from marketplace.tasktypes.label_studio.project import NOT_TOLD, configuration_of
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

exports = Blueprint("lab_exports", __name__, url_prefix="/lab")
PAGE = 20
ROWS_SHOWN = 3
PREVIEW_BYTES = 64 * 1024
POLICIES = (
    (
        Policy.MAJORITY.value,
        "Majority",
        "One row an item: what more than half of its judgements say. Items without a majority are "
        "left out and counted.",
    ),
    (
        Policy.ALL.value,
        "Every judgement",
        "One row a judgement, so that your own aggregation can weigh them.",
    ),
    (
        Policy.MODEL.value,
        "What is believed",
        "One row an item: what a third person settled, else what models and specialists together "
        "make likeliest. The envelope says how sure that is and who spoke.",
    ),
)
REASONS = {
    "no_judgement": "no accepted judgement yet",
    "no_majority": "no majority",
    "tie": "tie, which prefers neither answer",
    "both_bad": "both answers bad",
    "unrankable": "cannot be ranked",
    "no_score": "not applicable throughout",
}


class ExportForm(Form):
    """The format, and how several judgements of an item become rows."""

    format = fields.String(required=True, error_messages={"required": "Choose a format."})
    policy = fields.String(load_default=Policy.MAJORITY.value)


def _facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        formats = task_type(job.task_type).exports
        return shown.job_facts(job, "exports") | {
            "rows": queries.exports_of(session, me(), job_id=JobId(job_id), limit=PAGE),
            # What trainers read comes first, the raw judgements last.
            "formats": [
                (key, formats[key].title) for key in sorted(formats, key=lambda key: key == "raw")
            ],
            "policies": POLICIES,
            "no_label_studio": NOT_TOLD.get(job.task_type),
        }


@exports.get("/jobs/<uuid:job_id>/exports")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """A job's files, and the form for another."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/job_exports.html", **_facts())


@exports.post("/jobs/<uuid:job_id>/exports")
@needs(Permission.EXPORTS_CREATE)
@form_page("labs/job_exports.html", _facts)
def ask(job_id: UUID) -> Response:
    """Ask for a file of all that is accepted now."""
    asked = load(ExportForm)
    try:
        with transaction() as session:
            export = service.request_export(
                session, me(), JobId(job_id), form=asked["format"], policy=asked["policy"]
            )
    except PolicyUnavailable as refused:
        raise Faulty(refused.message, [Fault("/policy", refused.message)]) from None
    flash("The file is being written. It holds what is accepted now.", "good")
    return redirect(url_for("lab_exports.show", export_id=export.id), code=303)


@exports.get("/jobs/<uuid:job_id>/label-studio.xml")
@needs(Permission.JOBS_VIEW)
def label_studio(job_id: UUID) -> Response:
    """The labelling configuration of a project that shows what the Label Studio export says."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        template = jobs.template_version(session, me(), job_id).template
    answer = Response(configuration_of(job.task_type, template), mimetype="application/xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{job.reference.lower()}.xml"'
    return answer


@exports.get("/exports")
@needs(Permission.EXPORTS_CREATE)
def listing() -> str:
    """All files of the organisation, newest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        rows = queries.exports_of(
            session, me(), after=ExportId(after) if after else None, limit=PAGE + 1
        )
    last = rows[PAGE - 1][0].id if len(rows) > PAGE else None
    return render_template("labs/exports.html", rows=rows[:PAGE], last=last)


@exports.get("/exports/<uuid:export_id>")
@needs(Permission.JOBS_VIEW)
def show(export_id: UUID) -> str:
    """One file: its progress, then its counts, its hash and its first rows."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
        job = jobs.job_of(session, me(), export.job_id)
        facts = shown.job_facts(job, "exports")
    done = export.state is ExportState.DONE
    return page_or_block(
        "labs/export.html",
        "export_progress",
        target="export-progress",
        export=export,
        exporter=task_type(job.task_type).exports[export.format],
        ended=done or export.state is ExportState.FAILED,
        first_rows=_first_rows(export) if done else [],
        reasons=REASONS,
        **facts,
    )


def _first_rows(export: Export) -> list[str]:
    """The first rows of a file, laid out for reading; none when the file is gone.

    A row is a line; what only holds rows together is no row, and a text stays as it is.
    """
    try:
        with storage.current().open(export.reference) as stream:
            head = stream.read(PREVIEW_BYTES)
    except Missing:
        return []
    whole = [line for line in head.split(b"\n")[:-1] if line not in FRAME]
    return [_laid_out(line) for line in whole[:ROWS_SHOWN]]


FRAME = frozenset({b"", b"[", b",", b"]"})


def _laid_out(line: bytes) -> str:
    try:
        return json.dumps(json.loads(line), indent=2, ensure_ascii=False)
    except ValueError:
        return line.decode("utf-8", "replace")


@exports.get("/exports/<uuid:export_id>/file")
@needs(Permission.EXPORTS_CREATE)
def download(export_id: UUID) -> Response:
    """The finished file."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    if export.state is not ExportState.DONE:
        raise Conflict(f"This export is {export.state.value}; its file is not there yet.")
    stream = storage.pieces(storage.current().open(export.reference))
    answer = Response(stream, mimetype=mimetype(export.filename))
    answer.headers["Content-Disposition"] = f'attachment; filename="{export.filename}"'
    answer.headers["Content-Length"] = str(export.bytes)
    answer.headers["ETag"] = f'"{export.sha256}"'
    return answer
