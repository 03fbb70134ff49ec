"""How far each author can be believed, with the uncertainty of the truth carried along.

An author's right votes are counted by calibrated posteriors and lean on the mean of their
population. Three things make the estimate unsure, and the interval holds all of them: the few
votes (a Beta posterior), the truth of each task (which of the votes were right), and the truth of
all tasks together: where the whole crowd is mistaken more often than its posteriors admit, every
author is rated too high at once. How strongly authors lean on their population is read off the
most probable labels: expected counts pull all authors to the middle, and would make them look
more alike than they are. Few authors leave it open how strongly they lean, so that the estimate is
the mean over all strengths by how probable each is, and its variance holds how far they differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from marketplace.quality.rules.categorical.dawid_skene import (
    STRENGTHS,
    DawidSkene,
    strength_chances,
)
from marketplace.quality.rules.categorical.prior import NEWCOMER_WEIGHT, Floats, Prior
from marketplace.quality.rules.categorical.votes import Votes
from marketplace.quality.rules.crowd import UNKNOWN, Ints

TAIL = 0.05
# The log odds of the crowd's own accuracy are known to this standard deviation without gold.
CONSENSUS_STRAY = 0.5


@dataclass(frozen=True, eq=False)
class Authors:
    """Counts and confusions float64[A, K, K]; reliability and its 90 % bounds float64[A]."""

    counts: Floats
    confusion: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    population: Prior


def learn(votes: Votes, posterior: Floats, mixed: Floats, groups: Ints | None = None) -> Authors:
    """Read every author off posteriors float64[T, K], calibrated and as the pool mixed them.

    Confusions come from the mixture: the temperature of calibration would make all authors look
    like guessers, and they are read by models that have not been cooled.
    """
    counts = votes.counts(mixed.astype(np.float32))
    model = DawidSkene(votes.class_count, groups=groups)
    model.tables(counts, mixed.sum(0))
    turned = np.ascontiguousarray(counts.transpose(0, 2, 1))
    population = model.prior(mixed.sum(0))
    confusion = turned + population.expected(turned)
    confusion /= confusion.sum(2, keepdims=True)
    total = votes.of_authors()
    right, unsure, agreed = _told(votes, posterior)
    mean, spread = _over_strengths(
        (right, unsure, total), model.group_accuracy, _strengths(agreed, total)
    )
    spread += _consensus_spread(votes, posterior)
    lower, upper = _bounds(mean, spread)
    return Authors(turned, confusion, mean, lower, upper, population)


def _told(votes: Votes, posterior: Floats) -> tuple[Floats, Floats, Floats]:
    """For each author expected right votes, their variance, and votes for the likeliest label."""
    k, wide = votes.class_count, votes.author_count * votes.class_count
    right, unsure, agreed = np.zeros(wide), np.zeros(wide), np.zeros(wide)
    for block in votes.blocks:
        part, cells = posterior[block.first : block.last], block.matrix.indices
        rows = np.repeat(np.arange(len(part)), np.diff(block.matrix.indptr))
        chance = part[rows, cells % k]
        weight = block.matrix.data
        right += np.bincount(cells, chance * weight, wide)
        unsure += np.bincount(cells, chance * (1 - chance) * weight, wide)
        agreed += np.bincount(cells, (part.argmax(1)[rows] == cells % k) * weight, wide)
    one, two, three = (
        each.reshape(votes.author_count, k).sum(1) for each in (right, unsure, agreed)
    )
    return one, two, three


def _over_strengths(
    said: tuple[Floats, Floats, Floats], share: Floats, chances: Floats
) -> tuple[Floats, Floats]:
    """Mean and variance float64[A] of reliabilities that lean on `share`, over all strengths."""
    right, unsure, total = said
    mean, square = np.zeros(len(total)), np.zeros(len(total))
    for strength, chance in zip(STRENGTHS, chances, strict=True):
        size = total + strength
        here = (right + strength * share) / size
        mean += chance * here
        square += chance * (here**2 + here * (1 - here) / (size + 1) + unsure / size**2)
    return mean, np.maximum(square - mean**2, 0)


def _strengths(agreed: Floats, total: Floats) -> Floats:
    """How probable each strength is, float64[S]."""
    usual = float((agreed.sum() + 1) / (total.sum() + 2))
    shares = np.tile([usual, 1 - usual], (len(total), 1))
    return strength_chances(np.stack([agreed, total - agreed], 1), shares, NEWCOMER_WEIGHT)


def _consensus_spread(votes: Votes, posterior: Floats) -> float:
    """The variance that all authors share, since nobody knows how right the crowd is.

    Gold narrows it: each known truth counts as one look at the crowd.
    """
    if not len(posterior):
        return 0.0
    sure = float(posterior.max(1).mean())
    known = 0 if votes.gold is None else int((votes.gold != UNKNOWN).sum())
    looked = known * sure * (1 - sure)
    return (sure * (1 - sure)) ** 2 / (1 / CONSENSUS_STRAY**2 + looked)


def _bounds(mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """The 5th and 95th percentiles of the Beta distributions of these means and variances."""
    most = mean * (1 - mean)
    size = most / np.minimum(spread, 0.9 * most) - 1
    above, below = mean * size, (1 - mean) * size
    return (
        np.asarray(beta.ppf(TAIL, above, below), dtype=np.float64),
        np.asarray(beta.ppf(1 - TAIL, above, below), dtype=np.float64),
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
