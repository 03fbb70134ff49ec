"""A lab's qualification: its terms while it is a draft, then results and its bank's items."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields, validate
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, parse_id
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.rules import FEEDBACK_LABELS, Feedback, JobState
from marketplace.jobs.rules.qualification import PASS_RATIO_OTHERWISE, WHOLE
from marketplace.ledger.service import InsufficientFunds
from marketplace.quality import queries as quality
from marketplace.routing import queries as routing_queries
from marketplace.routing import service as routing
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import builder, shown

qualification = Blueprint("lab_qualification", __name__, url_prefix="/lab/jobs")
PAGE = 25
DAY_SECONDS = 86_400
NUMBERS = ("items_a_form", "forms", "cooldown_days", "valid_days", "candidates_max")
FORM_NAMES: Mapping[str, str] = {
    "/pass_ratio": "/pass_percent",
    "/time_limit_seconds": "/time_limit_days",
}


class TermsForm(Form):
    """The terms as they are typed: shares in percent, the time limit in days."""

    pass_percent = fields.Decimal(
        required=True,
        validate=validate.Range(min=1, max=100, error="Give a number from 1 to 100."),
        error_messages=builder.NUMBER,
    )
    items_a_form = fields.Integer(required=True, error_messages=builder.WHOLE)
    forms = fields.Integer(required=True, error_messages=builder.WHOLE)
    cooldown_days = fields.Integer(required=True, error_messages=builder.WHOLE)
    valid_days = fields.Integer(required=True, error_messages=builder.WHOLE)
    candidates_max = fields.Integer(required=True, error_messages=builder.WHOLE)
    time_limit_days = fields.Decimal(
        required=True,
        validate=validate.Range(min=0, max=30, error="Give a number of days up to 30."),
        error_messages=builder.NUMBER,
    )
    feedback = fields.String(required=True, error_messages=builder.CHOICE)
    credential_type = fields.String(load_default="")


def wanted_at_once() -> bool:
    """Whether the builder's form asks for a qualification; see qualification_fields.html."""
    return request.form.get("qualification") == "yes"


def _values(terms: Qualification | None) -> dict[str, Any]:
    if terms is None:
        usual: dict[str, Any] = {name: WHOLE[name][2] for name in NUMBERS}
        seconds, ratio = WHOLE["time_limit_seconds"][2], PASS_RATIO_OTHERWISE
        feedback, credential = Feedback.SCORES, ""
    else:
        usual = {name: getattr(terms, name) for name in NUMBERS}
        seconds, ratio = terms.time_limit_seconds, terms.pass_ratio
        feedback, credential = terms.feedback, terms.credential_type or ""
    days = (Decimal(seconds) / DAY_SECONDS).quantize(Decimal("0.01")).normalize()
    return usual | {
        "pass_percent": f"{(ratio * 100).normalize():f}",
        "time_limit_days": f"{days:f}",
        "feedback": feedback.value,
        "credential_type": credential,
    }


def _form_facts(job: Job, terms: Qualification | None) -> dict[str, Any]:
    return {
        "values": _values(terms),
        "terms": terms,
        "feedbacks": [(each.value, FEEDBACK_LABELS[each], "") for each in Feedback],
        **shown.job_facts(job, "qualification"),
    }


@qualification.get("/<uuid:job_id>/qualification")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The terms of a draft; of a published qualification its results and its items."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        terms = queries.qualification_of(session, job.id)
        if job.state is JobState.DRAFT or terms is None:
            return render_template("labs/qualification_terms.html", **_form_facts(job, terms))
        rows = quality.results_of(session, me(), JobId(job_id), after=after, limit=PAGE + 1)
        tally = quality.tally_of(session, me(), JobId(job_id))
        facts = shown.job_facts(job, "qualification")
    return render_template(
        "labs/qualification_results.html",
        terms=terms,
        rows=rows[:PAGE],
        last=rows[PAGE - 1].id if len(rows) > PAGE else None,
        after=after,
        tally=tally,
        **facts,
    )


