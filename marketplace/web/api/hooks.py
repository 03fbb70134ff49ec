"""What webhooks are sent, as the OpenAPI document tells it: an operation for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketplace.delivery.rules.kinds import KINDS, TEST, KindText, Reader, facts_of
from marketplace.delivery.rules.webhooks import SECONDS_MAX

# By the words that the catalogue has for them.
TYPES: Mapping[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "string or null": {"type": ["string", "null"]},
    "integer": {"type": "integer"},
    "integer or null": {"type": ["integer", "null"]},
    "boolean": {"type": "boolean"},
    "boolean or null": {"type": ["boolean", "null"]},
    "id": {"type": "string", "format": "uuid"},
    "array of strings": {"type": "array", "items": {"type": "string"}},
}
HEADERS = {
    "webhook-id": "The event's id: the same for each attempt and each time it is sent again.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and a signature, one for each secret that holds, as Standard "
    "Webhooks says.",
}
ANSWERS = {
    "2XX": "It was taken.",
    "410": "Nothing is there any more: the webhook is switched off.",
    "default": "It was not taken, and is tried again for three days. `Retry-After` is heard; "
    "redirects are not followed.",
}
SAYS = f"Check the signature, answer within {SECONDS_MAX:.0f} seconds, and do the work afterwards."
_ABOUT = {
    "job_id": {"type": ["string", "null"], "format": "uuid", "description": "the job"},
    "subject_id": {"type": "string", "format": "uuid", "description": "what it is about"},
}
_TEST = KindText(TEST, "Test", "Somebody wished to see whether a webhook arrives.")


def hooks(tag: str) -> dict[str, Any]:
    """The `webhooks` of the document: kinds that stand in a lab's feed, and the test."""
    told = [each for each in KINDS.values() if each.reader is not Reader.SPECIALIST]
    found = {each.kind: {"post": _operation(each, _data(each), tag)} for each in told}
    says = {"type": "object", "properties": {"says": TYPES["string"]}, "required": ["says"]}
    return found | {TEST: {"post": _operation(_TEST, says, tag)}}


def _operation(kind: KindText, data: dict[str, Any], tag: str) -> dict[str, Any]:
    return {
        "operationId": f"webhook.{kind.kind}",
        "summary": f"{kind.title}.",
        "description": f"{kind.says}\n\n{SAYS}",
        "tags": [tag],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": says,
                "schema": {"type": "string"},
            }
            for name, says in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _body(kind, data)}},
        },
        "responses": {status: {"description": says} for status, says in ANSWERS.items()},
    }


def _body(kind: KindText, data: dict[str, Any]) -> dict[str, Any]:
    number = "its place in the organisation's feed: the cursor of GET /events; 0 for a test"
    properties = {
        "id": {"type": "string", "format": "uuid"},
        "type": {"type": "string", "const": kind.kind},
        "timestamp": {"type": "string", "format": "date-time"},
        "number": {"type": "integer", "minimum": 0, "description": number},
        "data": data,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _data(kind: KindText) -> dict[str, Any]:
    facts = {name: TYPES[type_] | {"description": says} for name, type_, says in facts_of(kind)}
    return {"type": "object", "properties": facts | _ABOUT, "required": list(_ABOUT)}
