"""Haste: answers given in less time than their length takes others, or took the same person."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, mannwhitneyu

from marketplace.quality.rules.integrity.findings import (
    FALSE_SHARE,
    Finding,
    FindingKind,
    Floats,
    false_shares,
)

# What one in twenty of the others' answers takes, at this length, is where haste begins.
FAST = 0.05
ANSWERS_MIN = 8
SHARE_MIN = 0.3  # How much of a person's work must be fast before anybody is asked.
PIECES = 10
OWN_MIN = 20


@dataclass(frozen=True, eq=False)
class Timed:
    """One answer a row, in the order in which they were given: who, what it is called, active
    seconds, and how many characters there were to read. persons, names: n each; seconds,
    characters: float64[n]."""

    persons: Sequence[Hashable]
    names: Sequence[Hashable]
    seconds: Floats
    characters: Floats


def haste(timed: Timed, *, false_share: float = FALSE_SHARE) -> list[Finding]:
    """People of one job with many answers that are fast for their length, beside the others' and
    beside their own earlier ones. A job with one person has no others, and gives nothing."""
    people = list(dict.fromkeys(timed.persons))
    place = {person: at for at, person in enumerate(people)}
    who = np.array([place[each] for each in timed.persons], np.int64)
    if len(people) < 2:
        return []
    left = _for_its_length(timed, who)
    tests = [
        _Test(np.flatnonzero(who == at), _quantile_of_others(left, who, at))
        for at in range(len(people))
    ]
    tests = [each for each in tests if len(each.mine) >= ANSWERS_MIN]
    if not tests:
        return []
    shares = false_shares(np.array([each.chance(left) for each in tests]))
    found = [
        _finding(timed, left, each, float(share))
        for each, share in zip(tests, shares, strict=True)
        if share <= false_share and each.fast(left) >= SHARE_MIN * len(each.mine)
    ]
    return sorted(found, key=lambda each: each.chance or 0.0)


@dataclass(frozen=True, eq=False)
class _Test:
    """The rows of one person, and below what an answer is fast."""

    mine: npt.NDArray[np.int64]
    limit: float

    def fast(self, left: Floats) -> int:
        return int((left[self.mine] < self.limit).sum())

    def chance(self, left: Floats) -> float:
        test = binomtest(self.fast(left), len(self.mine), FAST, alternative="greater")
        return float(test.pvalue)


def _for_its_length(timed: Timed, who: npt.NDArray[np.int64]) -> Floats:
    """Log seconds less what the length explains; the line is fitted on people's own means, so that
    nobody's speed passes for the length of what they were given."""
    seconds = np.log(np.maximum(timed.seconds, 1.0))
    length = np.log1p(timed.characters)
    number = np.bincount(who)
    centred = [x - (np.bincount(who, x) / number)[who] for x in (seconds, length)]
    spread = float(centred[1] @ centred[1])
    slope = float(centred[1] @ centred[0]) / spread if spread > 1e-9 else 0.0
    return np.asarray(seconds - min(max(slope, 0.0), 1.5) * (length - length.mean()), np.float64)


def _quantile_of_others(left: Floats, who: npt.NDArray[np.int64], mine: int) -> float:
    """What FAST of the others' answers stay below, each person counting the same."""
    others = who != mine
    weights = 1 / np.bincount(who)[who[others]]
    order = np.argsort(left[others], kind="stable")
    above = np.cumsum(weights[order])
    return float(left[others][order][np.searchsorted(above, FAST * above[-1])])


def _finding(timed: Timed, left: Floats, test: _Test, share: float) -> Finding:
    mine, fast = test.mine, test.fast(left)
    others = np.setdiff1d(np.arange(len(left)), mine)
    # What others would have needed for what this person was given.
    usual = timed.seconds[mine] * np.exp(np.median(left[others]) - left[mine])
    quickest = mine[np.argsort(left[mine], kind="stable")][:PIECES]
    read = timed.characters[mine] / np.maximum(timed.seconds[mine], 1.0)
    return Finding(
        FindingKind.HASTE,
        (timed.persons[mine[0]],),
        share,
        {
            "answers": len(mine),
            "fast_answers": fast,
            "fast_share": fast / len(mine),
            "fast_share_usual": FAST,
            "seconds_median": float(np.median(timed.seconds[mine])),
            "seconds_usual": float(np.median(usual)),
            "characters_a_second": float(np.median(read)),
            **_beside_oneself(left[mine]),
        },
        tuple(timed.names[at] for at in quickest if left[at] < test.limit),
    )


def _beside_oneself(left: Floats) -> dict[str, float]:
    """How much faster the later half is than the earlier, and how often chance alone does that."""
    if len(left) < OWN_MIN:
        return {}
    early, late = left[: len(left) // 2], left[len(left) // 2 :]
    test = mannwhitneyu(late, early, alternative="less")
    ratio = float(np.exp(np.median(late) - np.median(early)))
    return {"later_to_earlier_ratio": ratio, "later_faster_p": float(test.pvalue)}
