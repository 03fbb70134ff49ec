"""Waiting for something without asking over and over: each look follows an event of the feed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from marketplace.client.engine import Engine, to_json
from marketplace.client.errors import NotFound, Refusal, ServerFailed, TimedOut, Unreachable
from marketplace.client.records import AnyId, Json

POLL_SECONDS = 25
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.25, 5.0
# A burst of events is one reason to look, not a hundred.
BURST_SECONDS = 0.5
EVENTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Waited:
    """What a look saw. done: whether it is what was waited for."""

    seen: Any
    done: bool


async def awaited(
    engine: Engine,
    look: Callable[[], Awaitable[Waited]],
    *,
    job_id: AnyId | None,
    timeout: float | None,
) -> Any:
    """What a look sees when it is done. job_id: whose events say when to look again; None looks
    after pauses that grow. Raises TimedOut and what `look` raises."""
    until = None if timeout is None else time.monotonic() + timeout
    # The cursor comes first: what happens between it and the first look is an event after it.
    cursor = None if job_id is None else await head(engine)
    pause = PAUSE_SECONDS
    while True:
        waited = await look()
        if waited.done:
            return waited.seen
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            words = f"It has not come in {timeout:g} seconds."
            raise TimedOut(words, waited.seen)
        if cursor is None:
            await engine.transport.sleep(pause if left is None else min(pause, left))
            pause = min(PAUSE_SECONDS_MAX, pause * 1.5)
        else:
            cursor = await _next(engine, job_id, cursor, left)


async def head(engine: Engine) -> int | None:
    """The newest event's number; None where the token may not read events."""
    try:
        found = await engine.run("GET", "/events/head", to_json())
    except Refusal as refusal:
        if refusal.status in (403, 404):
            return None
        raise
    return int(found["number"])


async def _next(engine: Engine, job_id: AnyId | None, cursor: int, left: float | None) -> int:
    """The cursor after the next events of a job, or after a while without any."""
    before = time.monotonic()
    wait = POLL_SECONDS if left is None else max(0, min(POLL_SECONDS, int(left)))
    page = await events_page(engine, cursor, wait=wait, job_id=job_id)
    if page["items"]:
        await engine.transport.sleep(BURST_SECONDS)
    elif time.monotonic() - before < PAUSE_SECONDS:
        await engine.transport.sleep(PAUSE_SECONDS)
    return reached(page, cursor)


async def events_page(engine: Engine, after: int, *, wait: float, **more: Any) -> Json:
    """One page of the feed; the answer takes up to `wait` seconds when there is nothing yet."""
    told = {name: str(value) for name, value in more.items() if value is not None}
    query = {"after": after, "limit": EVENTS_MAX, "wait": int(wait)} | told
    page: Json = await engine.run(
        "GET", "/events", to_json(query=query, timeout_seconds=wait + 30.0)
    )
    return page


def reached(page: Json, after: int) -> int:
    """How far a page has looked through the feed."""
    last = page["items"][-1]["number"] if page["items"] else after
    return max(after, int(page.get("reached") or 0), int(last))


def passing(error: Exception) -> bool:
    """Whether time alone may mend it."""
    return isinstance(error, Unreachable | ServerFailed) and not isinstance(error, NotFound)
