"""A task's posterior after one more label, from its own labels alone (Neal & Hinton 1998)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from marketplace.quality.rules.categorical.prior import (
    SURE,
    Floats,
    Prior,
    right_by_class,
)
from marketplace.quality.rules.crowd import UNKNOWN

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Author:
    """What is known of an author: expected counts float64[K, K], rows = truth, and who they are."""

    counts: Floats
    prior: Prior

    @staticmethod
    def unknown(prior: Prior) -> Author:
        """An author who has said nothing yet."""
        return Author(np.zeros_like(prior.errors), prior)

    def confusion(self) -> Floats:
        """The expected chance of each label given the truth, float64[K, K], rows sum to 1."""
        found = self.counts + self.prior.expected(self.counts[None])[0]
        expected: Floats = found / found.sum(1, keepdims=True)
        return expected


def update(
    author_counts: Floats,
    labels: npt.NDArray[np.integer],
    prior: Prior,
    before: Floats | None = None,
    gold: int = UNKNOWN,
    *,
    counted: Flags | None = None,
) -> tuple[Floats, Floats]:
    """The posterior of one task and the counts of its authors, after its newest label.

    author_counts: float64[m, K, K], the expected counts of the task's m authors, rows = truth
    labels: int[m], what each of them said of this task
    before: float64[K], the posterior that stands in the counts; None for a task not yet counted
    gold: the truth where it is known
    counted: bool[m], whose counts hold `before`; when left out, all but the last author's

    What the task itself taught about its authors is taken out of their counts first (the cavity),
    so that it does not vouch for them, and put back by the new posterior. Answers the new
    posterior, float64[K], and new counts of the shape of `author_counts`, which stay as they were.
    The cost hangs on m and K only.
    """
    m, at = len(labels), np.arange(len(labels))
    counts = author_counts.copy()
    if before is not None:
        taken = np.ones(m) if counted is None else counted.astype(np.float64)
        if counted is None:
            taken[-1:] = 0
        counts[at, :, labels] -= taken[:, None] * before
        # Rounding must leave no author with less than nothing.
        np.maximum(counts, 0, out=counts)
    after = posterior(counts, labels, prior) if gold == UNKNOWN else _known(gold, counts.shape[1])
    counts[at, :, labels] += after
    return after, counts


def posterior(counts: Floats, labels: npt.NDArray[np.integer], prior: Prior) -> Floats:
    """What m authors with these counts make of a task, float64[K]; no votes give the classes."""
    score = prior.log_classes()
    if len(labels):
        score = score + _evidence(counts, labels, prior)
    score = np.exp(score - score.max())
    found: Floats = score / score.sum()
    return found


def _evidence(counts: Floats, labels: npt.NDArray[np.integer], prior: Prior) -> Floats:
    """The logarithm of how well each class explains the votes, float64[K].

    Only the column of each author's own label is needed, so no whole confusion is made.
    """
    at = np.arange(len(labels))
    rows = counts.sum(2)
    weight = prior.accuracy_strength
    right = np.einsum("aii->a", counts)
    accuracy = (right + weight * prior.accuracy) / (rows.sum(1) + weight)
    accuracy = np.minimum(np.maximum(accuracy, 1 - SURE), SURE)
    chance = right_by_class(accuracy, prior.ease)
    said = (1 - chance) * prior.errors.T[labels]
    said[at, labels] = chance[at, labels]
    said = prior.row_strength * said + counts[at, :, labels]
    found: Floats = (digamma(said) - digamma(rows + prior.row_strength)).sum(0)
    return found


def _known(gold: int, class_count: int) -> Floats:
    after = np.zeros(class_count)
    after[gold] = 1
    return after
