"""A model that answers as OpenAI's chat completions do, from nothing but what it is sent.

It repeats what was said last in a few manners, the same one for the same question, so that replies
of two models differ and tests know them. The model's name says how it behaves: `echo` and any other
name answer; names that begin with `echo-slow` answer after some seconds (`echo-slow-3`: three),
`echo-busy` with 429, `echo-broken` with 500, `echo-garbled` with a page instead of JSON,
`echo-hollow` with JSON of another shape, `echo-silent` without words, `echo-elsewhere` with a
redirect. A key is `sandbox-model-…`; any other is refused with a body that repeats it, as careless
servers do. Names that begin with `judge` judge (`model_judge`).
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Blueprint, Response, jsonify, redirect, request

from marketplace.sandbox import model_judge
from marketplace.sandbox.addresses import MODEL, MODEL_KEY_PREFIX

SLOW_SECONDS_MAX = 120
SLOW = re.compile(r"echo-slow(?:-(\d{1,3}))?")
MANNERS = (
    "You said: “{said}” Let me take it step by step. First, what is known; then what is not; then "
    "what to do today.",
    "In short: {said}\n\n- Start with what matters most.\n- Ask again if anything changes.\n"
    "- See somebody in person when in doubt.",
    "Thank you for telling me. “{said}” is a good question, and an honest answer depends on "
    "details that I do not have yet. Which of them could you add?",
    "I would not decide this alone. About “{said}”, the usual advice is to wait, to watch, and to "
    "write down what you notice.",
)


def blueprint() -> Blueprint:
    """The one call, below /model/v1."""
    routes = Blueprint("model", __name__, url_prefix=MODEL)
    routes.add_url_rule("/chat/completions", view_func=complete, methods=["POST"])
    return routes


def complete() -> Any:
    """POST: one completion."""
    body = request.get_json(silent=True)
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not key.startswith(MODEL_KEY_PREFIX):
        return _refusal(401, f"Incorrect API key provided: {key}.", "invalid_api_key")
    messages = body.get("messages") if isinstance(body, dict) else None
    if (
        not isinstance(body, dict)
        or not isinstance(messages, list)
        or not all(map(_fits, messages))
    ):
        return _refusal(400, "messages must be a list of objects with role and content.", None)
    model = str(body.get("model"))
    bent = _bent(model)
    if bent is not None:
        return bent
    if model.startswith(model_judge.PREFIX):
        return jsonify(_judged(model, messages, body.get("response_format")))
    most = body.get("max_tokens", body.get("max_completion_tokens"))
    return jsonify(answer(model, messages, most if isinstance(most, int) else None))


def answer(model: str, messages: Sequence[dict[str, Any]], most: int | None) -> dict[str, Any]:
    """The completion; the same question to the same model always gives the same one."""
    digest = hashlib.sha256(orjson.dumps([model, messages], option=orjson.OPT_SORT_KEYS)).digest()
    said = [str(each["content"]) for each in messages if each["role"] == "user"]
    first = int.from_bytes(hashlib.sha256(model.encode()).digest()[:2], "big")
    manner = MANNERS[(first + len(said)) % len(MANNERS)]
    words = manner.format(said=" ".join(said[-1].split())[:200] if said else "Hello").split(" ")
    is_cut = most is not None and len(words) > most
    text = " ".join(words[:most] if is_cut else words)
    return {
        "id": f"chatcmpl-{digest.hex()[:24]}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "length" if is_cut else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": sum(len(str(each["content"]).split()) for each in messages),
            "completion_tokens": len(text.split()),
        },
    }


def _judged(model: str, messages: Sequence[dict[str, Any]], form: Any) -> dict[str, Any]:
    """A judge's verdict as a completion."""
    named = form.get("json_schema") if isinstance(form, dict) else None
    schema = named.get("schema") if isinstance(named, dict) else None
    text, refuses = model_judge.answer(model, messages, schema)
    made = answer(model, messages, None)
    told = {"content": None, "refusal": text} if refuses else {"content": text, "refusal": None}
    made["choices"][0]["message"] |= told
    made["usage"]["completion_tokens"] = len(text.split())
    return made


def _fits(message: object) -> bool:
    return isinstance(message, dict) and {"role", "content"} <= message.keys()


def _bent(model: str) -> Any:
    """The answer of a model that misbehaves; None of one that does not, or is only slow."""
    slow = SLOW.match(model)
    if slow:
        time.sleep(min(int(slow[1] or 20), SLOW_SECONDS_MAX))
    failing = model_judge.failing(model) if model.startswith(model_judge.PREFIX) else None
    if model.startswith("echo-busy") or failing == "busy":
        return _refusal(429, "Rate limit reached.", "rate_limit_exceeded")
    if model.startswith("echo-broken") or failing == "broken":
        return _refusal(500, "The server had an error.", None)
    if model.startswith("echo-garbled"):
        return Response("<!doctype html><title>Hello</title>", mimetype="text/html")
    if model.startswith("echo-hollow"):
        return jsonify(object="chat.completion", choices=[])
    if model.startswith("echo-silent"):
        return jsonify(answer(model, [], 0))
    if model.startswith("echo-elsewhere"):
        return redirect("http://127.0.0.1:9/", code=307)
    return None


def _refusal(status: int, message: str, code: str | None) -> tuple[Response, int]:
    return jsonify(
        error={"message": message, "type": "invalid_request_error", "code": code}
    ), status
