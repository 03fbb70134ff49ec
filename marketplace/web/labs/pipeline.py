"""A job's hybrid pipeline: its policy while it is a draft, then its routes and its estimates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from markupsafe import Markup
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, seat_price
from marketplace.quality import queries, service
from marketplace.quality.models import Pipeline
from marketplace.quality.rules.pipeline_words import STATE_LABELS, PipelineState
from marketplace.web import plots
from marketplace.web.filters import count, percent
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import builder, shown

pipeline = Blueprint("lab_pipeline", __name__, url_prefix="/lab/jobs")
FORM_NAMES: Mapping[str, str] = {
    "/confidence_target": "/target_percent",
    "/audit_ratio": "/audit_percent",
    "/kept_share": "/kept_percent",
}
ROUTE_WORDS = (("model", "Models alone"), ("unsure", "Unsure, specialists"), ("audit", "Audit"))
FINDINGS: Mapping[str, tuple[str, str, str]] = {
    "good": ("Good enough", "good", "circle-check"),
    "open": ("Not sure yet", "watch", "circle-question-mark"),
    "poor": ("Too many errors", "stop", "circle-alert"),
    "unseen": ("Not looked at", "neutral", "circle"),
}
SLICES_SHOWN = 12
TARGET, AUDIT = Decimal("0.95"), Decimal("0.02")


class PolicyForm(Form):
    """The policy as it is typed: shares in percent."""

    target_percent = fields.Decimal(required=True, error_messages=builder.NUMBER)
    audit_percent = fields.Decimal(required=True, error_messages=builder.NUMBER)
    items_max = fields.Integer(required=True, error_messages=builder.WHOLE)
    rounds_max = fields.Integer(required=True, error_messages=builder.WHOLE)
    kept_percent = fields.Decimal(load_default=service.KEPT_SHARE_USUAL * 100,
                                  error_messages=builder.NUMBER)  # fmt: skip
    slice_field = fields.String(load_default="")


def _percents(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}"


def _values(job: Job, found: Pipeline | None) -> dict[str, Any]:
    if found is None:
        usual = max(1, job.item_count // 5)
        return {
            "target_percent": _percents(TARGET), "audit_percent": _percents(AUDIT),
            "items_max": usual, "rounds_max": 4, "slice_field": "",
            "kept_percent": _percents(service.KEPT_SHARE_USUAL),
        }  # fmt: skip
    return {
        "target_percent": _percents(found.confidence_target),
        "audit_percent": _percents(found.audit_ratio),
        "items_max": found.items_max,
        "rounds_max": found.rounds_max,
        "kept_percent": _percents(found.kept_share),
        "slice_field": found.slice_field or "",
    }


def _facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        found = queries.pipeline_of(session, me(), job_id)
        facts = shown.job_facts(job, "pipeline") | {
            "pipeline": found,
            "values": _values(job, found),
            "state_words": STATE_LABELS[found.state if found else PipelineState.DRAFT],
            "prices": _prices(job, found),
        }
        if job.state is JobState.DRAFT:
            facts["models"] = queries.models_of(session, me(), job_id)
            facts["advice"] = service.advised(session, me(), job_id)
        elif found is not None:
            facts |= _running(session, found)
    return facts


def _prices(job: Job, found: Pipeline | None) -> dict[str, Any]:
    """What the pipeline costs at most and so far, beside what specialists alone would."""
    each = seat_price(job.terms(shown.fee_basis_points())).total * job.overlap_min
    routes = ((found.report or {}).get("routes") or {}) if found else {}
    most = min(job.item_count, found.items_max) if found else job.item_count
    sent = routes.get("unsure", 0) + routes.get("audit", 0)
    return {
        "each": each,
        "humans_only": each * job.item_count,
        "most": each * most,
        "sent": each * sent,
        "saved": each * (job.item_count - sent),
    }


def _running(session: Session, found: Pipeline) -> dict[str, Any]:
    report = found.report or {}
    routes = report.get("routes") or {}
    return {
        "report": report,
        "rounds": queries.rounds_of(session, me(), found.job_id),
        "findings": FINDINGS,
        "going_on": found.state is PipelineState.ROUTING,
        "routes_plot": plots.share(
            "Who judges the items",
            [(words, routes.get(route, 0)) for route, words in ROUTE_WORDS],
            words=lambda number: count(round(number)),
        ),
        "slices_plot": _slices_plot(report),
        "measures_plot": _measures_plot(report),
    }


def _slices_plot(report: Mapping[str, Any]) -> Markup:
    """The accuracy of the labels by slice, the largest slices first, and of the whole set."""
    told = [(each["slice"] or "no value", each["labels"]) for each in report.get("slices", [])]
    points = [
        plots.Point(name[:18], facts["value"], facts["lower"], facts["upper"])
        for name, facts in [("Whole set", report.get("labels")), *told[:SLICES_SHOWN]]
        if facts
    ]
    return plots.intervals(
        "Accuracy of the labels", points, words=lambda value: percent(value, 1), measure="Accuracy"
    )


def _measures_plot(report: Mapping[str, Any]) -> Markup:
    points = [
        plots.Point(each["measure"][:20].capitalize(), each["value"], each["lower"], each["upper"])
        for each in report.get("measures", [])[:SLICES_SHOWN]
        if each["lower"] >= 0 and each["upper"] <= 1 and each["measure"] != "mean"
    ]
    return plots.intervals(
        "Shares and win-rates", points, words=lambda value: percent(value, 1), measure="Share"
    )


@pipeline.get("/<uuid:job_id>/pipeline")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The policy of a draft; of a published job its routes, its rounds and its estimates."""
    del job_id  # Read from the address, as the form's page does.
    facts = _facts()
    if facts["job"].state is JobState.DRAFT or facts["pipeline"] is None:
        return render_template("labs/pipeline.html", **facts)
    return page_or_block(
        "labs/pipeline_running.html", "pipeline_progress", target="pipeline-progress", **facts
    )


@pipeline.post("/<uuid:job_id>/pipeline")
@needs(Permission.JOBS_EDIT)
@form_page("labs/pipeline.html", lambda: _facts() | {"values": dict(request.form)})
def save(job_id: UUID) -> Response:
    """Let models judge first in a draft."""
    typed = load(PolicyForm)
    given = {
        "confidence_target": typed["target_percent"] / 100,
        "audit_ratio": typed["audit_percent"] / 100,
        "items_max": typed["items_max"],
        "rounds_max": typed["rounds_max"],
        "kept_share": typed["kept_percent"] / 100,
        "slice_field": typed["slice_field"].strip() or None,
    }
    try:
        with transaction() as session:
            service.set_pipeline(session, me(), job_id, **given)
    except Faulty as faulty:
        moved = [
            Fault(FORM_NAMES.get(one.pointer, one.pointer), one.message) for one in faulty.faults
        ]
        raise Faulty(faulty.message, moved) from None
    flash("Models judge first. The price follows the most that specialists judge.", "good")
    return redirect(url_for("lab_quote.show", job_id=job_id), code=303)


@pipeline.post("/<uuid:job_id>/pipeline/drop")
@needs(Permission.JOBS_EDIT)
def drop(job_id: UUID) -> Response:
    """Let specialists judge every item of a draft again."""
    with transaction() as session:
        service.drop_pipeline(session, me(), job_id)
    flash("Specialists judge every item again.", "good")
    return redirect(url_for("lab_pipeline.show", job_id=job_id), code=303)
