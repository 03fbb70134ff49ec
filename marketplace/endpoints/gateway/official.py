"""Asking a judge through OpenAI's own client, over our transport.

The client speaks the protocol; every byte it sends goes through `http_client.post`: HTTPS at a
public address that was checked for this very call and is connected to as checked, no redirect, a
limit on time and size. Of its headers only those pass that a model's server needs: the client
reads organisations and projects from our environment, which are none of a lab's business. It never
tries again by itself, as each call counts against a budget before it is made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import openai
import structlog
from openai.types.chat import ChatCompletion

from marketplace import http_client, settings
from marketplace.db import outside_transaction
from marketplace.endpoints import rules
from marketplace.endpoints.rules import Outcome
from marketplace.http_client import ANSWER_MAX_BYTES, AddressRefused, NoAnswer

log = structlog.get_logger(__name__)
NO_KEY = "none"  # The client insists on one; it is not sent where the endpoint has none.
PASSED = frozenset({"content-type", "accept"})
RETRY_SECONDS_MAX = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to one endpoint. body: the members of the request, `messages` among them."""

    endpoint_id: UUID
    base_url: str
    api_key: str | None = field(repr=False)
    timeout_seconds: int
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How a question ended. text: "" unless answered; refused: the model said that it will not;
    cut: the limit of tokens cut it short; wait_seconds: how long the server asks us to wait."""

    outcome: Outcome
    text: str = ""
    refused: bool = False
    cut: bool = False
    tokens: int | None = None
    seconds: float = 0.0
    wait_seconds: float | None = None


class Guarded(httpx2.BaseTransport):
    """Our way out, for a client that would open connections of its own."""

    def __init__(self, *, allow_private: bool, keyed: bool, seconds: float) -> None:
        self._allow_private = allow_private
        self._passed = PASSED | ({"authorization"} if keyed else frozenset())
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange; AddressRefused or NoAnswer, which the client lets through."""
        headers = {
            name: value for name, value in request.headers.items() if name.lower() in self._passed
        }
        answer = http_client.post(
            str(request.url),
            request.read(),
            headers,
            allow_private=self._allow_private,
            seconds=self._seconds,
        )
        if len(answer.body) >= ANSWER_MAX_BYTES:
            raise AnswerTooLong("The answer is longer than a MiB.")
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() in {"content-type", "retry-after"}
        }
        return httpx2.Response(answer.status, headers=kept, content=answer.body, request=request)


class AnswerTooLong(Exception):
    """An answer that was cut at our limit."""


@outside_transaction
def complete(question: Question) -> Completion:
    """The judge's answer; never raises for what a server does."""
    began = time.monotonic()
    found = _exchanged(question)
    if found.outcome is not Outcome.ANSWERED:
        log.warning("judge_failed", endpoint=str(question.endpoint_id), outcome=found.outcome.value)
    return Completion(
        outcome=found.outcome,
        text=found.text,
        refused=found.refused,
        cut=found.cut,
        tokens=found.tokens,
        wait_seconds=found.wait_seconds,
        seconds=round(time.monotonic() - began, 3),
    )


def _exchanged(question: Question) -> Completion:
    sandbox = settings.current().model_sandbox_base
    if not rules.allowed(question.base_url, sandbox=sandbox):
        return Completion(outcome=Outcome.ADDRESS_REFUSED)
    try:
        return _read(_asked(question, rules.is_sandbox(question.base_url, sandbox)))
    except AddressRefused:
        return Completion(outcome=Outcome.ADDRESS_REFUSED)
    except (NoAnswer, openai.APIConnectionError):
        return Completion(outcome=Outcome.NO_ANSWER)
    except AnswerTooLong:
        return Completion(outcome=Outcome.TOO_LONG)
    except openai.APIStatusError as failed:
        return Completion(
            outcome=rules.outcome_of(failed.status_code),
            wait_seconds=_wait(failed.response.headers.get("retry-after")),
        )
    except (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError):
        return Completion(outcome=Outcome.MALFORMED)


def _asked(question: Question, allow_private: bool) -> ChatCompletion | object:
    transport = Guarded(
        allow_private=allow_private,
        keyed=question.api_key is not None,
        seconds=float(question.timeout_seconds),
    )
    with (
        httpx2.Client(transport=transport, follow_redirects=False, trust_env=False) as line,
        openai.OpenAI(
            api_key=question.api_key or NO_KEY,
            base_url=question.base_url,
            http_client=line,
            max_retries=0,
        ) as client,
    ):
        answer: ChatCompletion | object = client.chat.completions.create(**question.body)
        return answer


def _read(answer: ChatCompletion | object) -> Completion:
    """What an answer says. The client builds its objects without looking at what they hold."""
    if not isinstance(answer, ChatCompletion):
        return Completion(outcome=Outcome.MALFORMED)
    try:
        choice = answer.choices[0]
        refusal, reason = getattr(choice.message, "refusal", None), choice.finish_reason
        text = rules.joined(choice.message.content)
    except (AttributeError, IndexError, KeyError, TypeError):
        return Completion(outcome=Outcome.MALFORMED)
    tokens = _tokens(answer.usage)
    if refusal or reason == "content_filter":
        told = refusal if isinstance(refusal, str) else text
        return Completion(outcome=Outcome.ANSWERED, text=told, refused=True, tokens=tokens)
    if not text.strip():
        return Completion(outcome=Outcome.EMPTY, tokens=tokens)
    return Completion(outcome=Outcome.ANSWERED, text=text, cut=reason == "length", tokens=tokens)


def _tokens(usage: object) -> int | None:
    count = getattr(usage, "completion_tokens", None)
    return count if type(count) is int and 0 <= count < 10**9 else None


def _wait(said: str | None) -> float | None:
    """Seconds of a Retry-After; the other form, a date, is left to our own back-off."""
    if said is None or not said.strip().isdigit():
        return None
    return min(float(said), RETRY_SECONDS_MAX)
