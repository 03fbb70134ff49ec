"""How far each author can be believed, with the uncertainty of the truth carried along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from marketplace.quality.rules.categorical.dawid_skene import DawidSkene
from marketplace.quality.rules.categorical.prior import Floats, Prior
from marketplace.quality.rules.categorical.votes import Votes
from marketplace.quality.rules.crowd import Ints

TAIL = 0.05


@dataclass(frozen=True, eq=False)
class Authors:
    """Counts and confusions float64[A, K, K]; reliability and its 90 % bounds float64[A]."""

    counts: Floats
    confusion: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    population: Prior


def learn(votes: Votes, posterior: Floats, groups: Ints | None) -> Authors:
    """Read every author off calibrated posteriors float64[T, K]."""
    counts = votes.counts(posterior.astype(np.float32))
    model = DawidSkene(votes.class_count, groups=groups)
    model.tables(counts, posterior.sum(0))
    right = np.trace(counts, axis1=1, axis2=2)
    total = votes.of_authors()
    weight = model.accuracy_strength
    above = right + weight * model.group_accuracy
    below = total - right + weight * (1 - model.group_accuracy)
    turned = np.ascontiguousarray(counts.transpose(0, 2, 1))
    population = model.prior(posterior.sum(0))
    confusion = turned + population.expected(turned)
    confusion /= confusion.sum(2, keepdims=True)
    return Authors(
        counts=turned,
        confusion=confusion,
        mean=above / (above + below),
        lower=beta.ppf(TAIL, above, below),
        upper=beta.ppf(1 - TAIL, above, below),
        population=population,
    )


def difficulty(votes: Votes, posterior: Floats, mean: Floats) -> Floats:
    """How hard each task was for those who judged it, float64[T], 0 … 1.

    The share of its votes that are expected to be wrong, leaning on what its authors' own
    reliability would give; the share of chance is 1.
    """
    k = votes.class_count
    right = np.zeros(votes.task_count)
    expected = np.zeros(votes.task_count)
    reliable = np.repeat(mean, k).astype(np.float32)
    for block in votes.blocks:
        part = slice(block.first, block.last)
        rows = np.repeat(np.arange(block.last - block.first), np.diff(block.matrix.indptr))
        said = posterior[part][rows, block.matrix.indices % k]
        right[part] = np.bincount(rows, said, block.last - block.first)
        expected[part] = block.matrix @ reliable
    counted = np.diff(votes.matrix.indptr)
    usual = np.divide(expected, counted, out=np.ones(len(right)), where=counted > 0)
    wrong = 1 - (right + usual) / (counted + 1)
    found: Floats = np.clip(wrong / max(1 - 1 / max(k, 1), 1e-9), 0, 1)
    return found
