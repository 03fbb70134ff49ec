"""Each request gets an id, one line in the log and its place in the metrics; nothing personal.

The line has the endpoint's name, not the path, since paths can hold secrets of one-time links.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import Counter, Histogram
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import BadRequest

from marketplace.ids import new_id
from marketplace.web import settings
from marketplace.web.errors import API_PREFIX

log = structlog.get_logger(__name__)
REQUESTS = Counter(
    "marketplace_requests_total", "Requests answered", ["method", "endpoint", "status"]
)
SECONDS = Histogram(
    "marketplace_request_seconds",
    "Time to an answer",
    ["method", "endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
View = TypeVar("View", bound=Callable[..., Any])
TAKES_UPLOADS = "marketplace_takes_uploads"
QUIET = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})


def takes_uploads(view: View) -> View:
    """Mark a view that takes files as large as UPLOAD_MAX_BYTES."""
    setattr(view, TAKES_UPLOADS, True)
    return view


def takes_up_to(size_bytes: int) -> Callable[[View], View]:
    """Mark a view that takes requests of so many bytes, more than forms have."""

    def mark(view: View) -> View:
        setattr(view, TAKES_UPLOADS, size_bytes)
        return view

    return mark


def _refuse_nul() -> None:
    """No row holds a NUL, so no address can mean one; pages overlook it in what follows the ?."""
    asked = [request.path]
    if request.path.startswith(API_PREFIX + "/"):
        asked += [text for pair in request.args.items(multi=True) for text in pair]
    if any("\0" in text for text in asked):
        raise BadRequest("There is a NUL character in this address.")


def register(app: Flask) -> None:
    """Number, time and log each request of the application."""

    @app.before_request
    def begin() -> None:
        g.request_id = str(new_id())
        g.began = time.perf_counter()
        clear_contextvars()
        bind_contextvars(request_id=g.request_id)
        _refuse_nul()
        view = current_app.view_functions.get(request.endpoint or "")
        takes = getattr(view, TAKES_UPLOADS, False)
        if takes:
            # Set before anything reads the form: whoever reads it first (the check of its token
            # does) decides how much may come.
            most = settings().upload_max_bytes
            request.max_content_length = most if takes is True else takes

    @app.after_request
    def end(answer: Response) -> Response:
        endpoint = request.endpoint or "unknown"
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(method, endpoint, str(answer.status_code)).inc()
        SECONDS.labels(method, endpoint).observe(seconds)
        if endpoint not in QUIET:  # An answer that leaves no line in the log needs no number.
            answer.headers["X-Request-Id"] = g.get("request_id", "")
            log.info(
                "request",
                method=method,
                endpoint=endpoint,
                status=answer.status_code,
                milliseconds=round(seconds * 1000, 1),
            )
        return answer


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
