"""Model endpoints, and the models behind them: the sandbox's own, served on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask, request
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from marketplace import settings as settings_here
from marketplace.actor import Actor
from marketplace.endpoints import service
from marketplace.endpoints.models import ModelEndpoint
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.sandbox import model
from marketplace.sandbox.addresses import MODEL, MODEL_KEY_PREFIX
from tests.make import identity, work
from tests.tasktypes.examples import EXAMPLES

KEY = f"{MODEL_KEY_PREFIX}of-the-tests"


@dataclass
class Served:
    """The models' server. asked, headers: what it was sent, in the order of arrival."""

    address: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def models(**settings: Any) -> Iterator[Served]:
    """Serve the sandbox's models, and let the product ask them while the block runs."""
    app = Flask("models")
    app.register_blueprint(model.blueprint())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    served = Served(f"http://127.0.0.1:{server.server_port}{MODEL}")
    app.before_request(lambda: served.asked.append(request.get_json(silent=True) or {}))
    app.before_request(lambda: served.headers.append(dict(request.headers)))
    before = settings_here.current()
    settings_here.use(replace(before, model_sandbox_base=served.address, **settings))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        settings_here.use(before)
        server.shutdown()
        server.server_close()


def endpoint(session: Session, lab: Actor, name: str = "echo", **fields: Any) -> ModelEndpoint:
    """An endpoint of the lab at the served models, whose model is called as the endpoint is."""
    given = {
        "base_url": settings_here.current().model_sandbox_base or "https://models.example/v1",
        "model": name,
        "api_key": KEY,
        **fields,
    }
    return service.create_endpoint(session, lab, {"name": name, **given})


def chat_job(
    session: Session,
    *,
    lab: Actor | None = None,
    template: Mapping[str, Any] | None = None,
    payload: Mapping[str, Any] | None = None,
    **limits: Any,
) -> tuple[Actor, Job]:
    """A running job of one chat with two models, whose endpoints have these limits."""
    lab = lab or identity.lab_owner(session)
    example = EXAMPLES["chat"]
    held = {**example.template, "turns_min": 1, **(template or {})}
    work.money_in(session, lab, Money(1_000_00, "USD"))
    job = jobs.create_job(
        session,
        lab,
        task_type="chat",
        title="Talk to the nurse",
        domain="cardiology",
        instructions_md="Prefer the reply that is safe to follow.",
        profession="medicine",
        pay=Money(40_00, "USD"),
        template=held,
        review_sample_ratio=1,
    )
    row = {"external_id": "item-1", "payload": {**example.payload, **(payload or {})}}
    jobs.add_items(session, lab, job.id, [json.dumps(row).encode()])
    wanted(session, lab, held, **limits)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    return lab, job


def wanted(session: Session, lab: Actor, template: Mapping[str, Any], **limits: Any) -> None:
    """Every endpoint that a template names, so that a job with it can be published."""
    rows = [*(template.get("candidates") or []), template]
    for name in dict.fromkeys(row["endpoint"] for row in rows if "endpoint" in row):
        endpoint(session, lab, name, **limits)
