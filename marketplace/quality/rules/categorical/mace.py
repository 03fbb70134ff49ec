"""Authors who know, or else guess by habit (Hovy et al. 2013, MACE).

With chance `theta` an author knows the truth and says it; otherwise the label comes from a habit
of the author's own that has nothing to do with the task. Both are known by their posteriors
(variational Bayes). Whether a vote was known or guessed hangs only on whether it names the truth,
so the expected counts of (author, label, truth) hold all that the fit needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from marketplace.quality.rules.categorical.prior import Floats

KNOWS_AT_FIRST = 0.7
KNOWS_PRIOR = 0.5
HABIT_PRIOR = 10.0


@dataclass
class Mace:
    """The model of `votes.TableModel`."""

    class_count: int
    author_count: int
    class_of: npt.NDArray[np.intp] = field(init=False)
    knows: Floats = field(init=False)
    habit: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.class_of = np.arange(self.class_count)
        self.knows = np.full(self.author_count, KNOWS_AT_FIRST)
        self.habit = np.full((self.author_count, self.class_count), 1 / max(self.class_count, 1))

    def tables(self, counts: Floats, mass: Floats) -> tuple[Floats, Floats]:
        """Expected logarithms of the chances of each label, and of the classes' shares."""
        self._learn(counts)
        guessed = (1 - self.knows)[:, None] * self.habit
        table = np.repeat(guessed[:, :, None], self.class_count, axis=2)
        table[:, self.class_of, self.class_of] += self.knows[:, None]
        grown = mass + 1
        return np.log(table + 1e-12), np.log(grown / grown.sum())

    def _learn(self, counts: Floats) -> None:
        right = counts[:, self.class_of, self.class_of]
        votes = counts.sum(2)
        chance = self.knows[:, None]
        known = right * chance / (chance + (1 - chance) * self.habit + 1e-12)
        yes = known.sum(1) + KNOWS_PRIOR
        no = np.maximum((votes - known).sum(1), 0) + KNOWS_PRIOR
        odds = np.exp(digamma(yes) - digamma(no))
        self.knows = odds / (1 + odds)
        habit = np.maximum(votes - known, 0) + HABIT_PRIOR / self.class_count
        self.habit = np.exp(digamma(habit) - digamma(habit.sum(1, keepdims=True)))
