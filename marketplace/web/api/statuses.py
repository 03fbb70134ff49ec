"""Which answers an operation can give: told by its guard and decorators, not listed on each.

What they cannot tell is said by `@refuses(409)` beside the route, such as a file that is not there
yet. The contract tests call every operation and find what neither says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from marketplace.web.errors import TITLES
from marketplace.web.guards import Access, Guard
from marketplace.web.requests import TAKES_UPLOADS

View = TypeVar("View", bound=Callable[..., Any])
REFUSES = "marketplace_refuses"
KEYED = "marketplace_keyed"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEY_PARAMETER = "IdempotencyKey"
KEY = {
    "required": False,
    "description": "A text of your own. The same call with the same key acts once, and is "
    "answered alike for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 1}
HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {
        "WWW-Authenticate": {
            "required": True,
            "description": "How to sign in: by a bearer token.",
            "schema": _TEXT,
        }
    },
    429: {
        "Retry-After": {
            "required": True,
            "description": "How many seconds to wait.",
            "schema": _SECONDS,
        }
    },
    503: {
        "Retry-After": {
            "required": True,
            "description": "How many seconds to wait.",
            "schema": _SECONDS,
        }
    },
}


def refuses(*statuses: int) -> Callable[[View], View]:
    """Say that a view can answer so, where its guard and decorators do not tell."""

    def mark(view: View) -> View:
        said = getattr(view, REFUSES, frozenset()) | frozenset(statuses)
        setattr(view, REFUSES, said)
        return view

    return mark


def keyed(view: View) -> View:
    """Say that a view takes an Idempotency-Key, by `once` or by `kept` and `keep`."""
    setattr(view, KEYED, True)
    return view


def is_keyed(view: Callable[..., Any]) -> bool:
    """Whether the view takes an Idempotency-Key."""
    return bool(getattr(view, KEYED, False))


def refusals(view: Callable[..., Any], guard: Guard, rule: str, method: str) -> list[int]:
    """The statuses from 400 on that the operation can answer with, in order."""
    return sorted({*_of_anyone(guard), *_of_input(view, rule, method), *getattr(view, REFUSES, ())})


def _of_anyone(guard: Guard) -> Iterator[int]:
    """An address with NUL in it; and what can become of any call that needs a token."""
    yield HTTPStatus.BAD_REQUEST
    if guard.access is not Access.PUBLIC:
        yield HTTPStatus.UNAUTHORIZED
        yield HTTPStatus.FORBIDDEN
        yield HTTPStatus.TOO_MANY_REQUESTS
        yield HTTPStatus.SERVICE_UNAVAILABLE


def _of_input(view: Callable[..., Any], rule: str, method: str) -> Iterator[int]:
    if "<" in rule:
        yield HTTPStatus.NOT_FOUND
    locations = {place for place, _ in arguments_of(view)}
    if locations:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if "json" in locations:
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if method in WRITES:
        yield HTTPStatus.CONFLICT
        if takes_body(view) or is_keyed(view):
            yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            yield HTTPStatus.UNPROCESSABLE_ENTITY


def arguments_of(view: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Where each of its schemas reads from (`json`, `query`), and the schema."""
    documented = getattr(view, "_apidoc", {}).get("arguments", {})
    for parameter in documented.get("parameters", []):
        yield parameter["in"], parameter["schema"]


def takes_body(view: Callable[..., Any]) -> bool:
    """Whether the operation reads a body."""
    documented = getattr(view, "_apidoc", {})
    return (
        any(place in {"json", "form", "files"} for place, _ in arguments_of(view))
        or "requestBody" in documented.get("manual_doc", {})
        or bool(getattr(view, TAKES_UPLOADS, False))
    )


def problem_answer(status: int, problem: Any) -> dict[str, Any]:
    """How the document describes a status, once for all operations."""
    phrase = HTTPStatus(status).phrase
    answer: dict[str, Any] = {"description": TITLES.get(status, phrase), "schema": problem}
    if status in HEADERS:
        answer["headers"] = HEADERS[status]
    return answer
