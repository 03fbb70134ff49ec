"""What the scan for personal details found in a job's items, and what the lab says of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from marshmallow import fields
from marshmallow.validate import OneOf
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.jobs import queries, service
from marketplace.jobs.rules.scan import DECLARATION_LABELS, KIND_LABELS, SURE, Declaration
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

scans = Blueprint("lab_scans", __name__, url_prefix="/lab/jobs")


class DeclarationForm(Form):
    """What the lab says of what was found."""

    declaration = fields.String(
        required=True,
        validate=OneOf([*Declaration], error="Choose one of these."),
        error_messages={"required": "Choose one of these."},
    )


def _facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        report = queries.scan_report(session, job)
        return shown.job_facts(job, "scan") | {
            "report": report,
            "scan": report.scan,
            "kinds": KIND_LABELS,
            "sure": SURE,
            "declarations": DECLARATION_LABELS,
        }


@scans.get("/<uuid:job_id>/scan")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The report: how much was looked at, what was found where, what the lab declared."""
    del job_id  # Read from the address, as the form's page does.
    return page_or_block("labs/scan.html", "scan_progress", target="scan-progress", **_facts())


@scans.post("/<uuid:job_id>/scan")
@needs(Permission.JOBS_EDIT)
def again(job_id: UUID) -> Response:
    """Look through all items anew."""
    with transaction() as session:
        service.scan_again(session, me(), job_id)
    flash("The items are looked through again.", "good")
    return redirect(url_for("lab_scans.show", job_id=job_id), code=303)


@scans.post("/<uuid:job_id>/scan/declaration")
@needs(Permission.JOBS_PUBLISH)
@form_page("labs/scan.html", _facts)
def declare(job_id: UUID) -> Response:
    """Take down what the lab says of what was found."""
    declaration = Declaration(load(DeclarationForm)["declaration"])
    with transaction() as session:
        service.declare(session, me(), job_id, declaration)
    flash("Taken down, with your name and the time.", "good")
    return redirect(url_for("lab_scans.show", job_id=job_id), code=303)
