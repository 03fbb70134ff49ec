"""Idempotency keys, exactly as Stripe keeps them.

Whatever a call's execution answered, refusals and 500s included, is replayed for 24 hours of
virtual time; other parameters under the same key are an error; so is a key in flight (409).
The answer is written in the transaction of its effect, and "in flight" is an advisory lock of that
transaction, so a sandbox that dies in the middle leaves the key as if it had never been seen.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Tx

LIFETIME_SECONDS = 24 * 3_600
KEY_MAX = 255


@dataclass(frozen=True)
class Keyed:
    """A call under a key: what must be the same when the key comes back."""

    key: str
    path: str
    fingerprint: str
    request_id: str


@dataclass(frozen=True)
class Remembered:
    """What a key's first call was answered; `original` is the id of that request."""

    status: int
    body: str
    original: str


def keyed(key: str, method: str, path: str, params: dict[str, Any], request_id: str) -> Keyed:
    """The call under its key. Raises ApiError for a key that is empty or too long."""
    if not key or len(key) > KEY_MAX:
        raise ApiError(f"Idempotency keys have from 1 to {KEY_MAX} characters.")
    canonical = json.dumps([method, path, params], sort_keys=True)
    return Keyed(key, path, hashlib.sha256(canonical.encode()).hexdigest(), request_id)


def recall(tx: Tx, call: Keyed) -> Remembered | None:
    """What this key was answered before, or None for a fresh key, which is now in flight.

    Raises ApiError: 409 while another call with the key runs, 400 for other parameters.
    """
    free = tx.rows(
        sql.SQL("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS free"),
        (f"{tx.account}\n{call.key}",),
    )
    if not free[0]["free"]:
        raise ApiError(
            "There is currently another in-progress request using this Idempotent Key "
            "(that probably means you submitted twice, and the other request is still going "
            "through).",
            status=409,
            kind="idempotency_error",
            code="idempotency_key_in_use",
        )
    rows = tx.rows(
        sql.SQL(
            "SELECT * FROM sandbox_idempotency WHERE account = %s AND key = %s AND expires_at > %s"
        ),
        (tx.account, call.key, tx.now),
    )
    if not rows:
        return None
    if rows[0]["fingerprint"] != call.fingerprint:
        raise _mismatch(call, str(rows[0]["path"]))
    return Remembered(rows[0]["status"], rows[0]["body"], rows[0]["request_id"])


def _mismatch(call: Keyed, first_path: str) -> ApiError:
    if call.path != first_path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{call.path}' vs '{first_path}'). Try using a key other than "
            f"'{call.key}' if you meant to execute a different request."
        )
    else:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{call.key}' if you meant to execute "
            "a different request."
        )
    return ApiError(message, kind="idempotency_error")


def remember(tx: Tx, call: Keyed, status: int, body: str) -> None:
    """Keep an executed answer for its lifetime, in the transaction of its effect."""
    tx.run(
        sql.SQL(
            "INSERT INTO sandbox_idempotency VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (account, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
            " path = excluded.path, request_id = excluded.request_id, status = excluded.status,"
            " body = excluded.body, expires_at = excluded.expires_at"
        ),
        (
            tx.account,
            call.key,
            call.fingerprint,
            call.path,
            call.request_id,
            status,
            body,
            tx.now + LIFETIME_SECONDS,
        ),
    )
