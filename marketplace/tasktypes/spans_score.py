"""Votes on spans, and how far they agree with gold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from marketplace.tasktypes.scales import NOMINAL, Mark, Scale, ScaleKind, Scales, nominal
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import Units

TOKEN = re.compile(r"\w+|[^\w\s]")
SHARED_LEAST = 0.5


def extent(span: Json) -> tuple[int, int]:
    return int(span["start"]), int(span["end"])


def units(judgement: Json) -> Units:
    """What is voted on: the label of each extent, of each token in it, of the whole text.

    `{"spans.0-11": "COURT", "tokens.0-4": "COURT", "cats": "appeal"}`; several labels in one
    place are joined by “+”. Relations are named by the extents of their ends.
    """
    spans = judgement["spans"]
    found: dict[str, set[str]] = {}
    for span in spans:
        start, end = extent(span)
        found.setdefault(f"spans.{start}-{end}", set()).add(str(span["label"]))
        for word in TOKEN.finditer(str(span["text"])):
            name = f"tokens.{start + word.start()}-{start + word.end()}"
            found.setdefault(name, set()).add(str(span["label"]))
    by_id = {span["id"]: "{}-{}".format(*extent(span)) for span in spans}
    for relation in judgement.get("relations", []):
        name = f"relations.{by_id.get(relation['source'])}.{by_id.get(relation['target'])}"
        found.setdefault(name, set()).add(str(relation["type"]))
    if judgement.get("cats"):
        found["cats"] = set(map(str, judgement["cats"]))
    return {name: "+".join(sorted(labels)) for name, labels in found.items()}


def scales(template: Json) -> Scales:
    """Spans are matched first; a token that nobody else marked is outside to the others."""
    labels = tuple(str(label["name"]) for label in template["labels"])
    many = template.get("cats_many")
    return {
        "spans.*": Scale(ScaleKind.SPANS, labels, silence=""),
        "tokens.*": Scale(ScaleKind.NOMINAL, silence=""),
        "relations.*": Scale(ScaleKind.NOMINAL, silence=""),
        "cats": NOMINAL if many else nominal(*(each["name"] for each in template.get("cats", []))),
    }


def marks(_template: Json, judgement: Json) -> list[Mark]:
    """Each span where it stands, with its label."""
    return [
        Mark("spans", str(span["id"]), str(span["label"]), extent(span))
        for span in judgement["spans"]
    ]


def overlap(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Intersection over union of two extents, 0..1."""
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(0, shared) / (max(first[1], second[1]) - min(first[0], second[0]))


def gold_rule(judgement: Json, gold: Json, template: Json) -> float | None:
    """The mean of the F1 of spans, and, where gold has any, of relations and of the whole's labels.

    A span of the judgement counts for one of gold's at most: with the same label, at the same
    offsets or, under `gold_match: overlap`, sharing at least half of what both cover.
    """
    exact = template.get("gold_match", "exact") == "exact"
    matched = matches(judgement["spans"], gold["spans"], 1.0 if exact else SHARED_LEAST)
    scores = [f1(len(matched), len(judgement["spans"]), len(gold["spans"]))]
    if gold.get("relations"):
        given = [renamed(each, matched) for each in judgement.get("relations", [])]
        wanted = [(each["source"], each["type"], each["target"]) for each in gold["relations"]]
        scores.append(f1(len(set(given) & set(wanted)), len(given), len(wanted)))
    if gold.get("cats"):
        cats = judgement.get("cats", [])
        scores.append(f1(len(set(cats) & set(gold["cats"])), len(cats), len(gold["cats"])))
    return sum(scores) / len(scores)


def matches(given: Sequence[Json], wanted: Sequence[Json], least: float) -> dict[str, str]:
    """Ids of spans that found each other, given → wanted; the closest pairs first."""
    near = sorted(
        (-overlap(extent(one), extent(other)), str(one["id"]), str(other["id"]))
        for other in wanted
        for one in given
        if one["label"] == other["label"] and overlap(extent(one), extent(other)) >= least
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, one, other in near:
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def renamed(relation: Json, matched: dict[str, str]) -> tuple[str, str, str]:
    """A relation by the names that gold has for its ends."""
    lost = ""
    source, target = (matched.get(str(relation[end]), lost) for end in ("source", "target"))
    return source, str(relation["type"]), target


def f1(matched: int, given: int, wanted: int) -> float:
    """The harmonic mean of precision and recall; 1 where there was nothing to find or say."""
    return 2 * matched / (given + wanted) if given + wanted else 1.0


def without_overlap(spans: Sequence[Json]) -> tuple[list[Json], list[Json]]:
    """Spans in the order of the text with no two overlapping, and those left out; longest win."""
    kept: list[Json] = []
    left: list[Json] = []
    for span in sorted(spans, key=longest_first):
        start, end = extent(span)
        clear = all(end <= extent(other)[0] or extent(other)[1] <= start for other in kept)
        (kept if clear else left).append(span)
    return sorted(kept, key=extent), left


def longest_first(span: Json) -> tuple[int, int, str]:
    start, end = extent(span)
    return start - end, start, str(span["label"])


def tokens(text: str, spans: Sequence[Json]) -> Iterator[tuple[int, int]]:
    """Words and signs of a text as extents, cut wherever a span begins or ends."""
    cuts = sorted({offset for span in spans for offset in extent(span)})
    at = 0
    for found in TOKEN.finditer(text):
        start, end = found.span()
        while at < len(cuts) and cuts[at] <= start:
            at += 1
        while at < len(cuts) and cuts[at] < end:
            yield start, cuts[at]
            start = cuts[at]
            at += 1
        yield start, end
