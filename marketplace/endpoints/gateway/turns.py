"""Asking a model: chat completions over HTTPS, to a public address that was checked for the call.

Nothing of an answer but its text leaves this module, and no failure names anything but its kind:
what a server writes into an error may repeat the key that it was sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from marketplace import http_client, settings
from marketplace.db import outside_transaction
from marketplace.endpoints import rules
from marketplace.endpoints.rules import Outcome
from marketplace.http_client import ANSWER_MAX_BYTES, AddressRefused, NoAnswer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question to one endpoint. slot: the candidate's place; body: JSON as it is sent."""

    slot: str
    endpoint_id: UUID
    version: int
    model: str
    base_url: str
    api_key: str | None = field(repr=False)
    timeout_seconds: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a call ended. text: "" unless it was answered; cut: whether the limit cut it short."""

    call: Call
    outcome: Outcome
    text: str = ""
    cut: bool = False
    tokens: int | None = None
    seconds: float = 0.0


class _Gate:
    """How many turns this process waits for at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    def enter(self) -> bool:
        with self._lock:
            if self._taken >= settings.current().model_turns_at_once:
                return False
            self._taken += 1
            return True

    def leave(self) -> None:
        with self._lock:
            self._taken -= 1


_gate = _Gate()


@contextmanager
def place() -> Iterator[bool]:
    """Whether this process may wait for one more turn now; held until the block ends.

    Each waiting turn holds a thread of the web server, and slow models must not take all of them.
    """
    entered = _gate.enter()
    try:
        yield entered
    finally:
        if entered:
            _gate.leave()


@outside_transaction
def ask(calls: Sequence[Call]) -> list[Reply]:
    """The replies to all calls, made at the same time, in the order of the calls; never raises
    for what a server does."""
    if len(calls) == 1:
        return [_asked(calls[0])]
    with ThreadPoolExecutor(max_workers=len(calls), thread_name_prefix="model") as pool:
        return list(pool.map(_asked, calls))


def _asked(call: Call) -> Reply:
    began = time.monotonic()
    outcome, text, cut, tokens = _exchanged(call)
    seconds = round(time.monotonic() - began, 3)
    if outcome is not Outcome.ANSWERED:
        log.warning("model_failed", endpoint=str(call.endpoint_id), outcome=outcome.value)
    return Reply(call=call, outcome=outcome, text=text, cut=cut, tokens=tokens, seconds=seconds)


def _exchanged(call: Call) -> tuple[Outcome, str, bool, int | None]:
    sandbox = settings.current().model_sandbox_base
    # The operator may have taken a sandbox away since the address was written.
    if not rules.allowed(call.base_url, sandbox=sandbox):
        return Outcome.ADDRESS_REFUSED, "", False, None
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if call.api_key:
        headers["Authorization"] = f"Bearer {call.api_key}"
    try:
        answer = http_client.post(
            f"{call.base_url}/chat/completions",
            call.body,
            headers,
            allow_private=rules.is_sandbox(call.base_url, sandbox),
            seconds=call.timeout_seconds,
        )
    except AddressRefused:
        return Outcome.ADDRESS_REFUSED, "", False, None
    except NoAnswer:
        return Outcome.NO_ANSWER, "", False, None
    outcome = rules.outcome_of(answer.status)
    if outcome is not Outcome.ANSWERED:
        return outcome, "", False, None
    if len(answer.body) >= ANSWER_MAX_BYTES:
        return Outcome.TOO_LONG, "", False, None
    return rules.reply_in(answer.body)
