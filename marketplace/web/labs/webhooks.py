"""Webhooks: where a lab's programs are told, their secrets, whether they take what is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from markupsafe import Markup
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.delivery.models import WebhookEndpoint
from marketplace.delivery.queries import webhooks as queries
from marketplace.delivery.rules.kinds import KINDS, KindText, Reader, facts_of
from marketplace.delivery.rules.webhooks import (
    KEPT_DAYS,
    OUTCOME_WORDS,
    WHY_WORDS,
    DeliveryState,
    host_of,
)
from marketplace.delivery.service import webhook_wishes as wishes
from marketplace.delivery.service import webhooks as service
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.web import plots
from marketplace.web.filters import reader_zone
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs, public

webhooks = Blueprint("lab_webhooks", __name__, url_prefix="/lab/webhooks")
PAGE = 25
GROUPS = {
    "job": "Jobs",
    "pipeline": "Pipelines",
    "import": "Imports",
    "task": "Tasks and answers",
    "quality": "Quality",
    "gold": "Gold",
    "qualification": "Qualifications",
    "export": "Exports",
    "budget": "Balance",
    "invoice": "Invoices",
    "dispute": "Disputed payments",
    "endpoint": "Webhooks",
    "payout": "Payouts",
    "credential": "Credentials",
}
OVERLAPS = [("24", "24 hours"), ("168", "7 days"), ("1", "1 hour"), ("0", "None: it has leaked")]
STATES = [
    ("", "Any state"),
    (DeliveryState.WAITING.value, "Waiting"),
    (DeliveryState.DELIVERED.value, "Delivered"),
    (DeliveryState.FAILED.value, "Failed"),
    (DeliveryState.CANCELLED.value, "Cancelled"),
]


class WebhookForm(Form):
    """An endpoint as the form says it."""

    url = fields.String(load_default="")
    description = fields.String(load_default="")
    kinds = fields.List(fields.String(), load_default=list)


class RotationForm(Form):
    """How many hours the former secret signs as well."""

    overlap_hours = fields.Integer(load_default=24)


def grouped(*readers: Reader) -> list[tuple[str, str, list[KindText]]]:
    """(group, its words, its kinds) of all kinds for these readers."""
    return [
        (f"{group}.*", words, found)
        for group, words in GROUPS.items()
        if (found := [each for each in KINDS.values()
                      if each.group == group and each.reader in readers])
    ]  # fmt: skip


def _words() -> dict[str, Any]:
    return {
        "groups": grouped(Reader.LAB, Reader.BOTH),
        "why_words": WHY_WORDS,
        "outcome_words": OUTCOME_WORDS,
        "host_of": host_of,
        "overlaps": OVERLAPS,
    }


@webhooks.get("")
@needs(Permission.WEBHOOKS_MANAGE)
def listing() -> str:
    """The organisation's endpoints."""
    with transaction() as session:
        rows = queries.webhooks_of(session, me(), limit=100)
    return render_template("labs/webhooks.html", rows=rows, **_words())


@webhooks.get("/kinds")
@public
def kinds() -> str:
    """The catalogue of kinds, for people."""
    groups = [
        (name, words, [(each, facts_of(each)) for each in found])
        for name, words, found in grouped(*Reader)
    ]
    return render_template("labs/webhook_kinds.html", groups=groups)


def _new_facts() -> dict[str, Any]:
    return {"hook": None, "now": {"url": "", "description": "", "kinds": []}, **_words()}


@webhooks.get("/new")
@needs(Permission.WEBHOOKS_MANAGE)
def new() -> str:
    """A form for a new one."""
    return render_template("labs/webhook_form.html", **_new_facts())


@webhooks.post("/new")
@needs(Permission.WEBHOOKS_MANAGE)
@form_page("labs/webhook_form.html", _new_facts)
def create() -> Response:
    """Set one up, and show its secret this one time."""
    asked = load(WebhookForm)
    with transaction() as session:
        made = service.create_webhook(session, me(), **asked)
    return _with_secret(made, "The webhook is set up")


