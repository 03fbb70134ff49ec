"""What answers to gold say of their authors, of the gold, and of whether it leaked; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist

from marketplace.quality.rules.posterior import PRIOR, posterior

EXPOSURES_MAX_DEFAULT = 40  # People who may see a gold item before it counts as worn.
EXPOSURES_MAX_MOST = 10_000
RIGHT = 0.7  # The agreement with gold, 0..1, from which an answer passes for right.
STRONG = 0.6  # The lower bound of somebody's accuracy from which their word weighs against gold.
AGAINST_MIN = 3  # Strong authors who say the same against gold before it is put in doubt.
SAME = 0.9  # Agreement of two answers from which they say the same.
LEAK_MIN = 6  # Worn items that somebody must have met before a leap in accuracy says anything.
LEAK_CHANCE = 0.005  # One-sided; asked of each person once in a while, so it must be small.
WORDS_MIN = 8  # Rationales shorter than this are alike by themselves.


class GoldState(StrEnum):
    """worn: shown to as many people as the job allows; it teaches nothing any more."""

    ACTIVE = "active"
    WORN = "worn"
    WITHDRAWN = "withdrawn"


class GoldCause(StrEnum):
    """Why gold is what it is."""

    SENT = "sent"
    PROMOTED = "promoted"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class DisputeState(StrEnum):
    """What became of a doubt about gold."""

    OPEN = "open"
    KEPT = "kept"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class AlarmKind(StrEnum):
    """What makes a leak likely."""

    SUDDEN = "sudden"
    COPIED = "copied"


NEXT_GOLD: Mapping[GoldState, frozenset[GoldState]] = {
    GoldState.ACTIVE: frozenset({GoldState.WORN, GoldState.WITHDRAWN}),
    GoldState.WORN: frozenset({GoldState.ACTIVE, GoldState.WITHDRAWN}),
    # An item may become gold again once its right answer is settled anew.
    GoldState.WITHDRAWN: frozenset({GoldState.ACTIVE}),
}
_ENDS = frozenset({DisputeState.KEPT, DisputeState.CORRECTED, DisputeState.WITHDRAWN})
NEXT_DISPUTE: Mapping[DisputeState, frozenset[DisputeState]] = {
    DisputeState.OPEN: _ENDS,
    **{end: frozenset[DisputeState]() for end in sorted(_ENDS)},
}
DISPUTE_LABELS: Mapping[DisputeState, str] = {
    DisputeState.OPEN: "Open",
    DisputeState.KEPT: "The gold stands",
    DisputeState.CORRECTED: "The gold was corrected",
    DisputeState.WITHDRAWN: "The gold was withdrawn",
}


def weight_of(*, exposures: int, exposures_max: int, round_number: int, seen_before: bool) -> float:
    """What an answer to gold counts for: 1 at the first sight of an item that is not worn, else 0.

    Reworked answers were told something, and whoever saw the same text before may remember it.
    """
    fresh = round_number == 1 and not seen_before and exposures <= exposures_max
    return 1.0 if fresh else 0.0


@dataclass(frozen=True, slots=True)
class Against:
    """Strong authors against gold. people: how many of them were asked; saying: how many of these
    say the same other thing; lower: the lower 90 % bound of the share that does."""

    people: int
    saying: int
    lower: float

    @property
    def puts_in_doubt(self) -> bool:
        """Whether most of those whose word weighs say the same other thing."""
        return self.saying >= AGAINST_MIN and self.lower > 0.5


def against(
    wrong: Collection[int], agreement: Mapping[tuple[int, int], float], *, people: int
) -> Against:
    """How many of `people` strong authors say the same thing that gold says is wrong.

    wrong: those whose answers gold says are wrong; agreement: of two of them, 0..1, under both
    orders or one. The largest group around one of them counts.
    """
    saying = 0
    for one in wrong:
        alike = sum(
            1
            for other in wrong
            if other == one
            or max(agreement.get((one, other), 0.0), agreement.get((other, one), 0.0)) >= SAME
        )
        saying = max(saying, alike)
    return Against(people, saying, posterior(saying, people)[1] if people else 0.0)


@dataclass(frozen=True, slots=True)
class Leap:
    """Somebody's accuracy on worn gold beside what their other work makes likely.

    expected, expected_n: from evidence that worn gold had no part in; chance: of doing as well or
    better, were they as good on worn gold as elsewhere.
    """

    right: float
    n: int
    expected: float
    expected_n: float
    chance: float

    @property
    def is_sudden(self) -> bool:
        """Whether it is too unlikely to be skill alone."""
        return self.n >= LEAK_MIN and self.chance < LEAK_CHANCE


def leap(right: float, n: int, *, elsewhere_right: float, elsewhere_n: float) -> Leap:
    """Accuracy on worn gold against accuracy elsewhere: two Beta posteriors, compared as normals.

    What is not known of the person elsewhere widens the comparison, so that newcomers, of whom
    nothing is known, raise no alarm.
    """
    here, there = _moments(right, n), _moments(elsewhere_right, elsewhere_n)
    apart = (here[0] - there[0]) / sqrt(here[1] + there[1])
    return Leap(right, n, there[0], elsewhere_n, 1 - NormalDist().cdf(apart))


def _moments(right: float, n: float) -> tuple[float, float]:
    a, b = PRIOR + right, PRIOR + max(0.0, n - right)
    return a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))


def copied(rationale: str, others: Sequence[str]) -> int:
    """How many other people wrote the same rationale, but for case, stops and spaces; 0 for one
    that is too short to tell."""
    words = _plain(rationale)
    if len(words) < WORDS_MIN:
        return 0
    return sum(_plain(other) == words for other in others)


def _plain(text: str) -> list[str]:
    return "".join(each if each.isalnum() else " " for each in text.lower()).split()
