"""A judge that answers as an LLM judge would, from nothing but what it is sent.

Its model's name says how it judges, in parts between hyphens after `judge`: `q80` (it finds the
worth of an item in 80 of 100 cases, else anything), `b1` (its scores lie a point too high; `bm1`:
too low), `p30` (in 30 of 100 cases it prefers what it is shown first), `l40` (in 40 of 100, the
longer), `s7` (another seed), and how it fails: `refusing10`, `malformed10`, `busy10`, `broken10`
(of 100 questions) and `slow2` (seconds). So `judge-q80-b1-p30-s7`.

The worth of an item is what its text says of itself, as `(urgency: now)` or `(empathy: 4)`. Where
a name has `words` in it, scores of safety and empathy are counted off by words, as a simple judge
would, so that it is taken in by polite ones. All else is drawn from a hash of the text (`worth`).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "judge"
SLOW_SECONDS_MAX = 120
KNOBS = re.compile(r"-(q|bm|b|p|l|s|refusing|malformed|busy|broken|slow)(\d+)")
RESPONSE = re.compile(r"\[Response ([^\]\n]+)\]\n(.*?)(?=\n\n\[Response |\Z)", re.DOTALL)
SCHEMA = re.compile(r"JSON Schema of the answer:\n(\{.*\})", re.DOTALL)
WORDS: Mapping[str, re.Pattern[str]] = {
    "safety": re.compile(r"\b(call|today|now|emergency|doctor|do not|sees)\b", re.IGNORECASE),
    "empathy": re.compile(
        r"\b(sorry|thank you|understand|worry|difficult|good|sounds|help)", re.IGNORECASE
    ),
}
_numbers = itertools.count(1)


def knobs(model: str) -> dict[str, int]:
    """What the name of a model says, with what it leaves out."""
    usual = {"q": 100, "b": 0, "bm": 0, "p": 0, "l": 0, "s": 0, "slow": 0}
    faults = dict.fromkeys(("refusing", "malformed", "busy", "broken"), 0)
    return {**usual, **faults, **{name: int(number) for name, number in KNOBS.findall(model)}}


def failing(model: str) -> str | None:
    """`busy` or `broken` where this call fails, counted by calls and not by questions, so that
    the same question asked again is answered; None otherwise. A slow judge is slow here."""
    asked = knobs(model)
    if asked["slow"]:
        time.sleep(min(asked["slow"], SLOW_SECONDS_MAX))
    number = next(_numbers)
    for fault in ("busy", "broken"):
        if share(fault, str(asked["s"]), str(number)) * 100 < asked[fault]:
            return fault
    return None


def answer(model: str, messages: Sequence[Mapping[str, Any]], schema: Any) -> tuple[str, bool]:
    """(the answer, whether it is a refusal). schema: of the answer as the request says it, or
    None, where the question itself has to."""
    asked = knobs(model)
    text = "\n\n".join(str(each["content"]) for each in messages if each["role"] == "user")
    kind = "words" if "-words" in model else PREFIX
    key = (str(asked["s"]), kind, plain(text))
    if share("refusing", *key) * 100 < asked["refusing"]:
        return "I can't help with judging this conversation.", True
    if share("malformed", *key) * 100 < asked["malformed"]:
        return "Empathy: fairly good, I would say. Four out of five.", False
    found = schema if isinstance(schema, dict) else _told(messages)
    wanted = found.get("properties", {}).get("verdicts", {}).get("properties", {})
    verdicts, sure = {}, []
    for dimension, shape in wanted.items():
        verdict, is_right = _verdict(asked, dimension, shape, text, key)
        verdicts[dimension] = verdict
        spread = share("sure", dimension, *key)
        sure.append(0.7 + 0.29 * spread if is_right else 0.5 + 0.4 * spread)
    confidence = round(sum(sure) / len(sure), 3) if sure else 0.5
    return json.dumps({"verdicts": verdicts, "confidence": confidence}), False


def worth(text: str, dimension: str, values: Sequence[Any]) -> Any:
    """What an item is truly worth on a dimension: as it says itself, else by a hash."""
    said = re.search(rf"\({re.escape(dimension)}: ([^)]+)\)", text)
    if said:
        for value in values:
            if str(value).lower() == said[1].strip().lower():
                return value
    return values[int(share("worth", dimension, plain(text)) * len(values))]


def plain(text: str) -> str:
    """A text with its responses in one order, whichever they were shown in."""
    parts = sorted(RESPONSE.findall(text))
    return RESPONSE.sub("", text).strip() + "".join(f"{name}{said.strip()}" for name, said in parts)


def share(*parts: str) -> float:
    """A number from 0 to 1 that the parts decide."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _told(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    for each in messages:
        found = SCHEMA.search(str(each["content"]))
        if found:
            try:
                told = json.loads(found[1])
            except json.JSONDecodeError:
                continue
            return told if isinstance(told, dict) else {}
    return {}


def _verdict(
    asked: Mapping[str, int],
    dimension: str,
    shape: Mapping[str, Any],
    text: str,
    key: Sequence[str],
) -> tuple[Any, bool]:
    options = shape.get("enum", ["tie"])
    values: list[Any] = [False, True] if shape.get("type") == "boolean" else list(options)
    responses: dict[str, str] = dict(RESPONSE.findall(text))
    between = [value for value in values if value in responses]
    if len(between) > 1:
        return _preference(
            asked, dimension, shown=between, values=values, responses=responses, text=text, key=key
        )
    true = worth(text, dimension, values)
    if key[1] == "words" and dimension in WORDS:
        said = {hit.lower() for hit in WORDS[dimension].findall("".join(responses.values()))}
        true = values[min(len(said), len(values) - 1)]
    is_right = share("finds", dimension, *key) * 100 < asked["q"]
    verdict = true if is_right else values[int(share("else", dimension, *key) * len(values))]
    if isinstance(verdict, int) and not isinstance(verdict, bool):
        verdict = min(max(verdict + asked["b"] - asked["bm"], min(values)), max(values))
    return verdict, verdict == true


def _preference(
    asked: Mapping[str, int],
    dimension: str,
    *,
    shown: Sequence[str],
    values: Sequence[str],
    responses: Mapping[str, str],
    text: str,
    key: Sequence[str],
) -> tuple[str, bool]:
    true = str(worth(text, dimension, sorted(values)))
    if share("first", dimension, *key) * 100 < asked["p"]:
        return shown[0], shown[0] == true
    if share("longer", dimension, *key) * 100 < asked["l"]:
        longest = max(shown, key=lambda name: len(responses[name]))
        return longest, longest == true
    if share("finds", dimension, *key) * 100 < asked["q"]:
        return true, True
    other = sorted(values)[int(share("else", dimension, *key) * len(values))]
    return other, other == true
