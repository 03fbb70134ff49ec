"""What a lab may say of a model endpoint, and what its answers mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import orjson

from marketplace.errors import Conflict, Fault, Faulty, Refused

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MODEL_MAX, URL_MAX, KEY_MAX, PROMPT_MAX = 200, 500, 4_000, 100_000
REPLY_MAX = 200_000
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class LimitField(StrEnum):
    """How a server calls the most tokens of an answer."""

    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    KEY_REFUSED = "key_refused"
    NOT_FOUND = "not_found"
    TOO_OFTEN = "too_often"
    REFUSED = "refused"
    BROKEN = "broken"
    REDIRECTED = "redirected"
    MALFORMED = "malformed"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_ANSWER = "no_answer"
    ADDRESS_REFUSED = "address_refused"


# For the lab: what to look at. For the specialist, who can mend none of it, see `TOLD`.
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.ANSWERED: "It answered.",
    Outcome.KEY_REFUSED: "The server refused the key. Write the key anew.",
    Outcome.NOT_FOUND: "The server knows no such address or model. Look at both.",
    Outcome.TOO_OFTEN: "The server says that it is asked too often. Try again, or raise its limit.",
    Outcome.REFUSED: "The server refused the question. Look at the model's name and the sampling.",
    Outcome.BROKEN: "The server failed. Try again in a moment.",
    Outcome.REDIRECTED: "The server sends us elsewhere; we do not follow. Give its own address.",
    Outcome.MALFORMED: "The answer is not in the form of chat completions. Look at the address.",
    Outcome.EMPTY: "The answer holds no text. Look at the limit of tokens and the model.",
    Outcome.TOO_LONG: "The answer is too long. Lower the limit of tokens.",
    Outcome.NO_ANSWER: "No answer came in time. Look at the address, or give it more seconds.",
    Outcome.ADDRESS_REFUSED: "The address leads into a private network, or is none. Use a public "
    "one with HTTPS.",
}
TOLD: Mapping[Outcome, str] = {
    Outcome.TOO_OFTEN: "The model is asked too often at present. Wait a moment, then ask again.",
    Outcome.BROKEN: "The model's server failed. Ask again in a moment.",
    Outcome.NO_ANSWER: "The model did not answer in time. Ask again.",
    Outcome.EMPTY: "The model answered without any words. Ask again.",
    Outcome.TOO_LONG: "The model's answer was too long to show. Ask again.",
}
TOLD_OTHERWISE = (
    "The model cannot be reached as the lab set it up. Ask again later; if it goes on, leave this "
    "task and say that it cannot be answered."
)


class NameTaken(Conflict):
    """Another endpoint of the organisation has this name."""

    code = "name_taken"


class BudgetSpent(Refused):
    """The calls that the lab allows a job are used up."""

    code = "model_budget_spent"


def told(outcome: Outcome) -> str:
    """What a specialist reads of a call that failed."""
    return TOLD.get(outcome, TOLD_OTHERWISE)


class _Wrong(Exception):
    """Why one field cannot be taken."""


def cleaned(fields: Mapping[str, Any], *, sandbox: str = "") -> dict[str, Any]:
    """The fields, tidied; Faulty with every fault of all of them.

    sandbox: the one address that may be plain HTTP and private, "" where there is none.
    """
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in fields.items():
        try:
            found[name] = _READERS[name](value)
        except _Wrong as wrong:
            faults.append(Fault(f"/{name}", str(wrong)))
    if "base_url" in found and not allowed(found["base_url"], sandbox=sandbox):
        faults.append(Fault("/base_url", "Give an address that begins with https://."))
    if faults:
        raise Faulty("Some of what you typed needs mending.", faults)
    return found


def allowed(base_url: str, *, sandbox: str) -> bool:
    """Whether an address may be called at all; where its name leads is looked at for each call."""
    return base_url.startswith("https://") or is_sandbox(base_url, sandbox)


def is_sandbox(base_url: str, sandbox: str) -> bool:
    """Whether this is the very address that the operator set for a sandbox."""
    return bool(sandbox) and base_url == sandbox.rstrip("/")


def _name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value.strip()):
        raise _Wrong("Use 1 to 64 letters, digits, hyphens and underscores.")
    return value.strip()


def _base_url(value: object) -> str:
    url = value.strip().rstrip("/") if isinstance(value, str) else ""
    url = url.removesuffix("/chat/completions")
    try:
        parts = urlsplit(url)
        plain = url.isascii() and url.isprintable() and not set(url) & set(" @?#\\")
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        plain = whole = False
    if not (plain and whole) or len(url) > URL_MAX:
        raise _Wrong("Give an address such as https://api.example.com/v1, without key or query.")
    return url


def _model(value: object) -> str:
    model = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(model) <= MODEL_MAX or not model.isprintable():
        raise _Wrong("Give the model's name as its server knows it.")
    return model


def _api_key(value: object) -> str | None:
    if value is None or value == "":
        return None
    key = value.strip() if isinstance(value, str) else ""
    # It stands in a header: whatever else it holds would be another header, or none.
    if not 1 <= len(key) <= KEY_MAX or not key.isascii() or not key.isprintable() or " " in key:
        raise _Wrong("Give the key alone, in letters without blanks, at most 4,000 of them.")
    return key


def _prompt(value: object) -> str:
    if not isinstance(value, str) or len(value) > PROMPT_MAX or UNSTORABLE.search(value):
        raise _Wrong(f"Write ordinary text of at most {PROMPT_MAX:,} characters.")
    return value.replace("\r\n", "\n")


def _part(most: str, *, positive: bool = False) -> Callable[[object], Decimal | None]:
    def read(value: object) -> Decimal | None:
        if value is None or value == "":
            return None
        try:
            number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number <= Decimal(most) or (positive and not number):
            raise _Wrong(f"Give a number {'above' if positive else 'from'} 0 up to {most}.")
        return number.quantize(Decimal("0.001"))

    return read


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _Wrong(f"Give a whole number from {low:,} to {high:,}.")
        return value

    return read


def _limit_field(value: object) -> LimitField:
    try:
        return LimitField(str(value))
    except ValueError:
        raise _Wrong(f"Choose one of {', '.join(LimitField)}.") from None


_READERS: Mapping[str, Callable[[object], Any]] = {
    "name": _name,
    "base_url": _base_url,
    "model": _model,
    "api_key": _api_key,
    "system_prompt": _prompt,
    "temperature": _part("2"),
    "top_p": _part("1", positive=True),
    "limit_field": _limit_field,
    "tokens_a_turn_max": _whole(1, 32_000),
    "turns_max": _whole(1, 50),
    "calls_a_job_max": _whole(1, 10_000_000),
    "timeout_seconds": _whole(1, 120),
}
DEFAULTS: Mapping[str, Any] = {
    "api_key": None,
    "system_prompt": "",
    "temperature": None,
    "top_p": None,
    "limit_field": LimitField.MAX_TOKENS,
    "tokens_a_turn_max": 1_000,
    "turns_max": 20,
    "calls_a_job_max": 10_000,
    "timeout_seconds": 30,
}


def outcome_of(status: int) -> Outcome:
    """What a status says."""
    known = {
        401: Outcome.KEY_REFUSED,
        403: Outcome.KEY_REFUSED,
        404: Outcome.NOT_FOUND,
        408: Outcome.NO_ANSWER,
        429: Outcome.TOO_OFTEN,
    }
    if status in known:
        return known[status]
    if 300 <= status < 400:
        return Outcome.REDIRECTED
    if 400 <= status < 500:
        return Outcome.REFUSED
    return Outcome.ANSWERED if status == 200 else Outcome.BROKEN


def reply_in(body: bytes) -> tuple[Outcome, str, bool, int | None]:
    """What an answer says: (outcome, text, whether it was cut at the limit, its tokens)."""
    try:
        said = orjson.loads(body)
        choice = said["choices"][0]
        text = joined(choice["message"]["content"])
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
        return Outcome.MALFORMED, "", False, None
    text = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    if len(text) > REPLY_MAX:
        return Outcome.TOO_LONG, "", False, None
    if not text.strip():
        return Outcome.EMPTY, "", False, None
    return Outcome.ANSWERED, text, choice.get("finish_reason") == "length", _tokens(said)


def joined(content: Any) -> str:
    """A text, or the texts of a list of parts; None, as a refusal sends it, is empty.

    Raises KeyError or TypeError where it is neither.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def _tokens(said: Mapping[str, Any]) -> int | None:
    usage = said.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < 10**9 else None


def body_of(
    model: str,
    messages: Sequence[Mapping[str, str]],
    *,
    system_prompt: str,
    sampling: Mapping[str, Decimal | None],
    limit: tuple[LimitField, int],
) -> bytes:
    """The question as JSON; what is not set is left to the server."""
    system = [{"role": "system", "content": system_prompt}] if system_prompt.strip() else []
    field, tokens = limit
    question = {
        "model": model,
        "messages": [*system, *({"role": e["role"], "content": e["content"]} for e in messages)],
        **{name: float(value) for name, value in sampling.items() if value is not None},
        field.value: tokens,
        "stream": False,
    }
    return orjson.dumps(question)
