"""Agreement of a judge with people, and of people with each other, under the same draws of items.

Ordinal verdicts: Cohen's kappa with quadratic weights (Cohen, 1968), by the distance of the values
themselves, so that a point of the scale that nobody used keeps its room, and a mean of several
people may stand in for one. Nominal ones: Cohen's kappa (1960).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from marketplace.quality.rules.judges.ratings import Figure, Floats, Level, Ratings, figure

SHARED_MIN = 20  # Items that two people must share for their kappa to be one of a median.


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far judge and experts agree, and experts with each other.

    judge, experts: kappas, with an interval each; difference: judge - experts, from the same draws;
    draws: of that difference, float64[1 + replicates]; pairs: pairs of people behind `experts`, 0
    where all were pooled; judge_ratio, expert_ratio: the share of equal verdicts.
    """

    judge: Figure
    experts: Figure
    difference: Figure
    draws: Floats
    pairs: int
    judge_ratio: Figure
    expert_ratio: Figure


def agreement(ratings: Ratings, weights: Floats) -> Agreement:
    """The judge's agreement with people and their own, in the draws of `weights`.

    Where the same people judged all items, each kappa is the median over people, or over their
    pairs. Where people took turns, no two share enough: their verdicts on an item are then taken
    as exchangeable, and one kappa is estimated from all pairs of verdicts on the same item.
    """
    pairs = _pairs(ratings.experts)
    if pairs:
        judge = _median([_kappa(ratings.judge, one, ratings.level, weights)
                         for one in ratings.experts])  # fmt: skip
        experts = _median(
            [
                _kappa(ratings.experts[one], ratings.experts[other], ratings.level, weights)
                for one, other in pairs
            ]
        )
    else:
        judge = _against_pool(ratings, weights)
        experts = _within_pool(ratings, weights)
    counts = (~np.isnan(ratings.experts)).sum(axis=0)
    judged = int(((counts > 0) & ~np.isnan(ratings.judge)).sum())
    doubled = int((counts > 1).sum())
    return Agreement(
        judge=figure(judge, judged),
        experts=figure(experts, doubled),
        difference=figure(judge - experts, min(judged, doubled)),
        draws=judge - experts,
        pairs=len(pairs),
        judge_ratio=figure(_share(_equal_to_judge(ratings), weights), judged),
        expert_ratio=figure(_share(_equal_within(ratings.experts), weights), doubled),
    )


def kappa(first: Floats, second: Floats, level: Level, weights: Floats | None = None) -> Floats:
    """Cohen's kappa of two raters in each draw, float64[draws]; NaN where it is not defined."""
    return _kappa(first, second, level, np.ones((1, first.size)) if weights is None else weights)


def _pairs(experts: Floats) -> list[tuple[int, int]]:
    """The pairs of people, where each of them shares enough items with every other."""
    known = (~np.isnan(experts)).astype(np.float64)
    shared = known @ known.T
    people = len(experts)
    items = int((known.sum(axis=0) > 0).sum())
    least = min(SHARED_MIN, items)
    if people < 2 or people > 12 or not items or shared.min() < least:
        return []
    return list(combinations(range(people), 2))


def _median(rows: list[Floats]) -> Floats:
    return np.median(np.vstack(rows), axis=0)  # A draw without one of the values has none.


def _kappa(first: Floats, second: Floats, level: Level, weights: Floats) -> Floats:
    both = ~np.isnan(first) & ~np.isnan(second)
    one, other, drawn = first[both], second[both], weights[:, both]
    if level is Level.ORDINAL:
        return _chance_corrected(
            _share((one - other) ** 2, drawn), _apart(_moments(one), _moments(other), drawn)
        )
    labels = np.unique(np.concatenate([one, other]))
    differing = 1 - _meeting(_marks(one, labels), _marks(other, labels), drawn)
    return _chance_corrected(_share((one != other).astype(np.float64), drawn), differing)


def _against_pool(ratings: Ratings, weights: Floats) -> Floats:
    """Kappa of the judge with a person drawn at random among those who judged the item."""
    known = ~np.isnan(ratings.experts)
    there = known.any(axis=0) & ~np.isnan(ratings.judge)
    judge, experts, drawn = ratings.judge[there], ratings.experts[:, there], weights[:, there]
    if ratings.level is Level.ORDINAL:
        return _chance_corrected(
            _share(np.nanmean((experts - judge) ** 2, axis=0), drawn)
            if judge.size
            else _none(drawn),
            _apart(_moments(judge), _pooled_moments(experts), drawn),
        )
    labels = np.unique(np.concatenate([judge, experts[~np.isnan(experts)]]))
    differing = 1 - _meeting(_marks(judge, labels), _pooled_marks(experts, labels), drawn)
    return _chance_corrected(1 - _share(_equal_to_judge(ratings)[there], drawn), differing)


