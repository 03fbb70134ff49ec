"""`fit`: from labels to posteriors, confusions and reliabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from marketplace.quality.rules.categorical.dawid_skene import DawidSkene
from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.categorical.result import Fit, Member
from marketplace.quality.rules.categorical.votes import Votes, maximise, posterior
from marketplace.quality.rules.crowd import Ints, Labels


@dataclass(frozen=True)
class Settings:
    """How far a fit goes: iterations at most, and the share of votes that still may move."""

    iterations: int = 50
    tolerance: float = 1e-5


def fit(
    labels: Labels,
    *,
    gold: Ints | None = None,
    groups: Ints | None = None,
    evidence: Floats | None = None,
    settings: Settings = Settings(),  # noqa: B008  It is frozen.
) -> Fit:
    """Posteriors of tasks, confusions and reliabilities of authors.

    gold: int32[T], the truth where it is known, -1 elsewhere; it is taken for certain
    groups: int32[A], the profession or kind of model that each author shrinks to
    evidence: float64[T, K], logarithms of how well other evidence speaks for each class
    """
    votes = Votes(labels, gold, evidence)
    model = DawidSkene(labels.label_count, groups=groups)
    outcome = maximise(
        votes,
        model,
        votes.shares(),
        iterations=settings.iterations,
        tolerance=settings.tolerance,
    )
    found = posterior(votes, model, outcome)
    counts = np.ascontiguousarray(outcome.counts.transpose(0, 2, 1))
    population = model.prior(outcome.mass)
    confusion = counts + population.expected(counts)
    confusion /= confusion.sum(2, keepdims=True)
    right = np.trace(counts, axis1=1, axis2=2) + model.accuracy_strength * model.group_accuracy
    total = votes.of_authors() + model.accuracy_strength
    return Fit(
        posterior=found,
        confusion=confusion.astype(np.float32),
        counts=counts.astype(np.float32),
        reliability=right / total,
        lower=beta.ppf(0.05, right, total - right),
        upper=beta.ppf(0.95, right, total - right),
        prior=outcome.mass / max(outcome.mass.sum(), 1e-300),
        difficulty=1 - found.max(1),
        members=(Member("dawid-skene", 1.0),),
        population=population,
    )
