"""Whether a webhook came from the marketplace: the Standard Webhooks specification, version 1.

Needs nothing but Python, so that a receiver may copy this file alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"


class NotGenuine(Exception):
    """The payload is not signed with this secret, or too old to be believed."""


def verify_webhook(
    payload: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_seconds: int = TOLERANCE_SECONDS,
    now: float | None = None,
) -> dict[str, Any]:
    """The event that a request carries, once its signature is checked.

    payload: the body exactly as it came; secret: `whsec_…`, shown when the endpoint was made;
    during a rotation either secret is good. Answer each id (`webhook-id`) once: a delivery may come
    twice. Raises NotGenuine.
    """
    body = payload.encode() if isinstance(payload, str) else payload
    told = {name.lower(): value for name, value in headers.items()}
    try:
        event, at = told["webhook-id"], told["webhook-timestamp"]
        given = told["webhook-signature"].split()
        age = (time.time() if now is None else now) - int(at)
    except (KeyError, ValueError):
        raise NotGenuine("The headers of a webhook are missing or cannot be read.") from None
    if abs(age) > tolerance_seconds:
        raise NotGenuine("The webhook is too old, or this clock is wrong.")
    signed = f"{event}.{at}.".encode() + body
    wanted = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
    same = [hmac.compare_digest(f"v1,{wanted}".encode(), each.encode()) for each in given]
    if not any(same):
        raise NotGenuine("The webhook is not signed with this secret.")
    found: dict[str, Any] = json.loads(body)
    return found


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise NotGenuine("The secret is none: it begins with whsec_.") from None