def _within_pool(ratings: Ratings, weights: Floats) -> Floats:
    """Kappa of two different people drawn at random among those who judged the item."""
    doubled = (~np.isnan(ratings.experts)).sum(axis=0) > 1
    experts, drawn = ratings.experts[:, doubled], weights[:, doubled]
    if not doubled.any():
        return _none(drawn)
    if ratings.level is Level.ORDINAL:
        moments = _pooled_moments(experts)
        # The mean squared distance of two different ones is twice their variance.
        apart = 2 * np.nanvar(experts, axis=0, ddof=1)
        return _chance_corrected(_share(apart, drawn), _apart(moments, moments, drawn))
    labels = np.unique(experts[~np.isnan(experts)])
    marks = _pooled_marks(experts, labels)
    differing = 1 - _meeting(marks, marks, drawn)
    return _chance_corrected(1 - _share(_equal_within(experts), drawn), differing)


def _chance_corrected(observed: Floats, expected: Floats) -> Floats:
    """1 - observed / expected disagreement; NaN where no disagreement can be expected."""
    usable = expected > 1e-12
    return np.where(usable, 1 - observed / np.where(usable, expected, 1), np.nan)


def _share(values: Floats, weights: Floats) -> Floats:
    """The weighted mean of the known values in each draw."""
    known = ~np.isnan(values)
    drawn = weights[:, known]
    total = drawn.sum(axis=1)
    summed = drawn @ values[known]
    return np.where(total > 0, summed / np.where(total > 0, total, 1), np.nan)


def _none(weights: Floats) -> Floats:
    return np.full(len(weights), np.nan)


def _moments(values: Floats) -> Floats:
    moments: Floats = np.column_stack([values, values**2])
    return moments


def _pooled_moments(experts: Floats) -> Floats:
    if not experts.shape[1]:
        return np.zeros((0, 2))
    means: Floats = np.column_stack([np.nanmean(experts, axis=0), np.nanmean(experts**2, axis=0)])
    return means


def _apart(first: Floats, second: Floats, weights: Floats) -> Floats:
    """The expected squared distance of two independent verdicts, from [n, (mean, square)]."""
    total = np.maximum(weights.sum(axis=1), 1e-300)[:, None]
    one, other = weights @ first / total, weights @ second / total
    expected: Floats = one[:, 1] + other[:, 1] - 2 * one[:, 0] * other[:, 0]
    return expected


def _marks(values: Floats, labels: Floats) -> Floats:
    marks: Floats = (values[:, None] == labels[None, :]).astype(np.float64)
    return marks


def _pooled_marks(experts: Floats, labels: Floats) -> Floats:
    counts = (experts[:, :, None] == labels).sum(axis=0).astype(np.float64)
    marks: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return marks


def _meeting(first: Floats, second: Floats, weights: Floats) -> Floats:
    """The chance that two independent verdicts are equal."""
    total = np.maximum(weights.sum(axis=1), 1e-300)[:, None]
    met: Floats = ((weights @ first / total) * (weights @ second / total)).sum(axis=1)
    return met


def _equal_to_judge(ratings: Ratings) -> Floats:
    """The share of an item's people who say what the judge says; NaN where somebody is missing."""
    known = ~np.isnan(ratings.experts)
    there = known.any(axis=0) & ~np.isnan(ratings.judge)
    equal = (ratings.experts == ratings.judge).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(there, equal, np.nan)


def _equal_within(experts: Floats) -> Floats:
    """The share of an item's pairs of people who say the same; NaN where fewer than two spoke."""
    labels = np.unique(experts[~np.isnan(experts)])
    counts = (experts[:, :, None] == labels).sum(axis=0).astype(np.float64)
    people = counts.sum(axis=1)
    pairs = people * (people - 1)
    equal = (counts * (counts - 1)).sum(axis=1)
    return np.where(pairs > 0, equal / np.maximum(pairs, 1), np.nan)
