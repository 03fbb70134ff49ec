"""What a lab says of a job's data, and the card that exports asked for now would get."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.rules.facts import LabWords
from marketplace.delivery.rules.licences import LICENCE_LABELS, Licence
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

data_card = Blueprint("lab_data_card", __name__, url_prefix="/lab")


class DataCardForm(Form):
    """What cards say in the lab's own words; languages are codes with commas between them."""

    title = fields.String(load_default="")
    licence = fields.String(load_default=Licence.UNKNOWN.value)
    licence_words = fields.String(load_default="")
    languages = fields.String(load_default="")
    intended_use = fields.String(load_default="")
    limits = fields.String(load_default="")
    contact = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        facts = shown.job_facts(job, "exports")
        said = queries.data_card_of(session, me(), JobId(job_id))
    return facts | {
        "said": said or LabWords(languages=tuple(job.languages)),
        "licences": list(LICENCE_LABELS.items()),
    }


@data_card.get("/jobs/<uuid:job_id>/data-card")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The lab's words, to read or to change."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/data_card.html", **_facts())


@data_card.post("/jobs/<uuid:job_id>/data-card")
@needs(Permission.EXPORTS_CREATE)
@form_page("labs/data_card.html", _facts)
def say(job_id: UUID) -> Response:
    """Keep the lab's words for the cards of exports to come."""
    asked = load(DataCardForm)
    codes = [each.strip() for each in asked["languages"].split(",")]
    words = LabWords(**(asked | {"languages": tuple(filter(None, codes))}))
    with transaction() as session:
        service.describe_data(session, me(), JobId(job_id), words)
    flash("Kept. Exports asked for from now on say so in their cards.", "good")
    return redirect(url_for("lab_exports.of_job", job_id=job_id), code=303)
