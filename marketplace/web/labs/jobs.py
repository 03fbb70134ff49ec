"""Jobs: the list, the builder, previews."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields, validate
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, PayPer, hourly_rate
from marketplace.jobs.rules.lint import PAY_FLOOR_HOURLY
from marketplace.money import Money, parse_money
from marketplace.tasktypes import TASK_TYPES, task_type
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import render_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import builder, qualification, shown
from marketplace.work import queries as work

jobs = Blueprint("lab_jobs", __name__, url_prefix="/lab/jobs")
PAGE = 20
KINDS = {
    "pairwise": "Two answers side by side: which is better, and by how much.",
    "ranking": "Several answers in order, ties allowed where you say so.",
    "rubric": "One answer, scored on scales that you define and anchor.",
    "demonstration": "The answer that should have been given, written by an expert.",
    "fact_check": "Each claim of an answer held against its sources.",
    "regions": "Boxes, polygons and points on images, 16 bits included.",
    "code": "A diff reviewed: comments on lines, and a verdict.",
    "spans": "Words of a text marked with labels, and how they relate.",
    "rubric_writing": "The criteria by which answers to a conversation are to be scored.",
    "critique_revise": "An answer held against your principles, then written anew.",
    "judge_calibration": "A verdict on your judge's own scale, before its verdict is seen.",
    "correction": "What a model said of an item, put right field by field.",
    "trajectory": "An agent's run step by step: where it went wrong, whether it got there.",
    "chat": "A conversation with models, the better reply chosen at each turn.",
    "red_team": "How far talk brought a model to do what it must not, held live or from a file.",
}


@jobs.get("")
@needs(Permission.JOBS_VIEW)
def listing() -> str:
    """The lab's jobs, newest first, by state."""
    states = {each.value: each for each in JobState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.jobs_of(session, me(), state=state, after=after, limit=PAGE + 1)
        progress = work.progress_of_many(session, me(), found[:PAGE])
        rows = [
            (job, progress[job.id], shown.cost_of(session, job, progress[job.id]))
            for job in found[:PAGE]
        ]
    last = found[PAGE - 1].id if len(found) > PAGE else None
    return render_template("labs/jobs.html", rows=rows, state=state, last=last, states=JobState)


@jobs.get("/new")
@needs(Permission.JOBS_EDIT)
def new() -> str:
    """Choose a task type, then describe the job."""
    kind = request.args.get("type", "")
    if kind not in TASK_TYPES:
        kinds = [(key, of.title, KINDS.get(key, "")) for key, of in TASK_TYPES.items()]
        return render_template("labs/choose.html", kinds=kinds)
    return render_template("labs/builder.html", **builder.facts(kind, builder.defaults(kind)))


def _new_again() -> dict[str, Any]:
    kind = task_type(request.form.get("task_type", "")).key
    return builder.facts(kind, builder.typed_values())


@jobs.post("/new")
@needs(Permission.JOBS_EDIT)
@form_page("labs/builder.html", _new_again)
def create() -> Response:
    """Keep the draft; items come next."""
    kind = task_type(request.form.get("task_type", "")).key
    given = builder.job_fields(kind)
    with builder.in_form_words(), transaction() as session:
        job = service.create_job(session, me(), task_type=kind, **given)
        if qualification.wanted_at_once():
            service.set_terms(session, me(), job.id)
            return redirect(url_for("lab_qualification.show", job_id=job.id), code=303)
    flash("The draft is kept. Send its items next; nobody sees the job yet.", "good")
    return redirect(url_for("lab_items.show", job_id=job.id), code=303)


def _stored(job_id: UUID) -> tuple[Job, dict[str, Any]]:
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        template = queries.template_version(session, me(), job_id).template
    return job, builder.values_of(job, template)


@jobs.get("/<uuid:job_id>/edit")
@needs(Permission.JOBS_EDIT)
def edit(job_id: UUID) -> str:
    """The form of a draft, or what may change of a published job."""
    job, values = _stored(job_id)
    page = "labs/builder.html" if job.state is JobState.DRAFT else "labs/settings.html"
    return render_template(page, **builder.facts(job.task_type, values, job), tab="settings")


def _edit_again() -> dict[str, Any]:
    job, values = _stored((request.view_args or {})["job_id"])
    values = builder.typed_values() if job.state is JobState.DRAFT else values | dict(request.form)
    return builder.facts(job.task_type, values, job) | {"tab": "settings"}


@jobs.post("/<uuid:job_id>/edit")
@needs(Permission.JOBS_EDIT)
@form_page("labs/builder.html", _edit_again)
def change(job_id: UUID) -> Response:
    """Change a draft."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
    given = builder.job_fields(job.task_type)
    with builder.in_form_words(), transaction() as session:
        service.change_job(session, me(), job_id, if_version=builder.seen_version(), **given)
    flash("The draft is changed.", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)


@jobs.post("/<uuid:job_id>/settings")
@needs(Permission.JOBS_EDIT)
@form_page("labs/settings.html", _edit_again)
def change_running(job_id: UUID) -> Response:
    """Change what may change of a published job."""
    given = builder.running_fields()
    with builder.in_form_words(), transaction() as session:
        service.change_job(session, me(), job_id, if_version=builder.seen_version(), **given)
    flash("The job is changed.", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)


@jobs.post("/preview")
@needs(Permission.JOBS_EDIT)
def preview() -> str:
    """Instructions as specialists will read them."""
    facts = {"text": request.form.get("instructions_md", "")[:200_000]}
    if request.headers.get("HX-Request") == "true":
        return render_block("labs/preview.html", "preview", **facts)
    return render_template("labs/preview.html", **facts)


class RateForm(Form):
    """What an hourly rate follows from."""

    pay = fields.String(load_default="")
    currency = fields.String(required=True, validate=builder.CURRENCY)
    pay_per = fields.Enum(PayPer, by_value=True, required=True)
    expected_minutes = fields.Decimal(
        required=True, validate=validate.Range(min=0, min_inclusive=False, max=25_000)
    )
    profession = fields.String(load_default="")


@jobs.get("/hourly-rate")
@needs(Permission.JOBS_VIEW)
def rate() -> str:
    """What the pay brings in an hour, for the form that is being filled."""
    return render_template("labs/rate.html", **rate_facts())


def rate_facts() -> dict[str, Any]:
    """The rate and the floor for what was typed so far; None where it says no rate yet."""
    try:
        typed = load(RateForm, request.args)
        pay = parse_money(typed["pay"], typed["currency"])
    except Faulty:
        return {"rate": None, "floor": None}
    return rate_of(pay, typed["pay_per"], int(typed["expected_minutes"] * 60), typed["profession"])


def rate_of(pay: Money, per: PayPer, expected_seconds: int, profession: str) -> dict[str, Any]:
    """The rate of an hour, and the floor below which a job of the profession is not published."""
    return {
        "rate": hourly_rate(pay, per, expected_seconds),
        "floor": PAY_FLOOR_HOURLY.get((profession, pay.currency)),
    }
