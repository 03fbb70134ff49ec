"""Faults on request: each row bends the next calls or deliveries that match it, then is used up.

Faults of calls: `rate_limit` and `lock_timeout` (429, before anything), `drop_before` (the
connection ends, nothing executed), `slow` (sleeps while the call is in flight), `error_500` (not
executed, remembered by the key), `error_500_after` (executed, yet answered and remembered as 500),
`error_503` (not executed, not remembered), `timeout` (executed, then silence, then the connection
ends), `drop` (executed, then the connection ends).
Faults of deliveries: `duplicate`, `delay`, `drop`, `reorder`, `before_response`.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Body, Row, Tx

API_KINDS = frozenset(
    {
        "rate_limit",
        "lock_timeout",
        "drop_before",
        "slow",
        "error_500",
        "error_500_after",
        "error_503",
        "timeout",
        "drop",
    }
)
WEBHOOK_KINDS = frozenset({"duplicate", "delay", "drop", "reorder", "before_response"})


@dataclass(frozen=True)
class Fault:
    """What is to go wrong with one call; seconds: how long `slow` and `timeout` take."""

    kind: str
    seconds: float


def add(tx: Tx, wanted: Body) -> int:
    """Queue a fault from the control's JSON; its id. Raises ApiError when it makes no sense."""
    target = wanted.get("target", "api")
    kinds = {"api": API_KINDS, "webhook": WEBHOOK_KINDS}.get(target)
    if kinds is None or wanted.get("kind") not in kinds:
        raise ApiError(
            "A fault needs a target (api or webhook) and one of its kinds.", param="kind"
        )
    rows = tx.rows(
        sql.SQL(
            "INSERT INTO sandbox_faults"
            " (target, kind, method, path, types, skip, remaining, seconds, copies)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id"
        ),
        (
            target,
            wanted["kind"],
            str(wanted.get("method", "")).upper(),
            str(wanted.get("path", "")),
            [str(kind) for kind in wanted.get("types", [])],
            _whole(wanted, "skip", 0),
            _whole(wanted, "count", 1),
            _seconds(wanted),
            _whole(wanted, "copies", 2),
        ),
    )
    return int(rows[0]["id"])


def _whole(wanted: Body, name: str, default: int) -> int:
    value = wanted.get(name, default)
    if type(value) is not int or not 0 <= value <= 10_000:
        raise ApiError(f"{name} must be a whole number from 0 to 10000.", param=name)
    return value


def _seconds(wanted: Body) -> float:
    value = wanted.get("seconds", 1.0)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 3_600:
        raise ApiError("seconds must be a number from 0 to 3600.", param="seconds")
    return float(value)


def take_api(tx: Tx, method: str, path: str) -> Fault | None:
    """The fault for this call, used up by one; None when nothing is to go wrong.

    A fault's path matches itself and everything below it; its `skip` lets calls pass first.
    """
    rows = tx.rows(
        sql.SQL(
            "SELECT * FROM sandbox_faults WHERE target = 'api' AND remaining > 0"
            " AND method IN ('', %s) AND (path = '' OR path = %s OR starts_with(%s, path || '/'))"
            " ORDER BY id LIMIT 1 FOR UPDATE"
        ),
        (method, path, path),
    )
    taken = _use(tx, rows)
    return Fault(taken["kind"], taken["seconds"]) if taken else None


def take_webhook(tx: Tx, event_type: str) -> Row | None:
    """The fault for this event's deliveries, with `remaining` as it is after this use."""
    rows = tx.rows(
        sql.SQL(
            "SELECT * FROM sandbox_faults WHERE target = 'webhook' AND remaining > 0"
            " AND (types = '{}' OR %s = ANY(types)) ORDER BY id LIMIT 1 FOR UPDATE"
        ),
        (event_type,),
    )
    return _use(tx, rows)


def _use(tx: Tx, rows: list[Row]) -> Row | None:
    if not rows:
        return None
    column = "skip" if rows[0]["skip"] else "remaining"
    tx.run(
        sql.SQL("UPDATE sandbox_faults SET {0} = {0} - 1 WHERE id = %s").format(
            sql.Identifier(column)
        ),
        (rows[0]["id"],),
    )
    if column == "skip":
        return None
    return {**rows[0], "remaining": rows[0]["remaining"] - 1}
