"""Authors with an ability on each class, tasks with a difficulty each.

GLAD (Whitehill et al. 2009) gives each author one ability, and so takes every class for equally
easy to see; where they are not it tends to put all tasks into one class. Here the abilities of an
author on each class lean on the author's own mean. How far they stray from it, and how far the
ease of tasks strays, is read from the labels (empirical Bayes with Laplace's variances).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit

from marketplace.quality.rules.categorical.glad import ABILITY_STEP, EASE_STEP, clamped
from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.crowd import Ints, Labels

STEPS = 2
SPREAD = 0.7
SPREAD_MIN, SPREAD_MAX = 0.1, 2.0
USUAL = 1.0


@dataclass
class _Abilities:
    """Abilities float64[A, K] around each author's mean float64[A]; log ease float64[T]."""

    labels: Labels
    hit: npt.NDArray[np.bool_]
    ability: Floats
    mean: Floats
    log_ease: Floats
    stray: float = SPREAD
    ease_stray: float = SPREAD

    def climb(self, weight: Floats) -> None:
        """Newton steps up the expected posterior. weight: float64[n, K], the tasks' classes."""
        for _ in range(STEPS):
            bend = self._abilities(weight)
            ease_bend = self._eases(weight)
        apart = (self.ability - self.mean[:, None]) ** 2 + 1 / bend
        self.stray = float(np.clip(np.sqrt(apart.mean()), SPREAD_MIN, SPREAD_MAX))
        apart = self.log_ease**2 + 1 / ease_bend
        self.ease_stray = float(np.clip(np.sqrt(apart.mean()), SPREAD_MIN, SPREAD_MAX))

    def drive(self) -> Floats:
        """Log odds of a right label in each class, float64[n, K]."""
        ease = np.exp(self.log_ease)[self.labels.tasks]
        found: Floats = self.ability[self.labels.authors] * ease[:, None]
        return found

    def _abilities(self, weight: Floats) -> Floats:
        ease = np.exp(self.log_ease)[self.labels.tasks][:, None]
        chance = expit(self.drive())
        sure = 1 / self.stray**2
        slope = _added(self.labels.authors, (self.hit - chance) * weight * ease, len(self.mean))
        bend = _added(self.labels.authors, chance * (1 - chance) * weight * ease**2, len(self.mean))
        step = (slope - sure * (self.ability - self.mean[:, None])) / (bend + sure)
        self.ability = self.ability + np.clip(step, -ABILITY_STEP, ABILITY_STEP)
        self.mean = (sure * self.ability.sum(1) + USUAL) / (sure * self.ability.shape[1] + 1)
        curved: Floats = bend + sure
        return curved

    def _eases(self, weight: Floats) -> Floats:
        drive = self.drive()
        chance = expit(drive)
        sure = 1 / self.ease_stray**2
        tasks, count = self.labels.tasks, len(self.log_ease)
        slope = np.bincount(tasks, ((self.hit - chance) * weight * drive).sum(1), count)
        bend = np.bincount(tasks, (chance * (1 - chance) * weight * drive**2).sum(1), count) + sure
        step = (slope - sure * self.log_ease) / bend
        self.log_ease = self.log_ease + np.clip(step, -EASE_STEP, EASE_STEP)
        curved: Floats = bend.astype(np.float64)
        return curved


def class_abilities(
    labels: Labels,
    start: Floats,
    *,
    gold: Ints | None = None,
    evidence: Floats | None = None,
    iterations: int = 40,
    tolerance: float = 1e-3,
) -> tuple[Floats, Floats]:
    """Posteriors float64[T, K] and the ease of tasks float64[T], from a first posterior."""
    k = labels.label_count
    found = clamped(start.astype(np.float64), gold)
    if not len(labels):
        return found, np.ones(labels.task_count)
    model = _Abilities(
        labels,
        labels.labels[:, None] == np.arange(k),
        np.full((labels.author_count, k), USUAL),
        np.full(labels.author_count, USUAL),
        np.zeros(labels.task_count),
    )
    for _ in range(iterations):
        model.climb(found[labels.tasks])
        drive = model.drive()
        said = np.where(model.hit, log_expit(drive), log_expit(-drive) - np.log(max(k - 1, 1)))
        score = _added(labels.tasks, said, labels.task_count)
        score += np.log((found.sum(0) + 1) / (labels.task_count + k))
        if evidence is not None:
            score += evidence
        score = np.exp(score - score.max(1, keepdims=True))
        newer = clamped(score / score.sum(1, keepdims=True), gold)
        moved = float(np.abs(newer - found).max(initial=0))
        found = newer
        if moved < tolerance:
            break
    return found, np.exp(model.log_ease)


def _added(rows: Ints, each: Floats, count: int) -> Floats:
    """Sums of the rows of `each` float64[n, K] by number: float64[count, K]."""
    found = [np.bincount(rows, column, count) for column in np.ascontiguousarray(each.T)]
    return np.ascontiguousarray(np.array(found).T)
