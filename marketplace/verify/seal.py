"""What is hashed, and how: shared by whoever makes a proof and whoever checks it.

Only the standard library stands here, so that a proof can be checked where no server is installed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

SALT_BYTES = 16
DIGEST_BYTES = 16  # Of a line's SHA-256 as a proof lists it; the file's own is listed whole.
# What an author's hand-in fixes, by the names that an exported row of the envelope has for it.
SEALED = (
    "annotation_id",
    "item_content_sha256",
    "template_version",
    "guidelines_sha256",
    "ai_policy",
    "judgement",
    "rationale",
    "rationale_claims",
    "confidence",
    "flags",
    "references",
    "ai_use",
    "presented_order",
    "opened_at",
    "submitted_at",
    "active_seconds",
    "spent",
    "repeats",
    "round",
)
# What a verdict fixes, by the names that the envelope's `review` has for it.
SEALED_VERDICT = ("decision_id", "verdict", "defects", "note", "reviewer", "decided_at")


def number_of(text: str) -> int | float | str:
    """A number with a point or an exponent as it is compared: whole ones as whole numbers.

    Databases and programs write 1e2, 100.0 and 100 for each other; what they mean is one number.
    """
    value = float(text)
    if not math.isfinite(value):
        return text
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else value


def written(value: Any) -> bytes:
    """Canonical JSON of what `number_of` has read: keys sorted, no spaces, UTF-8."""
    return _write(value).encode()


def read(text: str) -> Any:
    """A JSON value with its numbers as `number_of` reads them."""
    return _read(text)


def canonical(value: Any) -> bytes:
    """Canonical JSON of any JSON value; equal values give equal bytes, whoever wrote them."""
    return written(_read(json.dumps(value)))


# Made once: a million lines are read and written with them.
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_read = json.JSONDecoder(parse_float=number_of).decode


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the hand-in of an envelope's row fixed, with the pseudonym of its author."""
    author = row.get("author")
    pseudonym = author.get("pseudonym") if isinstance(author, Mapping) else None
    return {"pseudonym": pseudonym} | {name: row.get(name) for name in SEALED}


def verdict_of(annotation_id: str, review: Mapping[str, Any]) -> dict[str, Any]:
    """What a verdict on a judgement fixed."""
    return {"annotation_id": annotation_id} | {name: review.get(name) for name in SEALED_VERDICT}


def commitment(salt: bytes, content: Mapping[str, Any]) -> bytes:
    """HMAC-SHA256 of canonical content: it says nothing without the salt, and fits nothing else."""
    return commitment_of_read(salt, _read(json.dumps(content)))


def commitment_of_read(salt: bytes, content: Mapping[str, Any]) -> bytes:
    """The same, of content whose numbers are as `read` reads them."""
    return hmac.digest(salt, written(content), "sha256")


def link(before: bytes, number: int, event: Mapping[str, Any]) -> bytes:
    """The link of a chain that follows `before`; event: id, kind, subject_id, facts, announced_at.

    The same as the server's chain of events: SHA-256 over the former link and canonical JSON.
    """
    content = {
        "number": number,
        "id": event["id"],
        "kind": event["kind"],
        "subject_id": event["subject_id"],
        "facts": event["facts"],
        "announced_at": event["announced_at"],
    }
    return hashlib.sha256(before + written(content)).digest()


def line_digest(line: bytes) -> bytes:
    """What a proof lists for a line, its end included."""
    return hashlib.sha256(line).digest()[:DIGEST_BYTES]


def row_digest(row: Mapping[str, Any]) -> bytes:
    """What a proof lists for a row of a table, which has no bytes of its own."""
    text = json.dumps(dict(row), default=_spelt)
    return line_digest(written(_read(text)))


def _spelt(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    said = getattr(value, "isoformat", None)
    return said() if said is not None else str(value)


def signed_bytes(purpose: str, statement: Mapping[str, Any]) -> bytes:
    """What a signature covers: its purpose, so that none passes for another, and the statement."""
    return f"marketplace {purpose} v1\n".encode() + canonical(statement)
