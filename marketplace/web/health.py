"""Health, readiness and metrics, for machines that look after this one."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace import audit, limits, outbox
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.payouts import queries as payouts
from marketplace.web.guards import public, visitor

health = Blueprint("health", __name__)
DUE = Gauge("marketplace_outbox_due", "Pieces of background work that are due and not done")
OLDEST = Gauge("marketplace_outbox_oldest_seconds", "How long the oldest of them has been due")
UNNUMBERED = Gauge("marketplace_unnumbered", "Rows that wait for the sequencer", ["of"])
UNKNOWN = Gauge("marketplace_payout_lines_unknown", "Payout lines of an unknown outcome")
ALIVE = Gauge("marketplace_alive", "Whether a part gave a sign of life", ["part"])
OK, DOWN = "ok", "down"


@health.get("/healthz")
@public
def healthz() -> Response:
    """200 as long as this process lives."""
    return jsonify(status=OK)


@health.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """503 without the database or with a wrong migration; with `all=1`, without any part."""
    parts = {"database": _database(), **_others()}
    needed = parts if request.args.get("all") == "1" else {"database": parts["database"]}
    ready = all(state == OK for state in needed.values())
    return jsonify(status=OK if ready else DOWN, **parts), 200 if ready else 503


@health.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus metrics: for this machine itself, or a token that may view the system."""
    here = visitor()
    if not _is_local() and not (here is not None and here.actor.may(Permission.SYSTEM_VIEW)):
        raise Missing("This page is not here.")
    with transaction() as session:
        backlog = outbox.backlog(session)
        DUE.set(backlog.due)
        OLDEST.set(backlog.oldest_seconds)
        UNNUMBERED.labels("events").set(outbox.unnumbered(session))
        UNNUMBERED.labels("audit").set(audit.unnumbered(session))
        UNKNOWN.set(payouts.unknown_lines(session))
    for part, state in _others().items():
        ALIVE.labels(part).set(state == OK)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _is_local() -> bool:
    """Asked from this machine, and not on behalf of someone else by an untrusted proxy."""
    forwarded = any(name.lower().startswith("x-forwarded") for name, _ in request.headers)
    try:
        return ip_address(request.remote_addr or "").is_loopback and not forwarded
    except ValueError:
        return False


def _database() -> str:
    try:
        with transaction() as session:
            at = session.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError:
        return DOWN
    return OK if at == newest_revision() else "wrong migration"


def _others() -> dict[str, str]:
    """Redis, and the parts that leave a sign of life there (`heartbeat:<part>`)."""
    try:
        redis = limits.redis()
        redis.ping()
        alive = {part: bool(redis.exists(f"heartbeat:{part}")) for part in ("worker", "relay")}
    except RedisError:
        return {"redis": DOWN, "worker": DOWN, "relay": DOWN}
    return {"redis": OK, **{part: OK if lives else DOWN for part, lives in alive.items()}}


@cache
def newest_revision() -> str:
    """The migration that this version of the product was written for."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "migrations"
    folder = inside if inside.is_dir() else package.parent / "migrations"
    configuration = Config()
    configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(configuration).get_current_head() or ""
