"""The queue of webhook deliveries: who gets which event, and in which order.

Faults asked for by tests bend it here: an event may be duplicated, delayed, dropped, reordered,
or delivered before the API call that caused it has answered.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from marketplace.sandbox import faults
from marketplace.sandbox.store import Body, Row, Tx

CONFIGURED_ID = "we_configured"
FIRST_RANK = 10**15  # Deliveries forced before a response go ahead of all others.
RESCUE_SECONDS = 5.0  # A request that dies before it delivered leaves its deliveries to the queue.


def enqueue(tx: Tx, event: Body) -> None:
    """Queue one event for every endpoint that wants it."""
    endpoints = _endpoints_for(tx, event)
    if not endpoints:
        return
    fault = faults.take_webhook(tx, event["type"])
    for endpoint_id in endpoints:
        _queue(tx, event["id"], endpoint_id, fault)
    if fault is not None and fault["kind"] == "reorder" and fault["remaining"] == 0:
        _release_reversed(tx)


def _endpoints_for(tx: Tx, event: Body) -> list[str]:
    rows = tx.rows(
        sql.SQL("SELECT body FROM sandbox_objects WHERE kind = 'webhook_endpoint' ORDER BY serial")
    )
    return [row["body"]["id"] for row in rows if _wants(row["body"], event)]


def _wants(endpoint: Body, event: Body) -> bool:
    if endpoint["status"] != "enabled":
        return False
    wanted = endpoint["enabled_events"]
    if "*" not in wanted and event["type"] not in wanted:
        return False
    # The endpoint given on the command line hears the platform and its accounts alike.
    return bool(endpoint["id"] == CONFIGURED_ID or endpoint["_connect"] == ("account" in event))


def _queue(tx: Tx, event_id: str, endpoint_id: str, fault: Row | None) -> None:
    kind = fault["kind"] if fault else ""
    state = {"drop": "dropped", "reorder": "held"}.get(kind, "waiting")
    copies = fault["copies"] if fault and kind == "duplicate" else 1
    seconds = fault["seconds"] if fault and kind == "delay" else 0.0
    rank = 0
    if kind == "before_response":
        seconds, rank = RESCUE_SECONDS, -FIRST_RANK
    for _ in range(copies):
        tx.run(
            sql.SQL(
                "INSERT INTO sandbox_deliveries (event_id, endpoint_id, state, due_at, rank)"
                " VALUES (%s, %s, %s, now() + make_interval(secs => %s), %s)"
            ),
            (event_id, endpoint_id, state, seconds, rank),
        )


def _release_reversed(tx: Tx) -> None:
    tx.run(
        sql.SQL(
            "UPDATE sandbox_deliveries SET state = 'waiting', due_at = now(), rank = -id"
            " WHERE state = 'held'"
        )
    )


def release_held(tx: Tx) -> int:
    """Let held events go, newest first, although the reordering is not full; how many went."""
    tx.run(sql.SQL("DELETE FROM sandbox_faults WHERE kind = 'reorder'"))
    held = tx.rows(sql.SQL("SELECT count(*) AS held FROM sandbox_deliveries WHERE state = 'held'"))
    _release_reversed(tx)
    return int(held[0]["held"])


def lease(tx: Tx, seconds: float, *, only: Sequence[str] | None = None) -> Row | None:
    """Take the next delivery that is due, out of other workers' reach for some seconds.

    only: event ids whose `before_response` deliveries are wanted, instead of what is due.
    """
    due: sql.SQL | sql.Composed = sql.SQL("due_at <= now()")
    if only is not None:
        due = sql.SQL("rank = {} AND event_id = ANY(%s)").format(sql.Literal(-FIRST_RANK))
    rows = tx.rows(
        sql.SQL(
            "UPDATE sandbox_deliveries SET attempts = attempts + 1,"
            " due_at = now() + make_interval(secs => %s)"
            " WHERE id = (SELECT id FROM sandbox_deliveries"
            "  WHERE state = 'waiting' AND {}"
            "  ORDER BY rank, id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING *"
        ).format(due),
        (seconds, list(only)) if only is not None else (seconds,),
    )
    return rows[0] if rows else None


def record(tx: Tx, delivery_id: int, *, state: str, outcome: str, again_seconds: float) -> None:
    """Write down how an attempt went, and when to try again while it is still waiting."""
    tx.run(
        sql.SQL(
            "UPDATE sandbox_deliveries SET state = %s, outcome = %s,"
            " due_at = now() + make_interval(secs => %s) WHERE id = %s"
        ),
        (state, outcome, again_seconds, delivery_id),
    )
