"""A bare application that shows the templates without a database: the stage for tests of look."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]
from jinja2 import StrictUndefined

from marketplace.money import Money
from marketplace.tasktypes import TASK_TYPES
from marketplace.web import filters, house, static_files
from marketplace.web.specialists.trace import trace_page
from tests.make.images import SCAN
from tests.tasktypes.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
NONCE = "stage"
POLICY = (
    f"default-src 'self'; script-src 'self' 'nonce-{NONCE}'; style-src 'self'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
)


@dataclass
class Received:
    """What the stage's workbench was sent."""

    drafts: list[dict[str, str]] = field(default_factory=list)
    matches: list[str | None] = field(default_factory=list)
    beats: list[Any] = field(default_factory=list)
    submitted: list[dict[str, str]] = field(default_factory=list)


def context(kind: str) -> dict[str, Any]:
    """What a view gives to workbench/<kind>.html, with the type's own example."""
    example = EXAMPLES[kind]
    now = datetime.now(UTC)
    slots = ["b", "a"] if kind == "pairwise" else TASK_TYPES[kind].slots(example.payload)
    return {
        "claim": {
            "id": f"claim-{kind}",
            "fence": 4,
            "expires_at": now + timedelta(minutes=28),
            "lease_seconds": 1_800,
            "pay": Money(45_00, "USD"),
            "presented_order": slots,
        },
        "job": {
            "title": "Second opinions",
            "task_type": kind,
            "instructions_html": filters.markdown("Judge what **serves the patient**."),
            "ai_policy": "disclosed",
        },
        "task": {"id": "task", "payload": example.payload, "template": example.template},
        "draft": None,
        "values": {},
        "errors": [],
        "urls": {
            "draft": "/draft",
            "heartbeat": "/beat",
            "submit": "/submit",
            "release": "/release",
            "outcome": "/outcome",
        },
    }


def make_stage() -> tuple[Flask, Received]:
    """The stage and what it will have received."""
    app = Flask(
        "stage",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "marketplace" / "static"),
    )
    app.secret_key = "stage"
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["csp_nonce"] = lambda: NONCE
    app.jinja_env.globals["trace_page"] = trace_page
    CSRFProtect(app)
    static_files.register(app)
    filters.register(app)
    received = Received()
    app.context_processor(lambda: {"frame": None, "request_id": g.get("request_id")})
    app.after_request(_with_policy)
    _add_pages(app)
    _add_workbench(app, received)
    return app, received


def _with_policy(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def _add_pages(app: Flask) -> None:
    @app.get("/")
    def home() -> str:
        return render_template("public/home.html")

    @app.get("/house/ui")
    def parts() -> str:
        return render_template("house/ui.html", frame=house.frame("lab"), sample=house.sample())

    @app.get("/errors/<name>")
    def error(name: str) -> str:
        facts = {"title": "A title", "detail": "What happened.", "errors": {"/title": "Empty."}}
        return render_template(f"errors/{name}.html", **facts)


def _add_workbench(app: Flask, received: Received) -> None:
    @app.get("/work/<kind>")
    def work(kind: str) -> str:
        return render_template(f"workbench/{kind}.html", **context(kind))

    @app.get("/images/<path:name>")
    def image(name: str) -> Response:
        return Response(SCAN, mimetype="image/png")

    @app.put("/draft")
    def save() -> tuple[Response, int, dict[str, str]]:
        received.drafts.append(request.form.to_dict())
        received.matches.append(request.headers.get("If-Match"))
        revision = len(received.drafts)
        body = jsonify(revision=revision, saved_at=datetime.now(UTC).isoformat())
        return body, 200, {"ETag": f'"{revision}"'}

    @app.post("/beat")
    def beat() -> Response:
        received.beats.append(json.loads(request.get_data()))
        return jsonify(expires_at=(datetime.now(UTC) + timedelta(minutes=30)).isoformat())

    @app.post("/submit")
    def submit() -> tuple[str, int] | Response:
        received.submitted.append(request.form.to_dict())
        if "choice" not in request.form:
            errors = {"errors": [("choice", "Choose an answer.")], "values": request.form}
            return render_template("workbench/pairwise.html", **context("pairwise") | errors), 422
        return Response(status=303, headers={"Location": "/work/ranking"})
