"""The marks of an attempt: over all items, and by concept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

PLACES = Decimal("0.001")
# Sums of shares such as 1/3 may fall short of what they stand for by the last bit of a float.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one answer agrees with its gold, 0..1; an item without an answer has 0."""

    item_id: UUID
    concept: str
    score: float


@dataclass(frozen=True, slots=True)
class Marks:
    """score: the mean, cut (not rounded) after three decimals, so that nobody is lifted over the
    pass mark; by_concept: {concept: {"items": n, "score": 0..1}}; by_item: {item id: 0..1}."""

    score: Decimal
    by_concept: Mapping[str, Mapping[str, float]]
    by_item: Mapping[str, float]


def marked(marks: Sequence[Mark]) -> Marks:
    """The marks of an attempt; ValueError without any item."""
    if not marks:
        raise ValueError("An attempt has items.")
    by_concept: dict[str, list[float]] = defaultdict(list)
    for mark in marks:
        by_concept[mark.concept].append(mark.score)
    return Marks(
        score=_cut(sum(mark.score for mark in marks) / len(marks)),
        by_concept={
            concept: {"items": len(scores), "score": float(_cut(sum(scores) / len(scores)))}
            for concept, scores in sorted(by_concept.items())
        },
        by_item={str(mark.item_id): round(mark.score, 6) for mark in marks},
    )


def _cut(mean: float) -> Decimal:
    whole = min(1.0, max(0.0, mean + SLACK))
    return Decimal(repr(whole)).quantize(PLACES, rounding=ROUND_DOWN)
