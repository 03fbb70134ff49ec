"""Events: what happened, with a snapshot of the object as it was at that moment."""

from __future__ import annotations

import copy

from psycopg import sql
from psycopg.types.json import Jsonb

from marketplace.sandbox import deliveries
from marketplace.sandbox.errors import ApiError, no_such
from marketplace.sandbox.listing import Query, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Row, Tx, public

API_VERSION = "2026-10-28.endive"
TYPES_MAX = 20
_UNDELIVERED = (
    "EXISTS (SELECT 1 FROM sandbox_deliveries d"
    " WHERE d.event_id = sandbox_events.id AND d.state <> 'delivered')"
)


def announce(tx: Tx, kind: str, subject: Body, *, before: Body | None = None) -> None:
    """Record an event of the acting account and queue its deliveries.

    before: the object as it was, for `*.updated` events; what differs becomes
    `previous_attributes`.
    """
    content: Body = {"object": copy.deepcopy(public(subject))}
    if before is not None:
        content["previous_attributes"] = _changed(public(before), content["object"])
    event: Body = {
        "id": tx.new_id("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": tx.now,
        "data": content,
        "livemode": False,
        "request": {
            "id": tx.request.get("id"),
            "idempotency_key": tx.request.get("idempotency_key"),
        },
        "type": kind,
    }
    if tx.account:
        event["account"] = tx.account
    tx.run(
        sql.SQL("INSERT INTO sandbox_events VALUES (%s, %s, %s, %s, %s, %s)"),
        (event["id"], tx.account, tx.serial(), tx.now, kind, Jsonb(event)),
    )
    deliveries.enqueue(tx, event)
    tx.announced.append(event["id"])


def _changed(before: Body, after: Body) -> Body:
    return {key: before.get(key) for key in after if before.get(key) != after[key]}


def shown(tx: Tx, row: Row) -> Body:
    """An event as the API shows it, with the number of its deliveries still open."""
    waiting = tx.rows(
        sql.SQL(
            "SELECT count(*) AS open FROM sandbox_deliveries"
            " WHERE event_id = %s AND state IN ('waiting', 'held')"
        ),
        (row["id"],),
    )
    return {**row["body"], "pending_webhooks": waiting[0]["open"]}


def retrieve(tx: Tx, params: Params, event_id: str) -> Body:
    """GET /v1/events/{id}"""
    params.done()
    rows = tx.rows(
        sql.SQL("SELECT * FROM sandbox_events WHERE id = %s AND account = %s"),
        (event_id, tx.account),
    )
    if not rows:
        raise no_such("event", event_id)
    return shown(tx, rows[0])


def list_events(tx: Tx, params: Params) -> Body:
    """GET /v1/events, by type, types, created and delivery_success."""
    query = Query(
        noun="event",
        url="/v1/events",
        table="sandbox_events",
        render=lambda row: shown(tx, row),
    )
    wanted, kinds = params.text("type"), params.texts("types")
    if wanted and kinds:
        raise ApiError("You may only specify one of these parameters: type, types.", param="type")
    if len(kinds) > TYPES_MAX:
        raise ApiError(f"types takes at most {TYPES_MAX} names.", param="types")
    if wanted and "*" in wanted:
        query.where(sql.SQL("starts_with(type, %s)"), wanted.split("*", 1)[0])
    elif wanted or kinds:
        query.where(sql.SQL("type = ANY(%s)"), kinds or [wanted])
    delivered = params.flag("delivery_success")
    if delivered is not None:
        query.where(sql.SQL("NOT " + _UNDELIVERED) if delivered else sql.SQL(_UNDELIVERED))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("GET", "/v1/events", list_events),
    Route("GET", "/v1/events/<event_id>", retrieve),
)
