"""What a judge's answer says, by the letter of its schema: strict reading, and both orders in one.

Refusals and answers in any other form are counted as what they are, never guessed at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from marketplace.quality.rules.judges.asking import Matter
from marketplace.tasktypes import Json, task_type

FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
REFUSING = re.compile(
    r"\A\W*(?:i['\u2019]?m sorry|sorry|as an ai\b|"
    r"i (?:can(?:no|['\u2019])t|am unable|won['\u2019]t))",
    re.IGNORECASE,
)


class AnswerOutcome(StrEnum):
    """What became of one question to a judge. failed: the server gave no answer to read."""

    ANSWERED = "answered"
    REFUSED = "refused"
    MALFORMED = "malformed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge said of one item in one order; verdicts are empty unless it answered."""

    outcome: AnswerOutcome
    verdicts: Json
    confidence: float | None = None


def read_answer(asked: Matter, text: str, *, refused: bool = False, cut: bool = False) -> Answer:
    """What an answer says, by the letter of its schema; a refusal or anything else is counted as
    what it is, never guessed at."""
    nothing = Answer(AnswerOutcome.MALFORMED, {})
    if refused:
        return Answer(AnswerOutcome.REFUSED, {})
    fenced = FENCED.match(text)
    try:
        said = orjson.loads(fenced[1] if fenced else text)
    except orjson.JSONDecodeError:
        return Answer(AnswerOutcome.REFUSED, {}) if REFUSING.match(text) else nothing
    if cut or not isinstance(said, dict) or not isinstance(said.get("verdicts"), dict):
        return nothing
    confidence = said.get("confidence")
    if confidence is not None and not _is_share(confidence):
        return nothing
    verdicts = said["verdicts"]
    # Every dimension, as the judge's own schema asks; a specialist's may leave some open.
    template = {"aspects": [{**each, "required": True} for each in asked.aspects]}
    if {each["key"] for each in asked.aspects} != set(verdicts):
        return nothing
    if task_type("judge_calibration").check_judgement(
        template, asked.payload, {"verdicts": verdicts}
    ):
        return nothing
    return Answer(
        AnswerOutcome.ANSWERED, verdicts, None if confidence is None else float(confidence)
    )


def _is_share(value: object) -> bool:
    ordinary = isinstance(value, int | float) and not isinstance(value, bool)
    return ordinary and math.isfinite(value) and 0 <= value <= 1  # type: ignore[arg-type, operator]


def combined(asked: Matter, answers: Sequence[Answer]) -> Answer:
    """One verdict of the answers in both orders; of one answer, itself.

    A preference that turned with the order is a tie where the job knows ties, else that of the
    order which the judge was surer of, the first where it was as sure of both; its confidence is
    halved, as one of two answers was wrong. Other dimensions keep the verdict of the first order.
    """
    first = answers[0]
    if len(answers) == 1 or any(each.outcome is not AnswerOutcome.ANSWERED for each in answers):
        return next((e for e in answers if e.outcome is not AnswerOutcome.ANSWERED), first)
    other = answers[1]
    verdicts, flipped = dict(first.verdicts), False
    surer = other if (other.confidence or 0) > (first.confidence or 0) else first
    for aspect in asked.aspects:
        key = aspect["key"]
        if aspect["kind"] == "preference" and first.verdicts[key] != other.verdicts[key]:
            flipped = True
            verdicts[key] = "tie" if aspect.get("allow_tie", True) else surer.verdicts[key]
    known = [each.confidence for each in answers if each.confidence is not None]
    confidence = sum(known) / len(known) if known else None
    if flipped and confidence is not None:
        confidence /= 2
    return Answer(AnswerOutcome.ANSWERED, verdicts, confidence)
