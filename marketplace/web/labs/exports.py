"""Exports of a job: choosing a format, looking at its first rows, asking for the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.delivery.rules import Compression, in_one_go, is_text
from marketplace.delivery.rules.bundle import formats_of
from marketplace.delivery.rules.exports import WRITTEN
from marketplace.errors import Fault, Faulty, Refused
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs import service as jobs_service
from marketplace.tasktypes import Exporter, PolicyUnavailable, task_type
from marketplace.tasktypes.exports import Policy
from marketplace.tasktypes.label_studio.project import NOT_TOLD, configuration_of
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.labs.file_heads import shown_row

exports = Blueprint("lab_exports", __name__, url_prefix="/lab")
PAGE = 20
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
BUCKET = ("endpoint", "region", "access_key_id", "secret_access_key")


class ExportForm(Form):
    """The format, how several judgements of an item become rows, and where the file goes."""

    format = fields.String(required=True, error_messages={"required": "Choose a format."})
    policy = fields.String(load_default=Policy.MAJORITY.value)
    since = fields.UUID(load_default=None, error_messages={"invalid_uuid": "Choose an export."})
    compression = fields.String(load_default=Compression.NONE.value)
    deliver_to = fields.String(load_default="")
    endpoint = fields.String(load_default="")
    region = fields.String(load_default="")
    access_key_id = fields.String(load_default="")
    secret_access_key = fields.String(load_default="")


def _asked() -> tuple[str, str]:
    """The format and the policy that the page is asked for, as typed."""
    source = request.form if request.method == "POST" else request.args
    return source.get("format", ""), source.get("policy", "") or Policy.MAJORITY.value


def _facts() -> dict[str, Any]:
    """What the page of a job's exports shows."""
    job_id = (request.view_args or {})["job_id"]
    form, policy = _asked()
    allowed = settings().s3_source_endpoints
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        found = queries.exports_of(session, me(), job_id=JobId(job_id), limit=PAGE + 1)
        facts = shown.job_facts(job, "exports") | {
            "bucket": jobs.bucket_key_of(session, me(), job_id),
            "said": queries.data_card_of(session, me(), JobId(job_id)),
        }
    formats = formats_of(task_type(job.task_type))
    chosen = formats.get(form) or task_type(job.task_type).default_export
    policies = [each for each in POLICIES if each[0] in {*chosen.policies, Policy.MODEL}]
    known = policy if policy in {each[0] for each in policies} else policies[0][0]
    return facts | {
        "rows": found[:PAGE],
        "more": found[PAGE - 1][0].id if len(found) > PAGE else None,
        "formats": formats,
        "chosen": chosen,
        "policies": policies,
        "policy": known,
        "packs": is_text(chosen.suffix),
        "earlier": _earlier([export for export, _ in found], chosen, known),
        "endpoints": [(each, "AWS" if each == "aws" else each) for each in allowed],
        "no_label_studio": NOT_TOLD.get(job.task_type),
        **_preview(job_id, chosen.key, known),
    }


def _earlier(found: list[Export], chosen: Exporter, policy: str) -> list[tuple[str, str]]:
    """The exports that one more could tell the changes from."""
    if in_one_go(chosen):
        return []
    return [
        (str(each.id), f"What changed since {each.as_of:%Y-%m-%d %H:%M} UTC ({each.rows:,} rows)")
        for each in found
        if (each.format, each.policy) == (chosen.key, policy)
        and each.state in WRITTEN
        and each.as_of_event is not None
        and each.rows is not None
    ]


def _preview(job_id: UUID, form: str, policy: str) -> Mapping[str, Any]:
    """How a file would begin, or why that cannot be shown."""
    if not me().may(Permission.EXPORTS_CREATE):
        return {"preview": None, "no_preview": ""}
    try:
        with transaction() as session:
            seen = queries.preview_of(session, me(), JobId(job_id), form=form, policy=policy)
    except Refused as refused:
        return {"preview": None, "no_preview": refused.message}
    return {"preview": seen, "preview_rows": [shown_row(row) for row in seen.rows]}


@exports.get("/jobs/<uuid:job_id>/exports")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """A job's files, and the form for another."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/job_exports.html", **_facts())


@exports.get("/jobs/<uuid:job_id>/exports/preview")
@needs(Permission.EXPORTS_CREATE)
def preview(job_id: UUID) -> str:
    """The first rows alone, for a form whose choices change."""
    form, policy = _asked()
    with transaction() as session:
        jobs.job_of(session, me(), job_id)
    return render_template("labs/export_preview.html", **_preview(job_id, form, policy))


@exports.post("/jobs/<uuid:job_id>/exports")
@needs(Permission.EXPORTS_CREATE)
@form_page("labs/job_exports.html", _facts)
def ask(job_id: UUID) -> Response:
    """Ask for a file of all that is accepted now."""
    asked = load(ExportForm, _without_empty())
    key = {name: asked.pop(name) for name in BUCKET}
    form, since = asked.pop("format"), asked.pop("since")
    try:
        with transaction() as session:
            if key["access_key_id"] or key["secret_access_key"]:
                jobs_service.set_bucket(session, me(), job_id, **key)
            wanted = ExportId(since) if since else None
            export = service.request_export(
                session, me(), JobId(job_id), form=form, since=wanted, **asked
            )
    except PolicyUnavailable as refused:
        raise Faulty(refused.message, [Fault("/policy", refused.message)]) from None
    flash("The file is being written. It holds what is accepted now.", "good")
    return redirect(url_for("lab_export.show", export_id=export.id), code=303)


def _without_empty() -> Any:
    """The form as typed, without the fields that were left empty."""
    kept = request.form.copy()
    for name in [name for name, value in request.form.items() if not value]:
        kept.poplist(name)
    return kept


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
