"""Judges: setting them up, changing them by new versions, drafting a panel for one."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.endpoints.queries import endpoint_names
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.quality.models import JudgeVersion
from marketplace.quality.queries import judges as queries
from marketplace.quality.rules.judges import asking, power
from marketplace.quality.service import judge_panels
from marketplace.quality.service import judges as service
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import judge_words

judges = Blueprint("lab_judges", __name__, url_prefix="/lab/judges")
JOBS_OFFERED = 100


class JudgeForm(Form):
    """What a version is made of; the dimensions come from a job or as JSON."""

    name = fields.String(load_default="")
    endpoint = fields.String(load_default="")
    model = fields.String(load_default="")
    prompt = fields.String(load_default="")
    dimensions_of = fields.String(load_default="")
    aspects = fields.String(load_default="")
    answer_format = fields.String(load_default="json_schema")
    temperature = fields.String(load_default="")
    top_p = fields.String(load_default="")
    seed = fields.Integer(load_default=None)
    tokens_max = fields.Integer(load_default=service.TOKENS_MAX)
    both_orders = fields.Boolean(load_default=False)


class PanelForm(Form):
    """How large a panel is, and whose items it judges."""

    job = fields.String(load_default="")
    half_width = fields.Float(load_default=power.HALF_WIDTH)
    experts = fields.Integer(load_default=power.EXPERTS)


def _judgeable(session: Session) -> list[Job]:
    found = jobs.jobs_of(session, me(), limit=JOBS_OFFERED)
    return [each for each in found if each.task_type in asking.JUDGED_TYPES]


def _choices(rows: list[Job]) -> list[tuple[str, str]]:
    return [(str(each.id), f"{each.title} ({each.reference})") for each in rows]


def _asked(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """The fields as the service takes them."""
    given = {name: value for name, value in asked.items() if name not in ("name", "dimensions_of")}
    given["model"] = given["model"].strip() or None
    chosen = parse_id(asked["dimensions_of"])
    if chosen is not None:
        job = jobs.job_of(session, me(), chosen)
        template = jobs.template_version(session, me(), job.id).template
        given["aspects"] = asking.aspects_of(job.task_type, template)
        return given
    try:
        given["aspects"] = json.loads(asked["aspects"] or "[]")
    except (ValueError, RecursionError):
        fault = Fault("/aspects", "This is not JSON. Take the dimensions from a job instead.")
        raise Faulty("The dimensions need mending.", [fault]) from None
    return given


@judges.get("")
@needs(Permission.JOBS_VIEW)
def listing() -> str:
    """The organisation's judges."""
    with transaction() as session:
        rows = queries.judges_of(session, me(), limit=queries.LIMIT_MAX)
    return render_template("labs/judges.html", rows=rows)


def _new_facts() -> dict[str, Any]:
    values: dict[str, Any] = {**service.DEFAULTS, "endpoint": "", "model": "", "name": ""}
    return {"judge": None, "values": {**values, "aspects": "", "dimensions_of": ""}, **_offered()}


def _offered() -> dict[str, Any]:
    with transaction() as session:
        names = endpoint_names(session, me())
        rows = _judgeable(session)
    return {
        "endpoint_names": [(name, name) for name in names],
        "jobs": [("", "as written below"), *_choices(rows)],
        "formats": judge_words.ANSWER_FORMATS,
    }


@judges.get("/new")
@needs(Permission.JOBS_EDIT)
def new() -> str:
    """A form for a new one."""
    return render_template("labs/judge_form.html", **_new_facts())


@judges.post("/new")
@needs(Permission.JOBS_EDIT)
@form_page("labs/judge_form.html", _new_facts)
def create() -> Response:
    """Set one up."""
    asked = load(JudgeForm)
    with transaction() as session:
        made = service.create_judge(
            session, me(), name=asked["name"].strip(), fields=_asked(session, asked)
        )
    flash("The judge is set up. Ask it about a job's items, or draft a panel for it.", "good")
    return redirect(url_for("lab_judges.show", judge_id=made.judge_id), code=303)


@judges.get("/<uuid:judge_id>")
@needs(Permission.JOBS_VIEW)
def show(judge_id: UUID) -> str:
    """One judge: what it is, its versions, what it was asked, its reports."""
    with transaction() as session:
        judge = queries.judge_of(session, me(), judge_id)
        versions = queries.versions_of(session, me(), judge_id)
        runs = queries.runs_of_judge(session, me(), judge_id)
        reports = queries.reports_of_judge(session, me(), judge_id)
        ids = [each.job_id for each in runs] + [each.job_id for each in reports]
        titles = queries.job_titles(session, me(), ids)
        offered = _choices(_judgeable(session))
    return render_template(
        "labs/judge.html",
        judge=judge,
        version=versions[0],
        versions=versions,
        runs=runs,
        reports=reports,
        titles=titles,
        numbers={each.id: each.number for each in versions},
        offered=offered,
        words=judge_words,
    )