def _terms_again() -> dict[str, Any]:
    with transaction() as session:
        job = queries.job_of(session, me(), (request.view_args or {})["job_id"])
        terms = queries.qualification_of(session, job.id)
        facts = _form_facts(job, terms)
    return facts | {"values": dict(request.form)}


@qualification.post("/<uuid:job_id>/qualification")
@needs(Permission.JOBS_EDIT)
@form_page("labs/qualification_terms.html", _terms_again)
def save(job_id: UUID) -> Response:
    """Make a draft a qualification with these terms."""
    typed = load(TermsForm)
    days = typed.pop("time_limit_days")
    typed["time_limit_seconds"] = int((days * DAY_SECONDS).to_integral_value())
    typed["pass_ratio"] = typed.pop("pass_percent") / 100
    try:
        with transaction() as session:
            service.set_terms(session, me(), job_id, **typed)
    except Faulty as faulty:
        moved = [
            Fault(FORM_NAMES.get(one.pointer, one.pointer), one.message) for one in faulty.faults
        ]
        raise Faulty(faulty.message, moved) from None
    flash("It is a qualification with these terms. Its items need gold, all of them.", "good")
    return redirect(url_for("lab_items.show", job_id=job_id), code=303)


@qualification.post("/<uuid:job_id>/qualification/drop")
@needs(Permission.JOBS_EDIT)
def drop(job_id: UUID) -> Response:
    """Make a draft ordinary work again."""
    with transaction() as session:
        service.drop_terms(session, me(), job_id)
    flash("It is ordinary work again.", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)


class PlacesForm(Form):
    """How many attempts are paid for from now on."""

    candidates_max = fields.Integer(required=True, error_messages=builder.WHOLE)


@qualification.post("/<uuid:job_id>/qualification/places")
@needs(Permission.JOBS_PUBLISH)
def add_places(job_id: UUID) -> Response:
    """Pay for more candidates."""
    try:
        number = load(PlacesForm)["candidates_max"]
        with transaction() as session:
            routing.add_places(session, me(), JobId(job_id), candidates_max=number)
        flash(f"{number:,} attempts are paid for now.", "good")
    except Faulty as faulty:
        flash(" ".join(one.message for one in faulty.faults), "stop")
    except InsufficientFunds as short:
        flash(f"{short.message} Top up first.", "stop")
    return redirect(url_for("lab_qualification.show", job_id=job_id), code=303)


@qualification.get("/<uuid:job_id>/qualification/items")
@needs(Permission.JOBS_VIEW)
def items(job_id: UUID) -> str:
    """The items of the bank, each with its figures and what speaks against it."""
    after = request.args.get("after", 0, type=int)
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        queries.terms_of(session, job.id)
        rows = queries.bank_of(session, job, after=max(0, min(after, 10**9)), limit=PAGE + 1)
        figures = routing_queries.figures_of_bank(session, me(), JobId(job_id))
        facts = shown.job_facts(job, "qualification")
    return render_template(
        "labs/qualification_items.html",
        rows=rows[:PAGE],
        last=rows[PAGE - 1].position if len(rows) > PAGE else None,
        after=after,
        figures=figures,
        flagged=sum(bool(each.flags) for each in figures.values()),
        **facts,
    )


@qualification.post("/<uuid:job_id>/qualification/items/<uuid:item_id>/retire")
@needs(Permission.JOBS_EDIT)
def retire(job_id: UUID, item_id: UUID) -> Response:
    """Take an item out of the bank."""
    try:
        with transaction() as session:
            spare = service.retire_item(session, me(), job_id, item_id)
        words = "A spare of the same concept took its place." if spare else ""
        flash(f"The item is retired. {words}".strip(), "good")
    except Conflict as refused:
        flash(refused.message, "watch")
    return redirect(url_for("lab_qualification.items", job_id=job_id), code=303)
