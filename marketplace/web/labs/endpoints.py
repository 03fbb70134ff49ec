"""Model endpoints: where a lab's models answer, with their keys, sampling and limits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.endpoints import queries, service
from marketplace.endpoints.models import ModelEndpoint
from marketplace.endpoints.rules import DEFAULTS, OUTCOME_WORDS, LimitField, NameTaken, Outcome
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs import queries as jobs
from marketplace.web.endpoints import tried
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs

endpoints = Blueprint("lab_endpoints", __name__, url_prefix="/lab/models")
REPLY_SHOWN = 300
LIMIT_FIELDS = [(each.value, each.value) for each in LimitField]


class EndpointForm(Form):
    """An endpoint as the form says it; numbers that are left empty are not given."""

    base_url = fields.String(load_default="")
    model = fields.String(load_default="")
    api_key = fields.String(load_default="")
    system_prompt = fields.String(load_default="")
    temperature = fields.String(load_default="")
    top_p = fields.String(load_default="")
    limit_field = fields.String(load_default=LimitField.MAX_TOKENS.value)
    tokens_a_turn_max = fields.Integer(load_default=DEFAULTS["tokens_a_turn_max"])
    turns_max = fields.Integer(load_default=DEFAULTS["turns_max"])
    calls_a_job_max = fields.Integer(load_default=DEFAULTS["calls_a_job_max"])
    timeout_seconds = fields.Integer(load_default=DEFAULTS["timeout_seconds"])


class NewEndpointForm(EndpointForm):
    """A new one has a name too."""

    name = fields.String(load_default="")


def _words() -> dict[str, Any]:
    return {"outcomes": OUTCOME_WORDS, "answered": Outcome.ANSWERED, "limit_fields": LIMIT_FIELDS}


@endpoints.get("")
@needs(Permission.JOBS_VIEW)
def listing() -> str:
    """The organisation's endpoints."""
    with transaction() as session:
        rows = queries.endpoints_of(session, me(), limit=200)
    return render_template("labs/endpoints.html", rows=rows, **_words())


@endpoints.get("/new")
@needs(Permission.JOBS_EDIT)
def new() -> str:
    """A form for a new one."""
    return render_template("labs/endpoint.html", **_new_facts())


def _new_facts() -> dict[str, Any]:
    values = dict.fromkeys(("name", "base_url", "model"), "") | dict(DEFAULTS)
    return {"endpoint": None, "values": values, "uses": [], **_words()}


@endpoints.post("/new")
@needs(Permission.JOBS_EDIT)
@form_page("labs/endpoint.html", _new_facts)
def create() -> Response:
    """Set one up."""
    asked = load(NewEndpointForm)
    try:
        with transaction() as session:
            made = service.create_endpoint(session, me(), asked)
    except NameTaken as taken:
        raise Faulty(taken.message, [Fault("/name", taken.message)]) from None
    flash("The endpoint is set up. Try it before a job uses it.", "good")
    return redirect(url_for("lab_endpoints.show", endpoint_id=made.id), code=303)


def _facts() -> dict[str, Any]:
    endpoint_id = (request.view_args or {})["endpoint_id"]
    with transaction() as session:
        endpoint = queries.endpoint_of(session, me(), endpoint_id)
        uses = [
            (jobs.job_of(session, me(), each.job_id), each.calls)
            for each in queries.uses_of(session, me(), endpoint_id)
        ]
    return {"endpoint": endpoint, "values": _values(endpoint), "uses": uses, **_words()}


def _values(endpoint: ModelEndpoint) -> dict[str, Any]:
    names = (*DEFAULTS, "name", "base_url", "model")
    return {name: getattr(endpoint, name) for name in names if name != "api_key"}


@endpoints.get("/<uuid:endpoint_id>")
@needs(Permission.JOBS_VIEW)
def show(endpoint_id: UUID) -> str:
    """One endpoint: its form, its last try, what its jobs used."""
    del endpoint_id  # Read from the request, as after a faulty form.
    return render_template("labs/endpoint.html", **_facts())


@endpoints.post("/<uuid:endpoint_id>")
@needs(Permission.JOBS_EDIT)
@form_page("labs/endpoint.html", _facts)
def change(endpoint_id: UUID) -> Response:
    """Change it; an empty key leaves the one that is kept."""
    asked = load(EndpointForm)
    if request.form.get("no_key") == "true":
        asked["api_key"] = None
    elif not asked["api_key"]:
        del asked["api_key"]
    with transaction() as session:
        had_key = queries.endpoint_of(session, me(), endpoint_id).api_key is not None
        changed = service.change_endpoint(session, me(), endpoint_id, asked)
    lost = had_key and changed.api_key is None and request.form.get("no_key") != "true"
    more = " The key went with the old address: write the one for this address." if lost else ""
    flash(f"Saved.{more}", "watch" if lost else "good")
    return redirect(url_for("lab_endpoints.show", endpoint_id=endpoint_id), code=303)


@endpoints.post("/<uuid:endpoint_id>/test")
@needs(Permission.JOBS_EDIT)
def test(endpoint_id: UUID) -> Response:
    """Ask the model one small question."""
    reply = tried(me(), endpoint_id)
    if reply.outcome is Outcome.ANSWERED:
        text = " ".join(reply.text.split())[:REPLY_SHOWN]
        flash(f"It answered after {reply.seconds:.1f} seconds: “{text}”", "good")
    else:
        flash(OUTCOME_WORDS[reply.outcome], "stop")
    return redirect(url_for("lab_endpoints.show", endpoint_id=endpoint_id), code=303)


@endpoints.post("/<uuid:endpoint_id>/retire")
@needs(Permission.JOBS_EDIT)
def retire(endpoint_id: UUID) -> Response:
    """Ask it nothing any more, and forget its key."""
    with transaction() as session:
        service.retire_endpoint(session, me(), endpoint_id)
    flash("The endpoint is retired, and its key is gone.", "good")
    return redirect(url_for("lab_endpoints.listing"), code=303)
