"""Defects: what may be named wrong with an answer, where, and how it was written down; pure.

Codes and places come from the task type's scales and the template, so that a new type needs none
of its own. What was written before there were codes (`what`, `severity`, `where`) stays valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.errors import Fault
from marketplace.tasktypes import Json, Scale, ScaleKind, TaskType
from marketplace.tasktypes.scales import fits, found

WORDS_MAX = 2_000
PLACE_MAX = 300
RATIONALE = "rationale"
WHOLE = "whole"
NAMES = ("what", "severity", "where", "code", "place", "start", "end", "fix")
_ANSWER = (("wrong_answer", "Another answer holds"),)
_PREFERENCE = (("wrong_preference", "The other one is better"),)
_MARKED = (
    ("mark_missing", "A mark is missing"),
    ("mark_needless", "A mark too many"),
    ("mark_misplaced", "Marked in the wrong place"),
    ("mark_mislabelled", "Marked with the wrong label"),
)
_STEPS = (
    ("step_misjudged", "A step is judged wrongly"),
    ("first_error_missed", "The first error is another"),
)
_WRITTEN = (
    ("text_wrong", "It says something wrong"),
    ("text_incomplete", "It leaves out what is asked for"),
    ("text_unsupported", "It claims what nothing supports"),
)
_CODES: Mapping[ScaleKind, Sequence[tuple[str, str]]] = {
    ScaleKind.NOMINAL: _ANSWER,
    ScaleKind.ORDINAL: _ANSWER,
    ScaleKind.INTERVAL: _ANSWER,
    ScaleKind.PAIRWISE: _PREFERENCE,
    ScaleKind.RANKING: _PREFERENCE,
    ScaleKind.SPANS: _MARKED,
    ScaleKind.REGIONS: _MARKED,
    ScaleKind.STEPS: _STEPS,
    ScaleKind.TEXT: _WRITTEN,
    ScaleKind.NONE: (),
}
_REASONED = (
    ("rationale_missing", "The reason is missing or too thin"),
    ("rationale_contradicts", "The reason says something else than the answer"),
)
_ALWAYS = (("guideline_missed", "A rule of the instructions was missed"), ("other", "Other"))
# What a place is called, by the kind of its scale.
_PLACE_KINDS = {
    ScaleKind.SPANS: "span",
    ScaleKind.REGIONS: "region",
    ScaleKind.STEPS: "step",
    ScaleKind.ORDINAL: "rubric item",
    ScaleKind.INTERVAL: "rubric item",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a defect can be: its name in the judgement, in words, and what was answered there."""

    name: str
    words: str
    answered: str


def codes_of(kind: TaskType, template: Json) -> list[tuple[str, str]]:
    """What can be wrong under a template, as (code, words), each once."""
    fitting = [pair for scale in kind.scales_of(template).values() for pair in _CODES[scale.kind]]
    if template.get("rationale", "optional") != "off":
        fitting += _REASONED
    return list(dict.fromkeys([*fitting, *_ALWAYS]))


def places_of(kind: TaskType, template: Json, judgement: Json) -> list[Place]:
    """Where in a judgement a defect can be: what it answers, its rationale, the whole."""
    scales = kind.scales_of(template)
    places = [
        Place(name, place_words(name, found(scales, name)), str(label))
        for name, label in sorted(kind.units(judgement).items())
    ]
    if template.get("rationale", "optional") != "off":
        places.append(Place(RATIONALE, "The reason", ""))
    return [*places, Place(WHOLE, "The answer as a whole", "")]


def place_words(name: str, scale: Scale | None = None) -> str:
    """A place as people read it: `Ratings: clarity (rubric item)`."""
    group, _, rest = name.replace(":", ".", 1).partition(".")
    words = f"{group.replace('_', ' ').capitalize()}: {rest}" if rest else group.capitalize()
    kind = _PLACE_KINDS.get(scale.kind) if scale is not None else None
    return f"{words} ({kind})" if kind and rest else words.replace("_", " ")


def faults_of(
    defects: Sequence[Mapping[str, Any]], kind: TaskType, template: Json, judgement: Json
) -> Iterator[Fault]:
    """What is wrong with the structured parts of defects, by pointer."""
    codes = {code for code, _ in codes_of(kind, template)}
    patterns = [*kind.scales_of(template), *kind.units(judgement), RATIONALE, WHOLE]
    for at, defect in enumerate(defects):
        code, place = defect.get("code"), defect.get("place")
        if code and code not in codes:
            listed = ", ".join(sorted(codes))
            yield Fault(f"/defects/{at}/code", f"Choose one of {listed}.")
        if place and not any(fits(str(place), pattern) for pattern in patterns):
            words = "Name a unit of the answer, such as `choice`, or `rationale` or `whole`."
            yield Fault(f"/defects/{at}/place", words)
        for name in ("what", "where", "fix"):
            if len(str(defect.get(name) or "")) > WORDS_MAX:
                yield Fault(f"/defects/{at}/{name}", f"Keep it below {WORDS_MAX} characters.")
        yield from _extent_faults(at, defect)


def _extent_faults(at: int, defect: Mapping[str, Any]) -> Iterator[Fault]:
    start, end = defect.get("start"), defect.get("end")
    if start is None and end is None:
        return
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end):
        yield Fault(f"/defects/{at}/start", "Say both ends of the span, the first before the last.")


def written(
    defects: Sequence[Mapping[str, Any]], kind: TaskType, template: Json, version: int
) -> list[dict[str, Any]]:
    """Defects as they are kept: known parts only, with the version of the instructions that they
    go by, and `where` in words for who reads no places."""
    scales = kind.scales_of(template)
    rows = []
    for defect in defects:
        row = {name: defect[name] for name in NAMES if defect.get(name) not in (None, "")}
        place = str(row.get("place", ""))
        if place and "where" not in row:
            row["where"] = place_words(place, found(scales, place))[:PLACE_MAX]
        rows.append(row | {"guideline_version": version})
    return rows
