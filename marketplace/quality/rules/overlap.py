"""Adaptive overlap: is one more label worth its price, and can a target be reached at all?

The expected gain is that of the most probable label's chance of being right, looked ahead over
several labels: one more label alone often cannot turn a majority, two or three can (Abraham et al.
2016; Sameki et al. 2019). The posterior must be calibrated first: an overconfident one stops too
early, and says so with confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, factorial

import numpy as np

from marketplace.quality.rules.categorical.prior import Floats

LEAST = 3
# Combinations of labels that looking ahead may weigh; more classes look less far.
LOOKED_AT_MAX = 1_100
STEPS_MAX = 5


@dataclass(frozen=True)
class Verdict:
    """Whether to buy another label, the gain in accuracy per label that it promises, and why."""

    wanted: bool
    gain: float
    why: str


@dataclass(frozen=True)
class Feasibility:
    """What `overlap_max` labels a task can reach in the mean."""

    reachable: bool
    accuracy: float
    labels_needed: int | None
    why: str


def another(
    posterior: Floats,
    price: float,
    value: float,
    *,
    confusion: Floats,
    taken: int,
    most: int,
    least: int = LEAST,
    target: float = 1.0,
) -> Verdict:
    """Whether a task should get another label.

    posterior: float64[K], calibrated
    price, value: what a label costs and what a task turned from wrong to right is worth, in the
        same unit
    confusion: float64[K, K], the author expected next; rows = truth, sum to 1
    taken: labels so far; at least `least` are bought and never more than `most`
    target: confidence at which nothing more is bought, whatever a label costs
    """
    best = float(posterior.max())
    if taken >= most:
        return Verdict(False, 0.0, f"All {most} labels are in.")
    if taken < least:
        return Verdict(True, 1 - best, f"Each task gets at least {least} labels.")
    if best >= target:
        return Verdict(False, 0.0, f"Its confidence of {best:.2f} meets the target.")
    gain = gain_per_label(posterior, confusion, most - taken)
    worth = gain * value >= price and gain > 0
    say = "is worth" if worth else "is not worth"
    return Verdict(worth, gain, f"A gain of {gain:.4f} a label {say} its price.")


def gain_per_label(posterior: Floats, confusion: Floats, left: int) -> float:
    """The best expected gain in accuracy per label over the next 1 … `left` labels."""
    k = len(posterior)
    best, now = 0.0, float(posterior.max())
    for steps in range(1, min(left, STEPS_MAX) + 1):
        if steps > 1 and k**steps > LOOKED_AT_MAX:
            break
        chances = np.ones((1, k))
        for _ in range(steps):
            chances = (chances[:, None, :] * confusion.T[None]).reshape(-1, k)
        then = float((chances * posterior).max(1).sum())
        best = max(best, (then - now) / steps)
    return best


def feasible(target: float, accuracy: float, overlap_max: int, class_count: int) -> Feasibility:
    """Whether the most frequent label of `overlap_max` authors is right in `target` of all tasks.

    accuracy: the share of right labels that the population of eligible authors is known for.
    Tasks are taken to be alike and authors to err independently, on every wrong label alike.
    """
    reached = [plurality(accuracy, n, class_count) for n in range(1, overlap_max + 1)]
    needed = next((n for n, each in enumerate(reached, 1) if each >= target), None)
    best = max(reached, default=0.0)
    if needed is not None:
        why = f"{needed} labels a task reach {target:.0%} where single labels are {accuracy:.0%}."
    else:
        why = (
            f"{overlap_max} labels a task reach {best:.0%} where single labels are {accuracy:.0%}:"
            f" {target:.0%} needs more labels or better authors."
        )
    return Feasibility(needed is not None, best, needed, why)


def plurality(accuracy: float, votes: int, class_count: int) -> float:
    """The chance that the most frequent of independent votes is right; ties are drawn by lot."""
    wrong = class_count - 1
    if wrong < 1:
        return 1.0
    chance = 0.0
    for right in range(votes + 1):
        for tied in range(min(wrong, votes // max(right, 1)) + 1):
            ways = _ways(votes - right, right, tied, wrong)
            if ways:
                mass = comb(votes, right) * accuracy**right
                mass *= ((1 - accuracy) / wrong) ** (votes - right)
                chance += mass * ways / (1 + tied)
    return chance


def _ways(errors: int, right: int, tied: int, wrong: int) -> float:
    """In how many ways do `errors` votes fall so that exactly `tied` labels have `right` votes?

    The other wrong labels have fewer. Counted by exponential generating functions.
    """
    fewer = np.array([1 / factorial(n) for n in range(right)]) if right else np.zeros(1)
    grown = np.ones(1)
    for _ in range(wrong - tied):
        grown = np.convolve(grown, fewer)[: errors + 1]
    at = errors - tied * right
    if not 0 <= at < len(grown):
        return 0.0
    return float(comb(wrong, tied) * grown[at] * factorial(errors) / factorial(right) ** tied)
