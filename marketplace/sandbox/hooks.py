"""A lab's server that takes webhooks: it answers, and shows what it was sent.

Any path below /hooks takes what is posted there. The first word of the path says how it behaves:
`slow` answers after some seconds, `broken` with 500, `busy` with 429 and a Retry-After, `gone` with
410; everything else takes what comes. The newest messages are kept while the program runs, by path,
so that one sees on both sides what a delivery was.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from flask import Blueprint, Response, request

from marketplace.sandbox.addresses import HOOKS
from marketplace.sandbox.pages import Page, page

KEPT = 50
BODY_SHOWN = 4_000
SLOW_SECONDS = 5.0
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
ANSWERS: Mapping[str, tuple[int, str]] = {
    "broken": (500, "The server had an error."),
    "busy": (429, "Too many at once."),
    "gone": (410, "Nobody lives here any more."),
}


@dataclass(frozen=True)
class Message:
    """What was posted. status: what it was answered; headers: those that sign it."""

    path: str
    at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    kind: str
    body: str


class Hooks:
    """The newest messages, kept in memory: a restart forgets them."""

    def __init__(self) -> None:
        self._kept: deque[Message] = deque(maxlen=KEPT)
        self._lock = Lock()

    def take(self, path: str) -> Response:
        """POST: keep a message, and answer as the path says."""
        manner = path.partition("/")[0]
        if manner == "slow":
            time.sleep(SLOW_SECONDS)
        status, words = ANSWERS.get(manner, (200, "Thank you."))
        body = request.get_data(as_text=True)[:BODY_SHOWN]
        headers = tuple((name, request.headers.get(name, "")) for name in SIGNED)
        at = datetime.fromtimestamp(time.time(), UTC)
        message = Message(path, at, status, headers, *_read(body))
        with self._lock:
            self._kept.appendleft(message)
        answer = Response(words, status=status, mimetype="text/plain")
        if manner == "busy":
            answer.headers["Retry-After"] = "30"
        return answer

    def listed(self) -> Page:
        """What came, newest first."""
        with self._lock:
            messages = list(self._kept)
        manners = ["slow", *ANSWERS]
        return page("hooks", messages=messages, manners=manners, root=request.base_url)


def _read(body: str) -> tuple[str, str]:
    """(type, body as people read it) of a message; of what is no JSON, as it came."""
    try:
        found = json.loads(body)
    except ValueError:
        return "", body
    kind = str(found.get("type", "")) if isinstance(found, dict) else ""
    return kind, json.dumps(found, indent=2, ensure_ascii=False)


def blueprint() -> Blueprint:
    """The receiver, below /hooks."""
    hooks = Hooks()
    routes = Blueprint("hooks", __name__, url_prefix=HOOKS)
    routes.add_url_rule("", "listed", hooks.listed)
    routes.add_url_rule("/<path:path>", "take", hooks.take, methods=["POST"])
    return routes
