"""Authors of one ability each, tasks of one difficulty each (Whitehill et al. 2009, GLAD).

An author of ability a is right on a task of ease e with chance 1 / (1 + exp(-a e)); errors fall
evenly. Abilities are expected around 1 and the logarithm of ease around 0, each with a standard
deviation of 1. A few Newton steps on each, in turn, take the place of the original's gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.crowd import UNKNOWN, Ints, Labels

STEPS = 2
ABILITY_STEP = 1.0
EASE_STEP = 0.5


@dataclass(frozen=True, eq=False)
class Glad:
    """Posteriors float64[T, K]; ability float64[A]; ease float64[T], 1 where nothing is known."""

    posterior: Floats
    ability: Floats
    ease: Floats


def glad(
    labels: Labels,
    start: Floats,
    *,
    gold: Ints | None = None,
    evidence: Floats | None = None,
    iterations: int = 30,
    tolerance: float = 1e-3,
) -> Glad:
    """Fit by expectation-maximisation from a first posterior float64[T, K]."""
    found = clamped(start.astype(np.float64), gold)
    ability, log_ease = np.ones(labels.author_count), np.zeros(labels.task_count)
    for _ in range(iterations):
        right = found[labels.tasks, labels.labels]
        for _ in range(STEPS):
            ability = _able(labels, right, ability, log_ease)
            log_ease = _eased(labels, right, ability, log_ease)
        score = _scores(labels, ability, log_ease)
        score += np.log((found.sum(0) + 1) / (labels.task_count + labels.label_count))
        if evidence is not None:
            score += evidence
        score = np.exp(score - score.max(1, keepdims=True))
        newer = clamped(score / score.sum(1, keepdims=True), gold)
        moved = float(np.abs(newer - found).max(initial=0))
        found = newer
        if moved < tolerance:
            break
    return Glad(found, ability, np.exp(log_ease))


def _able(labels: Labels, right: Floats, ability: Floats, log_ease: Floats) -> Floats:
    ease = np.exp(log_ease)[labels.tasks]
    chance = expit(ability[labels.authors] * ease)
    count = labels.author_count
    slope = np.bincount(labels.authors, (right - chance) * ease, count) - (ability - 1)
    bend = np.bincount(labels.authors, chance * (1 - chance) * ease * ease, count) + 1
    found: Floats = ability + np.clip(slope / bend, -ABILITY_STEP, ABILITY_STEP)
    return found


def _eased(labels: Labels, right: Floats, ability: Floats, log_ease: Floats) -> Floats:
    drive = ability[labels.authors] * np.exp(log_ease)[labels.tasks]
    chance = expit(drive)
    count = labels.task_count
    slope = np.bincount(labels.tasks, (right - chance) * drive, count) - log_ease
    bend = np.bincount(labels.tasks, chance * (1 - chance) * drive * drive, count) + 1
    found: Floats = log_ease + np.clip(slope / bend, -EASE_STEP, EASE_STEP)
    return found


def _scores(labels: Labels, ability: Floats, log_ease: Floats) -> Floats:
    """Only the label that was given gains over the others: its log odds go to its own cell."""
    k = labels.label_count
    drive = ability[labels.authors] * np.exp(log_ease)[labels.tasks]
    gained = drive + np.log(max(k - 1, 1))
    cells = labels.tasks.astype(np.int64) * k + labels.labels
    found: Floats = np.bincount(cells, gained, labels.task_count * k).astype(np.float64)
    return found.reshape(labels.task_count, k)


def clamped(posterior: Floats, gold: Ints | None) -> Floats:
    """Put the known truths into a posterior float64[T, K], in place."""
    if gold is not None:
        known = gold != UNKNOWN
        posterior[known] = 0
        posterior[known, gold[known]] = 1
    return posterior
