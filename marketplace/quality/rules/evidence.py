"""What teaches somebody's skill, and whether it has moved of late; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from marketplace.quality.rules.posterior import PRIOR, beta_quantile

RECENT = 20  # Pieces of work; with fewer the interval says nothing.
TAIL = 0.05
Z_90 = 1.6448536269514722


class EvidenceSource(StrEnum):
    """Who said how good a piece of work was."""

    REVIEW = "review"
    GOLD = "gold"
    QUALIFICATION = "qualification"
    CONSENSUS = "consensus"
    APPEAL = "appeal"


def interval(right: float, weight: float) -> tuple[float, float]:
    """The central 90 % interval of a share, after `right` of `weight`, from a flat prior."""
    a, b = PRIOR + right, PRIOR + max(0.0, weight - right)
    return beta_quantile(TAIL, a, b), beta_quantile(1 - TAIL, a, b)


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the recent work lies above the rest (below where negative), with its 90 % interval.

    recent_n: pieces of work in the recent window; moved: whether the interval leaves out 0.
    """

    difference: float
    lower: float
    upper: float
    recent_n: int

    @property
    def moved(self) -> bool:
        return self.lower > 0 or self.upper < 0


def drift(recent: tuple[float, float], rest: tuple[float, float], *, recent_n: int) -> Drift | None:
    """The recent window against the rest, each (right, weight); None where either is empty.

    Two Beta posteriors from flat priors; their difference is taken as normal, with the sum of
    their variances.
    """
    if recent[1] <= 0 or rest[1] <= 0:
        return None
    (now, now_spread), (then, then_spread) = _moments(*recent), _moments(*rest)
    reach = Z_90 * sqrt(now_spread + then_spread)
    return Drift(now - then, now - then - reach, now - then + reach, recent_n)


def _moments(right: float, weight: float) -> tuple[float, float]:
    a, b = PRIOR + right, PRIOR + max(0.0, weight - right)
    return a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
