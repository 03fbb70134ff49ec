"""Each request gets an id, one line in the log and its place in the metrics; nothing personal.

The line has the endpoint's name, not the path, since paths can hold secrets of one-time links.
"""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram
from structlog.contextvars import bind_contextvars, clear_contextvars

from marketplace.ids import new_id

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
QUIET = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})


def register(app: Flask) -> None:
    """Number, time and log each request of the application."""

    @app.before_request
    def begin() -> None:
        g.request_id = str(new_id())
        g.began = time.perf_counter()
        clear_contextvars()
        bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(answer: Response) -> Response:
        endpoint = request.endpoint or "unknown"
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(method, endpoint, str(answer.status_code)).inc()
        SECONDS.labels(method, endpoint).observe(seconds)
        answer.headers["X-Request-Id"] = g.get("request_id", "")
        if endpoint not in QUIET:
            log.info(
                "request",
                method=method,
                endpoint=endpoint,
                status=answer.status_code,
                milliseconds=round(seconds * 1000, 1),
            )
        return answer


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
