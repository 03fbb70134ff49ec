"""Position bias: who chooses what was shown first, or last, more often than its place explains."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from marketplace.quality.rules.integrity.findings import (
    FALSE_SHARE,
    Finding,
    FindingKind,
    false_shares,
)

ANSWERS_MIN = 10


@dataclass(frozen=True, slots=True)
class PositionShare:
    """chosen of n answers fell on the place; share with exact 90 % bounds (Clopper and Pearson
    1934); expected: the share that an order by lot gives; p: two-sided."""

    chosen: int
    n: int
    share: float
    lower: float
    upper: float
    expected: float
    p: float


def position_share(chosen: int, n: int, places: int) -> PositionShare | None:
    """How often the first of `places` places was chosen; None without answers."""
    if not n:
        return None
    test = binomtest(chosen, n, 1 / places)
    bounds = test.proportion_ci(0.9, "exact")
    return PositionShare(
        chosen, n, chosen / n, float(bounds.low), float(bounds.high), 1 / places, float(test.pvalue)
    )


def position(
    favoured: Mapping[Hashable, Sequence[tuple[int, int]]], *, false_share: float = FALSE_SHARE
) -> list[Finding]:
    """Authors who favour the first or the last place.

    favoured: by author, (place from 0, number of places) of each answer that put one first; the
    order on the screen must have been by lot. Authors with under ten answers are passed over.
    """
    tests = [
        (author, name, each)
        for author, answers in favoured.items()
        if len(answers) >= ANSWERS_MIN
        for name, each in _tests(answers)
    ]
    if not tests:
        return []
    shares = false_shares(np.array([each.p for _, _, each in tests]))
    found = [
        Finding(
            FindingKind.POSITION,
            (author,),
            float(chance),
            {
                "place": name,
                "answers": each.n,
                "chosen": each.chosen,
                "share": each.share,
                "share_lower": each.lower,
                "share_upper": each.upper,
                "share_usual": each.expected,
            },
        )
        for (author, name, each), chance in zip(tests, shares, strict=True)
        if chance <= false_share and each.share > each.expected
    ]
    return sorted(found, key=lambda each: each.chance or 0.0)


def _tests(answers: Sequence[tuple[int, int]]) -> Iterable[tuple[str, PositionShare]]:
    """The first and the last place among the answers with the commonest number of places."""
    numbers = [places for _, places in answers]
    usual = max(sorted(set(numbers)), key=numbers.count)
    held = [place for place, places in answers if places == usual]
    if usual < 2:
        return
    for name, wanted in (("first", 0), ("last", usual - 1)):
        each = position_share(held.count(wanted), len(held), usual)
        if each is not None:
            yield name, each
