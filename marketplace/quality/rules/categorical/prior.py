"""What is expected of an author before they spoke, and what their counts then make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma, expit, logit

from marketplace.quality.rules.crowd import Floats as Floats

# No author is held to be right, or wrong, nearly always on the word of others alone.
SURE = 0.98
# A newcomer's accuracy where a job has taught nothing yet, and what that is worth in labels.
NEWCOMER = 0.75
NEWCOMER_WEIGHT = 4.0
ROW_WEIGHT = 8.0
# A cell of a confusion that expects far less than one vote takes its first one for a habit: where
# there are many classes, and nothing is known yet, rows must lean harder.
ROW_WEIGHT_A_CLASS = 3.0


@dataclass(frozen=True, eq=False)
class Prior:
    """A population of authors (Kim & Ghahramani 2012; hierarchy as in Paun et al. 2018).

    Each row of an author's confusion leans on the author's own accuracy with the weight of
    `row_strength` labels, and that accuracy on the population's with `accuracy_strength` labels.

    classes: float64[K], how many tasks of each class there seem to be, plus one
    accuracy: the population's share of right labels
    row_strength: float64[K], one for each true class
    errors: float64[K, K], where errors go: rows sum to 1, the diagonal is 0
    ease: float64[K], how much easier than the mean each class is, in log odds of being right
    """

    classes: Floats
    accuracy: float
    accuracy_strength: float
    row_strength: Floats
    errors: Floats
    ease: Floats

    @staticmethod
    def flat(class_count: int, accuracy: float = NEWCOMER) -> Prior:
        """What to expect where nothing is known: authors who are right more often than not.

        A prior without that leaning never learns who is right: both readings of a task of two
        classes would stay equally likely.
        """
        spread = spread_evenly(class_count)
        rows = np.full(class_count, max(ROW_WEIGHT, ROW_WEIGHT_A_CLASS * class_count))
        return Prior(
            np.ones(class_count), accuracy, NEWCOMER_WEIGHT, rows, spread, np.zeros(class_count)
        )

    def log_classes(self) -> Floats:
        """The expected logarithm of each class's share, float64[K]."""
        found: Floats = digamma(self.classes) - digamma(self.classes.sum())
        return found

    def expected(self, counts: Floats) -> Floats:
        """Pseudo-counts of each author's confusion: float64[m, K, K] from counts of that shape."""
        right = np.trace(counts, axis1=1, axis2=2)
        weight = self.accuracy_strength
        accuracy = (right + weight * self.accuracy) / (counts.sum((1, 2)) + weight)
        return self.rows(np.clip(accuracy, 1 - SURE, SURE))

    def rows(self, accuracy: Floats) -> Floats:
        """The pseudo-counts of authors of these accuracies: float64[m, K, K]."""
        k = len(self.classes)
        right = right_by_class(accuracy, self.ease)
        shares = (1 - right)[:, :, None] * self.errors
        shares[:, np.arange(k), np.arange(k)] = right
        found: Floats = self.row_strength[None, :, None] * shares
        return found

    def to_json(self) -> dict[str, Any]:
        """The prior as JSON, to be kept beside an author's counts."""
        return {
            "classes": self.classes.tolist(),
            "accuracy": self.accuracy,
            "accuracy_strength": self.accuracy_strength,
            "row_strength": self.row_strength.tolist(),
            "errors": self.errors.tolist(),
            "ease": self.ease.tolist(),
        }

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> Prior:
        """The prior that `to_json` wrote."""
        return Prior(
            np.array(kept["classes"], dtype=np.float64),
            float(kept["accuracy"]),
            float(kept["accuracy_strength"]),
            np.array(kept["row_strength"], dtype=np.float64),
            np.array(kept["errors"], dtype=np.float64),
            np.array(kept["ease"], dtype=np.float64),
        )


def right_by_class(accuracy: Floats, ease: Floats) -> Floats:
    """The chance of being right on each class: float64[m, Z] from accuracies [m] and ease [Z]."""
    found = expit(logit(accuracy)[:, None] + ease)
    within: Floats = np.minimum(np.maximum(found, 1 - SURE), SURE)
    return within


def spread_evenly(class_count: int) -> Floats:
    """Errors that fall on every wrong label alike, float64[K, K]."""
    found = np.full((class_count, class_count), 1 / max(class_count - 1, 1))
    np.fill_diagonal(found, 0)
    return found