def _with_secret(hook: WebhookEndpoint, done: str) -> Response:
    page = render_template("labs/webhook_secret.html", hook=hook, done=done, **_words())
    answer = Response(page, mimetype="text/html")
    # A page with a secret on it: neither a browser's cache nor a proxy keeps it.
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _facts() -> dict[str, Any]:
    hook_id = (request.view_args or {})["hook_id"]
    state = request.args.get("state", "")
    known = state if state in {each.value for each in DeliveryState} else ""
    kind = request.args.get("kind", "")
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        hook = queries.webhook_of(session, me(), hook_id)
        rows = queries.deliveries_of(
            session,
            me(),
            hook_id,
            state=DeliveryState(known) if known else None,
            kind=kind,
            after=after,
            limit=PAGE + 1,
        )
        last = queries.attempts_by_delivery(session, rows[:PAGE])
        waiting = queries.waiting_count(session, me(), hook_id)
        hours = queries.health_of(session, me(), hook_id)
    now = {"url": hook.url, "description": hook.description, "kinds": hook.kinds}
    return {
        "hook": hook,
        "now": now,
        "rows": rows[:PAGE],
        "next": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "last": last,
        "waiting": waiting,
        "plot": _plot(hours),
        "tried": sum(each.delivered + each.failed for each in hours),
        "taken": sum(each.delivered for each in hours),
        "states": STATES,
        "kinds": [("", "Any kind"), *((each, each) for each in KINDS)],
        "state": known,
        "kind": kind,
        "kept_days": KEPT_DAYS,
        "at": clock.now(),
        **_words(),
    }


def _plot(hours: list[queries.Hour]) -> Markup | None:
    if not any(each.delivered or each.failed for each in hours):
        return None
    zone = ZoneInfo(reader_zone())
    columns = [
        plots.Column(_label(each.at, zone), (each.delivered, each.failed)) for each in hours[-24:]
    ]
    title = "Attempts by the hour, the last 24 hours"
    return plots.bars(title, columns, ["Hour", "Taken", "Failed"][1:])


def _label(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H}"


@webhooks.get("/<uuid:hook_id>")
@needs(Permission.WEBHOOKS_MANAGE)
def show(hook_id: UUID) -> str:
    """One endpoint: how it does, what was delivered, its secret."""
    del hook_id  # Read from the request, as after a faulty form.
    return render_template("labs/webhook.html", **_facts())


@webhooks.get("/<uuid:hook_id>/change")
@needs(Permission.WEBHOOKS_MANAGE)
def edit(hook_id: UUID) -> str:
    """The form of an endpoint."""
    del hook_id
    return render_template("labs/webhook_form.html", **_facts())


@webhooks.post("/<uuid:hook_id>/change")
@needs(Permission.WEBHOOKS_MANAGE)
@form_page("labs/webhook_form.html", _facts)
def change(hook_id: UUID) -> Response:
    """Change it."""
    asked = load(WebhookForm)
    with transaction() as session:
        service.change_webhook(session, me(), hook_id, asked)
    flash("Saved.", "good")
    return _back(hook_id)


@webhooks.post("/<uuid:hook_id>/rotate")
@needs(Permission.WEBHOOKS_MANAGE)
@form_page("labs/webhook.html", _facts)
def rotate(hook_id: UUID) -> Response:
    """Make a new secret, and show it this one time."""
    overlap = timedelta(hours=load(RotationForm)["overlap_hours"])
    with transaction() as session:
        hook = service.rotate_secret(session, me(), hook_id, overlap=overlap)
    return _with_secret(hook, "The secret is new")


@webhooks.post("/<uuid:hook_id>/pause")
@needs(Permission.WEBHOOKS_MANAGE)
def pause(hook_id: UUID) -> Response:
    """Switch it off for now."""
    with transaction() as session:
        service.pause_webhook(session, me(), hook_id)
    flash("The webhook is paused. What happens meanwhile is kept for it.", "good")
    return _back(hook_id)


@webhooks.post("/<uuid:hook_id>/resume")
@needs(Permission.WEBHOOKS_MANAGE)
def resume(hook_id: UUID) -> Response:
    """Switch it on, with or without what it missed."""
    missed = request.form.get("missed") != "skip"
    with transaction() as session:
        service.resume_webhook(session, me(), hook_id, missed=missed)
    words = "What it missed is on its way." if missed else "It is told what happens from now on."
    flash(f"The webhook is on. {words}", "good")
    return _back(hook_id)


@webhooks.post("/<uuid:hook_id>/test")
@needs(Permission.WEBHOOKS_MANAGE)
def test(hook_id: UUID) -> Response:
    """Have a test delivered."""
    with transaction() as session:
        made = wishes.send_test(session, me(), hook_id)
    return redirect(url_for("lab_deliveries.show", delivery_id=made.id), code=303)


@webhooks.post("/<uuid:hook_id>/retire")
@needs(Permission.WEBHOOKS_MANAGE)
def delete(hook_id: UUID) -> Response:
    """Delete it for good."""
    with transaction() as session:
        service.retire_webhook(session, me(), hook_id)
    flash("The webhook is deleted, and its secret is gone.", "good")
    return redirect(url_for("lab_webhooks.listing"), code=303)


def _back(hook_id: UUID) -> Response:
    return redirect(url_for("lab_webhooks.show", hook_id=hook_id), code=303)
