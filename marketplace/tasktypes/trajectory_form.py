"""Marks on thousands of steps in one short field, and back.

`marks` holds a word for each step that somebody spoke about: `s3.-1.t0 s9.1 s12.1.rs3` says that
s3 is wrong and its tool was the wrong one, s9 is right, and s12 is right and recovered from s3.
Ids hold no dots, so the dot divides. A page without script sends `steps.<id>.<part>` as well for
the steps that it shows; those win, and `clear` takes a mark back.
"""

from __future__ import annotations

import re
from typing import Any

from marketplace.tasktypes import fields
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trajectory_rules import NO_STEP_MARKS, WRONG, coverage

CLEAR = "clear"
LETTERS = {
    "t": "tool_choice",
    "a": "arguments",
    "g": "grounded",
    "e": "is_error",
    "i": "inherited_error",
}
RATING = re.compile(r"-1|0|1")
FLAG = re.compile(r"([tagei])([01])")
SCHEMA: Json = {
    "type": "object",
    "properties": {
        **{
            name: {"type": "string"}
            for name in (
                "outcome",
                "side_effects",
                "optimality",
                "looping",
                "first_error_step",
                "responsible_agent",
                "reason",
            )
        },
        "error_free": {"type": "boolean"},
        "fault": {
            "type": "object",
            "properties": {"author": {"type": "string"}, "type": {"type": "string"}},
        },
    },
}
MARK: Json = {
    "type": "object",
    "properties": {
        "correctness": {"type": "integer"},
        **{name: {"type": "boolean"} for name in LETTERS.values()},
        "recovered_from": {"type": "string"},
    },
}


def read_form(sent: fields.Fields, template: Json, _payload: Json) -> Json:
    judgement = fields.judgement_from(sent, SCHEMA)
    marks = read_marks(sent.below("marks").one() or "")
    for name, shown in sent.below("steps").inner.items():
        marks[name] = _overlaid(marks.get(name, {}), shown)
    first = judgement.get("first_error_step")
    if first is not None and coverage(template) != NO_STEP_MARKS:
        # Whoever names the first error has said that it is wrong.
        marks.setdefault(first, {}).setdefault("correctness", WRONG)
    spoken = {name: mark for name, mark in marks.items() if mark}
    return {**judgement, "steps": spoken} if spoken else judgement


def _overlaid(mark: Json, shown: fields.Fields) -> Json:
    cleared = {part for part, field in shown.inner.items() if field.one() == CLEAR}
    kept = {part: value for part, value in mark.items() if part not in cleared}
    given = fields.judgement_from(shown, MARK)
    return kept | {part: value for part, value in given.items() if part not in cleared}


def read_marks(text: str) -> dict[str, Json]:
    """The marks that the short text holds; a word that cannot be read becomes a faulty mark."""
    found: dict[str, Json] = {}
    for word in text.split():
        name, *parts = word.split(".")
        mark = found.setdefault(name, {})
        for part in parts:
            mark.update(_part(part))
    return found


def _part(part: str) -> Json:
    if RATING.fullmatch(part):
        return {"correctness": int(part)}
    flag = FLAG.fullmatch(part)
    if flag:
        return {LETTERS[flag[1]]: flag[2] == "1"}
    if part.startswith("r") and len(part) > 1:
        return {"recovered_from": part[1:]}
    return {"correctness": part}


def written_marks(steps: Any) -> str:
    """The short text of marks of any shape, also of a draft's; what does not fit is left out."""
    if not isinstance(steps, dict):
        return ""
    words = [
        ".".join([str(name), *parts])
        for name, mark in steps.items()
        if isinstance(mark, dict) and (parts := list(_parts(mark)))
    ]
    return " ".join(words)


def _parts(mark: Json) -> list[str]:
    parts = []
    rating = mark.get("correctness")
    # A program may have sent 1.0, which is as whole as 1.
    if rating in (-1, 0, 1) and not isinstance(rating, bool):
        parts.append(str(int(rating)))
    for letter, name in LETTERS.items():
        if isinstance(mark.get(name), bool):
            parts.append(f"{letter}{int(mark[name])}")
    if isinstance(mark.get("recovered_from"), str) and mark["recovered_from"]:
        parts.append(f"r{mark['recovered_from']}")
    return parts


def write_form(judgement: Json) -> dict[str, str]:
    whole = {name: value for name, value in judgement.items() if name != "steps"}
    found = fields.flat(whole)
    marks = written_marks(judgement.get("steps"))
    return {**found, "marks": marks} if marks else found
