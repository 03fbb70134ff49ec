"""Adaptive overlap: is one more label worth its price, and can a target be reached at all?

The expected gain is that of the most probable label's chance of being right, looked ahead over
several labels: one more label alone often cannot turn a majority, two or three can (Abraham et al.
2016; Sameki et al. 2019). The posterior must be calibrated first: an overconfident one stops too
early, and says so with confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import comb, factorial

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from marketplace.quality.rules.categorical.result import Fit
from marketplace.quality.rules.crowd import Floats

LEAST = 3
# Ways for labels to fall that looking ahead may weigh; more classes look less far.
LOOKED_AT_MAX = 800
STEPS_MAX = 9
TINY = 1e-12


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
    return float(gains(posterior[None], confusion, np.array([left]))[0])


def gains(posterior: Floats, confusion: Floats, left: npt.NDArray[np.integer]) -> Floats:
    """The same for many tasks at once: float64[T] from posteriors [T, K] and labels left [T].

    Labels of one author are like those of another, so how many there will be of each is all that
    is weighed, as far ahead as there are few enough ways.
    """
    k = posterior.shape[1]
    now, best = posterior.max(1), np.zeros(len(posterior))
    logs = np.log(np.maximum(confusion, TINY))
    for steps in range(1, min(int(left.max(initial=0)), STEPS_MAX) + 1):
        if comb(steps + k - 1, steps) > LOOKED_AT_MAX:
            break
        counts, ways = _ways_to_fall(steps, k)
        chances = np.exp(counts @ logs.T + ways[:, None])
        then = np.zeros(len(posterior))
        for chance in chances:
            then += (posterior * chance).max(1)
        best = np.where(left >= steps, np.maximum(best, (then - now) / steps), best)
    return best


@cache
def _ways_to_fall(steps: int, class_count: int) -> tuple[Floats, Floats]:
    """Counts float64[S, K] of every way for labels to fall, and the logarithms of their number."""
    bars = np.array(list(combinations(range(steps + class_count - 1), class_count - 1)))
    edge = np.full((len(bars), 1), -1), np.full((len(bars), 1), steps + class_count - 1)
    bars = bars.reshape(len(bars), class_count - 1)
    counts = np.diff(np.hstack([edge[0], bars, edge[1]]), axis=1) - 1.0
    ways: Floats = gammaln(steps + 1) - gammaln(counts + 1).sum(1)
    return counts, ways


def next_author(fit: Fit) -> Floats:
    """The confusion float64[K, K] to expect of whoever comes next, as the posterior will see it.

    The mean of all authors by how much they said, its logarithms shrunk by the temperature that
    their votes are: what moves a calibrated posterior is less than what an author knows.
    """
    weight = fit.counts.sum((1, 2), dtype=np.float64) + 1e-9
    mean = np.average(fit.confusion.astype(np.float64), axis=0, weights=weight)
    found: Floats = mean ** (1 / fit.calibration.temperature)
    found /= found.sum(1, keepdims=True)
    return found


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
