"""Versions of a job's template: what changed from one to the next, and making one while it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.endpoints.queries import endpoint_names
from marketplace.errors import Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import CHANGE_LABELS, JobState, Purpose, VersionChange
from marketplace.jobs.rules.differences import differences
from marketplace.ledger.service import InsufficientFunds
from marketplace.money import Money, parse_money
from marketplace.routing import service as routing
from marketplace.tasktypes import task_type
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import builder, schema_form, shown, template_form

versions = Blueprint("lab_versions", __name__, url_prefix="/lab/jobs")
RUNNING = frozenset({JobState.OPEN, JobState.PAUSED})


class VersionForm(Form):
    """A new version, and what it means for work that was begun."""

    template_text = fields.String(load_default="")
    instructions_md = fields.String(load_default="")
    pay = fields.String(load_default="")
    change = fields.Enum(
        VersionChange,
        by_value=True,
        required=True,
        error_messages={"required": "Choose what becomes of work that was begun."},
    )


def _facts(job: Job) -> dict[str, Any]:
    return shown.job_facts(job, "versions") | {
        "may_change": job.state in RUNNING and job.purpose is Purpose.WORK,
        "labels": CHANGE_LABELS,
    }


@versions.get("/<uuid:job_id>/versions")
@needs(Permission.JOBS_VIEW)
def listing(job_id: UUID) -> str:
    """Every version, newest first, each with what is different from the one before."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        made = queries.template_versions(session, me(), job_id)
        names = identity.people_by_ids(session, {version.created_by for version in made})
        facts = _facts(job)
    before: list[TemplateVersion | None] = [*made[1:], None]
    rows = [
        (version, former, differences(former.template, version.template) if former else [])
        for version, former in zip(made, before, strict=True)
    ]
    return render_template("labs/versions.html", rows=rows, names=names, **facts)


def _form_facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        current = queries.template_version(session, me(), job_id)
        pay = _pay_typed(job)
        again = routing.quote_again(session, me(), JobId(job_id), pay=pay)
        facts = _facts(job) | {"models": endpoint_names(session, me())}
    changes = [(each.value, CHANGE_LABELS[each], _meaning(each)) for each in VersionChange]
    if not job.qualification_ids:
        changes = [each for each in changes if each[0] != VersionChange.REQUALIFY]
    values = {
        "instructions_md": job.instructions_md,
        "pay": f"{job.pay.decimal():f}",
        "version": job.version,
        # What was typed, whole: a row that was emptied does not come back.
        **(request.form or template_form.values_of(job.task_type, current.template)),
    }
    return facts | {
        "changes": changes,
        "again": again,
        "values": values,
        "rows": template_form.rows_of(values),
        "parts": schema_form.parts_of(task_type(job.task_type).template_schema),
        "fault": builder.fault_below,
    }


def _pay_typed(job: Job) -> Money | None:
    """The stated pay, where it can be read; its faults are told when the form is sent."""
    try:
        return parse_money(request.form.get("pay") or "", job.currency)
    except Faulty:
        return None


def _text(template: Mapping[str, Any]) -> str:
    return json.dumps(template, indent=2, ensure_ascii=False)


def _meaning(change: VersionChange) -> str:
    return {
        VersionChange.FINISH: "Tasks with a judgement or a claim end as they began; all others "
        "take the new version. It costs nothing.",
        VersionChange.REOPEN: "Each judgement that is in or in hand is asked for once more, of "
        "somebody else. The earlier ones are kept and paid, and stand beside the new ones.",
        VersionChange.REQUALIFY: "As the first, and nobody claims before they have passed the "
        "job’s qualifications again.",  # noqa: RUF001 - an apostrophe.
    }[change]


@versions.get("/<uuid:job_id>/versions/new")
@needs(Permission.JOBS_PUBLISH)
def new(job_id: UUID) -> str | Response:
    """The form of a new version of a running job."""
    facts = _form_facts()
    if not facts["may_change"]:
        return redirect(url_for("lab_versions.listing", job_id=job_id), code=303)
    return render_template("labs/version_new.html", **facts)


@versions.post("/<uuid:job_id>/versions")
@needs(Permission.JOBS_PUBLISH)
@form_page("labs/version_new.html", _form_facts)
def create(job_id: UUID) -> Response:
    """Show what a new version changes and costs; make it once that was seen."""
    asked = load(VersionForm)
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        template, faults = template_form.read(job.task_type, request.form)
        if faults:
            raise Faulty("The template cannot be read.", faults)
        former = queries.template_version(session, me(), job_id)
        pay = _stated(job, asked)
        again = routing.quote_again(session, me(), JobId(job_id), pay=pay)
    if request.form.get("seen") != str(again.most.minor):
        facts = _form_facts() | {
            "former": former,
            "differences": differences(former.template, template),
            "after_md": asked["instructions_md"].replace("\r\n", "\n"),
            "asked": asked,
            "template_text": _text(template),
            "again": again,
        }
        return make_response(render_template("labs/version_check.html", **facts))
    try:
        made = _made(job_id, asked, template, pay, again.most)
    except InsufficientFunds as short:
        raise Faulty(short.message, [Fault("/pay", f"{short.message} Top up first.")]) from None
    flash(f"Version {made.number} stands. {CHANGE_LABELS[asked['change']]}.", "good")
    return redirect(url_for("lab_versions.listing", job_id=job_id), code=303)


def _stated(job: Job, asked: Mapping[str, Any]) -> Money | None:
    if asked["change"] is not VersionChange.REOPEN:
        return None
    return parse_money(asked["pay"], job.currency, pointer="/pay")


def _made(
    job_id: UUID, asked: Mapping[str, Any], template: dict[str, Any], pay: Money | None, most: Money
) -> TemplateVersion:
    try:
        with transaction() as session:
            return routing.change_version(
                session,
                me(),
                JobId(job_id),
                change=asked["change"],
                template=template,
                instructions_md=asked["instructions_md"],
                pay=pay,
                most=most if pay is not None else None,
                if_version=builder.seen_version(),
            )
    except Faulty as faulty:
        raise Faulty(faulty.message, [_at_form(one) for one in faulty.faults]) from None


def _at_form(fault: Fault) -> Fault:
    """A fault of the template at its field, or where it was typed as text, as those of items."""
    in_text = fault.pointer.startswith("/template") and request.form.get("template_text")
    if in_text or fault.pointer.startswith("/items"):
        return Fault("/template_text", f"{fault.pointer}: {fault.message}")
    return Fault("/pay" if fault.pointer.startswith(("/pay", "/most")) else fault.pointer,
                 fault.message)  # fmt: skip
