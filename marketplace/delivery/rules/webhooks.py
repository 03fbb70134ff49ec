"""What a lab may say of a webhook, when a delivery is tried, and what an answer means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from marketplace.errors import Conflict, Refused

# How long after the attempt before each attempt is made: about three days in all.
SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
SPREAD = 0.1  # Up to a tenth longer, so that what failed together is not tried together.
RETRY_AFTER_MAX = timedelta(hours=24)
SILENT_MAX = timedelta(days=3)
# One that failed so often in a row is given a rest, and then one try at a time.
FAILURES_BORNE = 5
REST_FIRST, REST_MAX = timedelta(seconds=30), timedelta(minutes=10)
SECONDS_MAX, SLOW_SECONDS = 15.0, 3.0
AT_ONCE, AT_ONCE_FAILING = 8, 1
OVERLAP_DEFAULT, OVERLAP_MAX = timedelta(hours=24), timedelta(days=7)
ENDPOINTS_MAX = 20
REPLAYED_MAX = 10_000
ANSWER_KEPT = 1024
KEPT_DAYS = 30
URL_MAX, DESCRIPTION_MAX, KINDS_MAX = 500, 200, 100
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]+")


class WebhookState(StrEnum):
    """paused: by the lab; disabled: by us, as it failed; retired: for good."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    RETIRED = "retired"


class StoppedWhy(StrEnum):
    """Why we stopped telling an endpoint."""

    GONE = "gone"
    EXHAUSTED = "exhausted"
    SILENT = "silent"


class Origin(StrEnum):
    """Why there is a delivery: the event, somebody who wanted it again, or a test."""

    EVENT = "event"
    AGAIN = "again"
    TEST = "test"


class DeliveryState(StrEnum):
    """cancelled: the endpoint was retired, or what was missed was not wanted."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    GONE = "gone"
    TOO_OFTEN = "too_often"
    BROKEN = "broken"
    REDIRECTED = "redirected"
    NO_ANSWER = "no_answer"
    ADDRESS_REFUSED = "address_refused"


_W, _D = WebhookState, DeliveryState
NEXT_ENDPOINT: Mapping[WebhookState, frozenset[WebhookState]] = {
    _W.ACTIVE: frozenset({_W.PAUSED, _W.DISABLED, _W.RETIRED}),
    _W.PAUSED: frozenset({_W.ACTIVE, _W.RETIRED}),
    _W.DISABLED: frozenset({_W.ACTIVE, _W.RETIRED}),
    _W.RETIRED: frozenset(),
}
NEXT_DELIVERY: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    _D.WAITING: frozenset({_D.DELIVERED, _D.FAILED, _D.CANCELLED}),
    _D.DELIVERED: frozenset(),
    _D.FAILED: frozenset(),
    _D.CANCELLED: frozenset(),
}
WHY_WORDS: Mapping[StoppedWhy, str] = {
    StoppedWhy.GONE: "The server answered 410 Gone, which means: do not call here again.",
    StoppedWhy.EXHAUSTED: "An event was tried ten times over three days and never taken, and "
    "nothing else was taken meanwhile.",
    StoppedWhy.SILENT: "Nothing that we sent was taken for three days.",
}
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.DELIVERED: "Taken.",
    Outcome.REFUSED: "The server refused it. Look at the address and at how signatures are "
    "checked there.",
    Outcome.GONE: "The server says that nothing is there any more.",
    Outcome.TOO_OFTEN: "The server says that it is called too often; we wait as long as it asks.",
    Outcome.BROKEN: "The server failed.",
    Outcome.REDIRECTED: "The server sends us elsewhere; we do not follow. Give its own address.",
    Outcome.NO_ANSWER: "No answer came within 15 seconds.",
    Outcome.ADDRESS_REFUSED: "The address leads into a private network, or is none.",
}


class TooManyEndpoints(Refused):
    """The organisation has as many endpoints as it may."""

    code = "too_many_endpoints"


class WebhookStopped(Conflict):
    """The endpoint is told nothing at present."""

    code = "webhook_stopped"


class TooMuchWanted(Conflict):
    """So much was asked for once more already that it has yet to be sent."""

    code = "too_much_wanted"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one attempt. status: None where nothing answered; answer: its beginning;
    retry_after: how long the server wishes to be left alone."""

    outcome: Outcome
    started_at: datetime
    milliseconds: int
    status: int | None = None
    answer: str = ""
    retry_after: timedelta | None = None


def outcome_of(status: int) -> Outcome:
    """What a status says; any of the 200s is success."""
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if 300 <= status < 400:
        return Outcome.REDIRECTED
    known = {410: Outcome.GONE, 429: Outcome.TOO_OFTEN}
    return known.get(status) or (Outcome.REFUSED if status < 500 else Outcome.BROKEN)


def wait_before(attempts: int, chance: float, retry_after: timedelta | None) -> timedelta | None:
    """How long until the next attempt, after so many; None when there is none.

    chance: 0 to 1, decides how much longer than the schedule says. A server that asks for more is
    given it, up to a day.
    """
    if attempts >= len(SCHEDULE):
        return None
    planned = SCHEDULE[attempts] * (1 + SPREAD * chance)
    return max(planned, min(retry_after or timedelta(0), RETRY_AFTER_MAX))


def rest_after(failures: int) -> timedelta | None:
    """How long an endpoint rests that failed so often in a row; None while that may be chance."""
    if failures < FAILURES_BORNE:
        return None
    doublings = min(failures - FAILURES_BORNE, 10)
    return min(REST_FIRST * (1 << doublings), REST_MAX)


def retry_after_of(header: str | None, now: datetime) -> timedelta | None:
    """What `Retry-After` asks for: seconds, or a date; None for anything else or the past."""
    if not header:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return timedelta(seconds=min(int(header.strip()[:9]), 10**6))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return wait if wait > timedelta(0) else None


def kept_answer(body: bytes, secrets: tuple[str, ...]) -> str:
    """The beginning of an answer as it may be kept: text, no control characters, no secrets.

    A server that echoes what it was sent, or prints its settings, would store its secret with us
    in the clear.
    """
    text = _CONTROL.sub("", body[: ANSWER_KEPT * 2].decode("utf-8", "replace"))
    for secret in secrets:
        text = text.replace(secret.removeprefix("whsec_"), "…")
    return _SECRET.sub("whsec_…", text)[:ANSWER_KEPT]


def allowed(url: str, *, sandbox: str) -> bool:
    """Whether an address may be told at all; where its name leads is looked at for each call."""
    try:
        parts = urlsplit(url)
        plain = url.isascii() and url.isprintable() and not set(url) & set(" @#\\")
        whole = bool(parts.hostname) and parts.port != 0 and len(url) <= URL_MAX
    except ValueError:
        return False
    return plain and whole and (parts.scheme == "https" or in_sandbox(url, sandbox))


def in_sandbox(url: str, sandbox: str) -> bool:
    """Whether this lies under the one address that the operator allowed to be private."""
    root = sandbox.rstrip("/")
    return bool(root) and (url == root or url.startswith(root + "/"))


def host_of(url: str) -> str:
    """The part of an address that may be shown to anyone of the lab."""
    return urlsplit(url).netloc
