"""Hierarchical Dawid-Skene, with subtypes of classes where wanted.

Each author has a confusion (Dawid & Skene 1979), known by a Dirichlet posterior (Kim &
Ghahramani 2012). A row leans on the author's one accuracy over all classes, that on the accuracy
of the author's group, and that on everybody's (Paun et al. 2018). How hard each leans is read
from the labels themselves: the strength is the one under which the counts are most likely
(empirical Bayes for a Dirichlet-multinomial; Minka 2000). With subtypes every class is a mixture
of easy and hard kinds, so that errors of different authors on one task may hang together (Li,
Rubinstein & Cohn 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, logit

from marketplace.quality.rules.categorical.prior import (
    NEWCOMER_WEIGHT,
    ROW_WEIGHT,
    SURE,
    Floats,
    Prior,
    right_by_class,
    spread_evenly,
)
from marketplace.quality.rules.crowd import Ints

STRENGTHS = np.array([0.5, 1, 2, 4, 8, 16, 32, 64, 128])
# Hyper-parameters move slowly: they are fitted anew in every fifth iteration.
REFIT_EVERY = 5
# Half way between authors who have nothing in common and authors who err alike.
SHARED = 0.5
# How far the strength may lie from what is usual, as a standard deviation of its logarithm.
STRAY = 1.0


def likely_strength(counts: Floats, shares: Floats, usual: float) -> float:
    """The strength (in labels) of Dirichlet priors with means `shares` that best explains counts.

    counts, shares: float64[A, L]. A log-normal prior around `usual` speaks where counts do not.
    """
    return float(STRENGTHS[int(np.argmax(_log_likelihood(counts, shares, usual)))])


def strength_chances(counts: Floats, shares: Floats, usual: float) -> Floats:
    """How probable each of `STRENGTHS` is, of what `likely_strength` takes the best of."""
    found = _log_likelihood(counts, shares, usual)
    chances = np.exp(found - found.max())
    summed: Floats = chances / chances.sum()
    return summed


def _log_likelihood(counts: Floats, shares: Floats, usual: float) -> Floats:
    some = counts.sum(1) > 0
    counts, shares = counts[some], shares[some]
    total = counts.sum(1)
    found: Floats = -((np.log(STRENGTHS / usual) / STRAY) ** 2) / 2
    for at, each in enumerate(STRENGTHS):
        base = each * shares
        rows = gammaln(each) - gammaln(each + total)
        found[at] += float(rows.sum() + (gammaln(base + counts) - gammaln(base)).sum())
    return found


@dataclass
class DawidSkene:
    """The model of `votes.TableModel`; it keeps its strengths from one iteration to the next.

    groups: int32[A], the population that each author shrinks to; None for one population.
    one_coin: an author is right with one chance, whatever the class; errors fall evenly.
    shared: how far what everybody does is expected of each: which classes are easy and where
        errors fall; 0 takes all classes and errors to be alike, 1 all authors.
    """

    class_count: int
    subtypes: int = 1
    groups: Ints | None = None
    one_coin: bool = False
    shared: float = SHARED
    class_of: npt.NDArray[np.intp] = field(init=False)
    accuracy_strength: float = NEWCOMER_WEIGHT
    row_strength: Floats = field(init=False)
    population: float = 0.5
    group_accuracy: Floats = field(init=False)
    errors: Floats = field(init=False)
    ease: Floats = field(init=False)
    turns: int = 0

    def __post_init__(self) -> None:
        self.class_of = np.repeat(np.arange(self.class_count), self.subtypes)
        self.row_strength = np.full(len(self.class_of), ROW_WEIGHT)
        self.errors = spread_evenly(self.class_count)[self.class_of]
        self.ease = np.zeros(len(self.class_of))
        if self.one_coin:
            self.shared = 0.0

    def tables(self, counts: Floats, mass: Floats) -> tuple[Floats, Floats]:
        """Expected logarithms of the confusions and of the classes' shares."""
        shares = self._shares(counts)
        if self.one_coin:
            table = np.log(shares)
        else:
            table = counts + self.row_strength * shares
            table = digamma(table) - digamma(table.sum(1, keepdims=True))
        grown = mass + 1
        return table, digamma(grown) - digamma(grown.sum())

    def _shares(self, counts: Floats) -> Floats:
        """The confusion that each author's accuracy alone would give, float64[A, L, Z]."""
        z = np.arange(len(self.class_of))
        right, total = counts[:, self.class_of, z].sum(1), counts.sum((1, 2))
        fitting = self.turns % REFIT_EVERY == 0
        self.turns += 1
        self._learn_population(right, total)
        if fitting:
            toward = np.stack([self.group_accuracy, 1 - self.group_accuracy], 1)
            told = np.stack([right, total - right], 1)
            self.accuracy_strength = likely_strength(told, toward, NEWCOMER_WEIGHT)
        weight = self.accuracy_strength
        accuracy = (right + weight * self.group_accuracy) / (total + weight)
        accuracy = np.clip(accuracy, 1 - SURE, SURE)
        if self.shared:
            self._learn_classes(counts)
        chance = right_by_class(accuracy, self.ease)
        shares = (1 - chance)[:, None, :] * self.errors.T
        shares[:, self.class_of, z] = chance
        if fitting and not self.one_coin:
            self.row_strength = np.array(
                [likely_strength(counts[:, :, at], shares[:, :, at], ROW_WEIGHT) for at in z]
            )
        return shares

    def _learn_population(self, right: Floats, total: Floats) -> None:
        self.population = float((right.sum() + 1) / (total.sum() + 2))
        if self.groups is None:
            self.group_accuracy = np.full(len(right), self.population)
            return
        size = int(self.groups.max(initial=0)) + 1
        of_group = np.bincount(self.groups, right, size) + NEWCOMER_WEIGHT * self.population
        votes = np.bincount(self.groups, total, size) + NEWCOMER_WEIGHT
        self.group_accuracy = (of_group / votes)[self.groups]

    def _learn_classes(self, counts: Floats) -> None:
        z = np.arange(len(self.class_of))
        together = counts.sum(0).T
        votes = together.sum(1) + ROW_WEIGHT
        right = (together[z, self.class_of] + ROW_WEIGHT * self.population) / votes
        right, mean = np.clip([right, np.full(len(z), self.population)], 1 - SURE, SURE)
        self.ease = self.shared * (logit(right) - logit(mean))
        together = together + 1
        together[z, self.class_of] = 0
        together /= np.maximum(together.sum(1, keepdims=True), 1)
        even = spread_evenly(self.class_count)[self.class_of]
        self.errors = (1 - self.shared) * even + self.shared * together

    def prior(self, mass: Floats) -> Prior:
        """What a newcomer to this population is expected to be; only without subtypes."""
        return Prior(
            mass + 1,
            self.population,
            self.accuracy_strength,
            self.row_strength,
            self.errors,
            self.ease,
        )
