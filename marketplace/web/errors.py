"""The one table of exceptions and HTTP statuses, shown as a page, a fragment or problem+json.

A `Refused` carries a sentence for the person; `code` is for programs. Anything unexpected becomes
a 500 that tells a reference and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, json, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from marketplace.errors import (
    Conflict,
    Denied,
    Fault,
    Faulty,
    GatewayError,
    Missing,
    Refused,
    SignInNeeded,
    TooLarge,
    TooOften,
)
from marketplace.stripe_client import WebhookRefused
from marketplace.web import wording
from marketplace.web.guards import EmailUnverified
from marketplace.work.rules import DraftMoved

API_PREFIX = "/api/v1"
PROBLEM = "application/problem+json"
RETRY_SECONDS = 30
STATUS: Mapping[type[Exception], HTTPStatus] = {
    SignInNeeded: HTTPStatus.UNAUTHORIZED,
    Denied: HTTPStatus.FORBIDDEN,
    Missing: HTTPStatus.NOT_FOUND,
    DraftMoved: HTTPStatus.PRECONDITION_FAILED,
    Conflict: HTTPStatus.CONFLICT,
    TooOften: HTTPStatus.TOO_MANY_REQUESTS,
    Faulty: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    WebhookRefused: HTTPStatus.BAD_REQUEST,
    Refused: HTTPStatus.CONFLICT,
    GatewayError: HTTPStatus.SERVICE_UNAVAILABLE,
}
TITLES: Mapping[int, str] = {
    400: "The request could not be read",
    401: "Sign in first",
    403: "Your role does not allow this",
    404: "This is not here",
    405: "This address does not take that method",
    409: "This cannot be done now",
    412: "There is a later version",
    413: "This is too large",
    415: "This type of content is not taken here",
    416: "Nothing lies in that range",
    422: "Something in the input needs mending",
    429: "Too many tries in a short time",
    500: "We failed at this",
    503: "Another service is not answering",
}
CODES: Mapping[int, str] = {
    400: "malformed",
    401: "sign_in_needed",
    403: "denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "later_version",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "faulty_input",
    429: "too_often",
    500: "failed",
    503: "try_later",
}
UNREACHED = "A service that this needs is not answering. Try again in a moment."
FAILED = "The request was undone as a whole. The fault is ours; the reference helps us find it."
log = structlog.get_logger(__name__)


def status_of(error: Exception) -> HTTPStatus:
    """The HTTP status of an exception, by its nearest class in the table; else 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def register(app: Flask, *, away: type[Exception]) -> None:
    """Show every error of this application in the one way.

    away: what the database's driver raises when its server does not answer.
    """
    app.register_error_handler(EmailUnverified, _unverified)
    app.register_error_handler(SignInNeeded, _sign_in_needed)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(GatewayError, _unreached)
    app.register_error_handler(away, _unreached)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def problem(
    status: int, code: str, detail: str, faults: tuple[Fault, ...] = ()
) -> tuple[dict[str, Any], int]:
    """The body of RFC 9457 and its status."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "status": int(status),
        "code": code,
        "title": TITLES.get(status, HTTPStatus(status).phrase),
        "detail": detail,
    }
    if faults:
        body["errors"] = [{"pointer": one.pointer, "message": one.message} for one in faults]
    return body, int(status)


def wants_problem() -> bool:
    """Whether the caller is a program: the API, or a page's script that asked for JSON."""
    if request.path.startswith(API_PREFIX + "/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers


def shown(status: int, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> Response:
    """The error as the caller can use it."""
    if wants_problem():
        body, _ = problem(status, code, detail, faults)
        answer = Response(json.dumps(body), status=status, content_type=PROBLEM)
    else:
        answer = Response(_page(status, detail, faults), status=status, mimetype="text/html")
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="marketplace"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(status: int, detail: str, faults: tuple[Fault, ...]) -> str:
    facts = {
        "status": status,
        "title": TITLES.get(status, HTTPStatus(status).phrase),
        "detail": detail,
        "errors": [("", one.message) for one in faults],
        "request_id": g.get("request_id"),
    }
    if wants_fragment():
        return render_template("errors/fragment.html", **facts)
    try:
        return render_template(f"errors/{status}.html", **facts)
    except TemplateNotFound:
        return render_template("errors/error.html", **facts)


def _refused(error: Refused) -> AnyResponse:
    status = status_of(error)
    faults = error.faults if isinstance(error, Faulty) else ()
    answer = shown(status, error.code, error.message, faults)
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _sign_in_needed(error: SignInNeeded) -> AnyResponse:
    if wants_problem():
        return _refused(error)
    here = request.full_path.rstrip("?") if request.method == "GET" else _page_before()
    target = url_for("sign_in.form", next=here if here != "/" else None)
    if request.headers.get("HX-Request") == "true":
        return Response("", status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": target})
    return redirect(target, code=HTTPStatus.SEE_OTHER)


def _page_before() -> str:
    """The page of ours that the form stood on, so that its person returns there; else the start."""
    came = urlsplit(request.referrer or "")
    if came.netloc != request.host or not came.path:
        return "/"
    return f"{came.path}?{came.query}" if came.query else came.path


def _unverified(error: EmailUnverified) -> AnyResponse:
    if wants_problem():
        return _refused(error)
    return redirect(url_for("sign_in.unverified"), code=HTTPStatus.SEE_OTHER)


def _unreached(error: Exception) -> AnyResponse:
    log.warning("service_away", cause=type(error).__name__)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    answer = shown(status, CODES[status], UNREACHED)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _csrf(error: CSRFError) -> AnyResponse:
    del error
    advice = "This page was open for too long. Load it again and send the form once more."
    return shown(HTTPStatus.BAD_REQUEST, "form_expired", advice)


def _http(error: HTTPException) -> AnyResponse:
    if error.code is None or error.code < 400:
        return error.get_response()  # A redirect that the router asked for.
    faults = _argument_faults(error)
    detail = "Some of the input needs mending." if faults else _detail_of(error)
    answer = shown(error.code, CODES.get(error.code, "refused"), detail, faults)
    if error.code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return answer


def _detail_of(error: HTTPException) -> str:
    """What a view said when it refused; werkzeug's own words give way to ours."""
    if error.description and error.description != type(error).description:
        return error.description
    return wording.REFUSALS.get(error.code or 0, error.description or "")


def _argument_faults(error: HTTPException) -> tuple[Fault, ...]:
    """What flask-smorest found wrong: its messages stand under the place they came from."""
    messages = getattr(error, "data", {}).get("messages")
    if not isinstance(messages, dict) or not messages:
        return ()
    return faults_of(next(iter(messages.values())))


def faults_of(messages: Any, pointer: str = "") -> tuple[Fault, ...]:
    """Marshmallow's nested messages as faults with JSON pointers."""
    if isinstance(messages, dict):
        found: list[Fault] = []
        for key, inner in messages.items():
            part = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            found.extend(faults_of(inner, pointer + part))
        return tuple(found)
    if isinstance(messages, list):
        return tuple(fault for one in messages for fault in faults_of(one, pointer))
    return (Fault(pointer, wording.in_house(str(messages))),)


def _unexpected(error: Exception) -> AnyResponse:
    log.exception("request_failed", cause=type(error).__name__)
    return shown(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", f"{FAILED} ({g.get('request_id')})")