def _change_facts() -> dict[str, Any]:
    judge_id = (request.view_args or {})["judge_id"]
    with transaction() as session:
        judge = queries.judge_of(session, me(), judge_id)
        version = service.current_version(session, judge.id)
        endpoint = service.endpoint_name(session, version)
    return {"judge": judge, "values": _values(version, endpoint), **_offered()}


def _values(version: JudgeVersion, endpoint: str) -> dict[str, Any]:
    held = {name: getattr(version, name) for name in (*service.DEFAULTS, "model")}
    aspects = json.dumps(version.aspects, indent=2, ensure_ascii=False)
    return {**held, "endpoint": endpoint, "aspects": aspects, "dimensions_of": ""}


@judges.get("/<uuid:judge_id>/change")
@needs(Permission.JOBS_EDIT)
def edit(judge_id: UUID) -> str:
    """A form for the next version."""
    del judge_id  # Read from the request, as after a faulty form.
    return render_template("labs/judge_form.html", **_change_facts())


@judges.post("/<uuid:judge_id>/change")
@needs(Permission.JOBS_EDIT)
@form_page("labs/judge_form.html", _change_facts)
def change(judge_id: UUID) -> Response:
    """Make the next version, or say that nothing is new."""
    asked = load(JudgeForm)
    with transaction() as session:
        former = service.current_version(session, queries.judge_of(session, me(), judge_id).id)
        made = service.change_judge(session, me(), judge_id, _asked(session, asked))
    words = f"Version {made.number} is frozen. Earlier versions stay as they are."
    same = "Nothing that decides its answers has changed, so there is no new version."
    flash(same if made.number == former.number else words, "good")
    return redirect(url_for("lab_judges.show", judge_id=judge_id), code=303)


@judges.post("/<uuid:judge_id>/retire")
@needs(Permission.JOBS_EDIT)
def retire(judge_id: UUID) -> Response:
    """Ask it nothing new."""
    with transaction() as session:
        service.retire_judge(session, me(), judge_id)
    flash("The judge is retired; what it said and its reports stay.", "good")
    return redirect(url_for("lab_judges.listing"), code=303)


def _panel_facts() -> dict[str, Any]:
    judge_id = (request.view_args or {})["judge_id"]
    with transaction() as session:
        judge = queries.judge_of(session, me(), judge_id)
        version = service.current_version(session, judge.id)
        known = judge_panels.learned(session, me(), judge.id)
        rows = [
            (each["title"], [power.items_for(width, variance=judge_panels.variance_of(
                known, each["key"])) for width in power.HALF_WIDTHS])
            for each in version.aspects
        ]  # fmt: skip
        offered = _choices(_judgeable(session))
    return {
        "judge": judge,
        "version": version,
        "heads": ["Dimension", *((f"± {width:g}", "number") for width in power.HALF_WIDTHS)],
        "rows": rows,
        "learned": bool(known),
        "jobs": offered,
        "values": {"half_width": power.HALF_WIDTH, "experts": power.EXPERTS, "job": ""},
    }


@judges.get("/<uuid:judge_id>/panel")
@needs(Permission.JOBS_EDIT)
def panel(judge_id: UUID) -> str:
    """How large a panel would be, and whose items it would judge."""
    del judge_id  # Read from the request, as after a faulty form.
    return render_template("labs/judge_panel.html", **_panel_facts())


@judges.post("/<uuid:judge_id>/panel")
@needs(Permission.JOBS_EDIT)
@form_page("labs/judge_panel.html", _panel_facts)
def propose(judge_id: UUID) -> Response:
    """Draft the panel; the lab prices and publishes it as always."""
    asked = load(PanelForm)
    source = parse_id(asked["job"])
    if source is None:
        fault = Fault("/job", "Choose the job whose items are judged.")
        raise Faulty("The panel needs items.", [fault])
    with transaction() as session:
        judge = queries.judge_of(session, me(), judge_id)
        version = service.current_version(session, judge.id)
        draft = judge_panels.propose_panel(
            session,
            me(),
            judge_version_id=version.id,
            source_job_id=source,
            half_width=asked["half_width"],
            experts=asked["experts"],
        )
    flash("The panel is drafted. Ask the judge about its items, then see the price.", "good")
    return redirect(url_for("lab_judge_reports.of_job", job_id=draft.id), code=303)
