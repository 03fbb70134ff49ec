"""Waiting for something without asking over and over: each look follows an event of the feed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from marketplace.client.engine import Engine, pause, to_json
from marketplace.client.errors import Refusal, ServerFailed, TimedOut, TooOften, Unreachable
from marketplace.client.records import AnyId, Json

POLL_SECONDS = 25
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.25, 5.0
# A burst of events is one reason to look, not a hundred.
BURST_SECONDS = 0.5
EVENTS_MAX = 200
# What time alone may mend, such as a marketplace that is being started anew.
PASSING = (Unreachable, ServerFailed, TooOften)
# Somebody who waits for a day is not sent home for ten minutes of it.
LOST_SECONDS_MAX = 600.0


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
    """What a look sees when it is done; job_id: whose events say when to look again.

    None looks after pauses that grow. A marketplace that goes away for some minutes does not end
    the wait. Raises TimedOut and what `look` raises.
    """
    until = None if timeout is None else time.monotonic() + timeout
    # The cursor comes first: what happens between it and the first look is an event after it.
    cursor = None if job_id is None else await head(engine)
    patience = PAUSE_SECONDS
    waited = await look()
    while not waited.done:
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            words = f"It has not come in {timeout:g} seconds."
            raise TimedOut(words, waited.seen)
        if cursor is None:
            await engine.transport.sleep(patience if left is None else min(patience, left))
            patience = min(PAUSE_SECONDS_MAX, patience * 1.5)
        else:
            cursor = await _next(engine, job_id, cursor, left)
        waited = await _seen(engine, look, until)
    return waited.seen


async def _seen(
    engine: Engine, look: Callable[[], Awaitable[Waited]], until: float | None
) -> Waited:
    """What a look sees, once the marketplace answers; it may be away for a while."""
    began = time.monotonic()
    given_up = began + LOST_SECONDS_MAX if until is None else min(until, began + LOST_SECONDS_MAX)
    lost = 0
    while True:
        try:
            return await look()
        except PASSING as passing:
            lost += 1
            rest = until_next(lost, passing)
            if time.monotonic() + rest >= given_up:
                raise
            await engine.transport.sleep(rest)


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
    try:
        page = await events_page(engine, cursor, wait=wait, job_id=job_id)
    except PASSING:
        # The look that follows waits for the marketplace to come back.
        await engine.transport.sleep(PAUSE_SECONDS_MAX if left is None else min(1, left))
        return cursor
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


def until_next(lost: int, passing: Exception) -> float:
    """Seconds before the next try after so many that failed."""
    return max(pause(lost), getattr(passing, "retry_after", None) or 0)
