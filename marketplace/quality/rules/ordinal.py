"""Scores on a scale that rises: what the truth is, and how each author leans and scatters.

A score is taken for truth + the author's bias + noise of the author's own size; biases and sizes
are drawn towards those of all authors (random effects, Laird and Ware 1982). Without gold the
plain mean stands unless taking the biases off promises clearly smaller errors: authors err alike,
so that weighting by agreement with the others rewards who errs like most. The median is never
taken. With gold, what errs least on gold held out is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int32]

EXPECTED_STRENGTH = 4.0
STRENGTH = 10.0  # How many scores the noise of all authors weighs against an author's own.
ROUNDS = 100
STILL = 1e-7
PROMISE = 0.1  # How much smaller the squared error must become before biases are taken off.
FOLDS = 10
GOLD_MIN = 20
WITHIN_90 = 1.6448536269514722
SEED = 20_061


class Method(StrEnum):
    MEAN = "mean"
    WEIGHTED = "weighted"
    """Weighted by how near each author came to gold; biases left in."""
    UNBIASED = "unbiased"
    """Biases taken off, weighted by noise."""
    RECALIBRATED = "recalibrated"
    """As weighted, then on the line that fits gold."""


@dataclass(frozen=True, eq=False)
class Scores:
    """One score a row: author `authors[i]` gives task `tasks[i]` the number `values[i]`.

    tasks, authors: int32[n] counted from 0, below task_count and author_count; values: float64[n].
    expected: the noise that an author unheard of is taken to have, which weighs as much as a few
    scores that others can check; None where only the scores tell.
    """

    tasks: Ints
    authors: Ints
    values: Floats
    task_count: int
    author_count: int
    expected: float | None = None

    def by_task(self, weights: Floats) -> Floats:
        return np.bincount(self.tasks, weights, self.task_count).astype(np.float64)

    def by_author(self, weights: Floats) -> Floats:
        return np.bincount(self.authors, weights, self.author_count).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Estimates:
    """value, lower, upper: float64[T], 90 %, NaN for a task without scores; bias, noise: float64[A]
    in points of the scale; method: how the values came about."""

    value: Floats
    lower: Floats
    upper: Floats
    bias: Floats
    noise: Floats
    method: Method


@dataclass(frozen=True, eq=False)
class _Authors:
    bias: Floats
    variance: Floats
    bias_variance: float


def estimate(
    scores: Scores, *, gold: Floats | None = None, method: Method | None = None
) -> Estimates:
    """The truth of each task. gold: float64[T], NaN where it is unknown; it is given back as it is.

    method: None chooses as the module says.
    """
    known = np.full(scores.task_count, np.nan) if gold is None else np.asarray(gold, np.float64)
    chosen = method or _chosen(scores, known)
    value, authors = _by(chosen, scores, known)
    weights = np.ones(len(scores.values))
    if chosen is not Method.MEAN:
        weights = 1 / authors.variance[scores.authors]
    total = scores.by_task(weights)
    # A bias that is left in makes the value wrong as noise does.
    left = authors.bias**2 if chosen is Method.MEAN else np.zeros(scores.author_count)
    spread = scores.by_task(weights**2 * (authors.variance + left)[scores.authors])
    error = np.sqrt(spread) / np.where(total > 0, total, np.nan)
    fixed = np.isfinite(known)
    value = np.where(fixed, known, value)
    reach = np.where(fixed, 0.0, WITHIN_90 * error)
    return Estimates(
        value, value - reach, value + reach, authors.bias, np.sqrt(authors.variance), chosen
    )


def _by(method: Method, scores: Scores, known: Floats) -> tuple[Floats, _Authors]:
    if method is Method.MEAN:
        return _average(scores, np.zeros(scores.author_count), None), _fitted(scores, known)
    if method is Method.UNBIASED:
        authors = _fitted(scores, known)
        return _average(scores, authors.bias, authors.variance), authors
    authors = _by_gold(scores, known)
    value = _average(scores, np.zeros(scores.author_count), authors.variance)
    if method is Method.RECALIBRATED:
        value = _on_line(value, known)
    return value, authors


def _average(scores: Scores, bias: Floats, variance: Floats | None) -> Floats:
    weights = np.ones(len(scores.values)) if variance is None else 1 / variance[scores.authors]
    total = scores.by_task(weights)
    left = scores.by_task(weights * (scores.values - bias[scores.authors]))
    return np.where(total > 0, left / np.where(total > 0, total, 1.0), np.nan)


def _fitted(scores: Scores, known: Floats) -> _Authors:
    """Biases and noises by expectation-maximisation, gold held fast."""
    fixed, number = np.isfinite(known), scores.by_author(np.ones(len(scores.values)))
    truth = np.where(fixed, known, _average(scores, np.zeros(scores.author_count), None))
    apart = scores.values - truth[scores.tasks]
    if not len(apart):
        return _Authors(np.zeros_like(number), np.ones_like(number), 0.0)
    # Every truth that was read from the scores themselves has used up one of them.
    freedom = len(apart) - np.count_nonzero((scores.by_task(np.ones(len(apart))) > 0) & ~fixed)
    pool = _pooled(float((apart**2).sum()), float(freedom), scores)
    variance, spread = np.full(scores.author_count, max(pool, STILL)), max(pool / 10, STILL)
    bias = np.zeros(scores.author_count)
    for _ in range(ROUNDS):
        sure = 1 / (number / variance + 1 / spread)
        bias = sure * scores.by_author(scores.values - truth[scores.tasks]) / variance
        spread = max(float(np.mean(bias**2 + sure)), STILL)
        weights = 1 / variance[scores.authors]
        total = np.maximum(scores.by_task(weights), STILL)
        moved = scores.by_task(weights * (scores.values - bias[scores.authors])) / total
        before, truth = truth, np.where(fixed, known, moved)
        unsure = np.where(fixed, 0.0, 1 / total)
        squared = (scores.values - truth[scores.tasks] - bias[scores.authors]) ** 2
        each = scores.by_author(squared + unsure[scores.tasks] + sure[scores.authors])
        variance = _towards_all(each, number, scores)
        if float(np.max(np.abs(truth - before), initial=0.0)) < STILL * np.sqrt(pool + STILL):
            break
    return _Authors(bias, variance, spread)


def _weight(scores: Scores) -> float:
    return 0.0 if scores.expected is None else EXPECTED_STRENGTH


def _pooled(squares: float, number: float, scores: Scores) -> float:
    """The mean square of all, drawn to what is expected where the scores say so."""
    weight = _weight(scores)
    expected = weight * (scores.expected or 0.0) ** 2
    return max((squares + expected) / max(number + weight, 1.0), STILL)


def _towards_all(squares: Floats, number: Floats, scores: Scores) -> Floats:
    """Authors' mean squares, drawn to that of all by STRENGTH scores."""
    pool = _pooled(float(squares.sum()), float(number.sum()), scores)
    return np.asarray((squares + STRENGTH * pool) / (number + STRENGTH), np.float64)


def _by_gold(scores: Scores, known: Floats) -> _Authors:
    """How far each author is from gold, bias included; from the fit where there is no gold."""
    seen = np.isfinite(known[scores.tasks])
    if not seen.any():
        return _fitted(scores, known)
    apart = np.where(seen, scores.values - np.nan_to_num(known)[scores.tasks], 0.0)
    number = scores.by_author(seen.astype(np.float64))
    bias = scores.by_author(apart) / (number + STRENGTH)
    return _Authors(bias, _towards_all(scores.by_author(apart**2), number, scores), 0.0)


def _on_line(value: Floats, known: Floats) -> Floats:
    """Values on the line that leads from them to gold, drawn to leaving them as they are."""
    seen = np.isfinite(known) & np.isfinite(value)
    if seen.sum() < GOLD_MIN:
        return value
    x, apart = value[seen], (known - value)[seen]
    middle, left = x.mean(), x - x.mean()
    slope = float(left @ apart) / (float(left @ left) + STRENGTH * float(x.var()) + STILL)
    return np.asarray(value + apart.mean() + slope * (value - middle), np.float64)


def _chosen(scores: Scores, known: Floats) -> Method:
    golds = np.flatnonzero(np.isfinite(known))
    if len(golds) < GOLD_MIN:
        return _without_gold(scores, known)
    methods = list(Method)
    folds = np.random.default_rng(SEED).permutation(len(golds)) % FOLDS
    errors = np.zeros((len(methods), len(golds)))
    for fold in range(FOLDS):
        out = golds[folds == fold]
        rest = known.copy()
        rest[out] = np.nan
        for at, method in enumerate(methods):
            errors[at, folds == fold] = np.abs(_by(method, scores, rest)[0][out] - known[out])
    return methods[int(np.argmin(np.nanmean(errors, axis=1)))]


def _without_gold(scores: Scores, known: Floats) -> Method:
    """The mean, unless biases and noises, if they are as fitted, leave it clearly behind."""
    if not len(scores.values):
        return Method.MEAN
    authors = _fitted(scores, known)
    total = np.maximum(scores.by_task(np.ones(len(scores.values))), 1.0)
    each = authors.variance[scores.authors]
    plain = scores.by_task(each + authors.bias[scores.authors] ** 2) / total**2
    told = scores.by_author(np.ones(len(scores.values)))
    unsure = 1 / (told / authors.variance + 1 / max(authors.bias_variance, STILL))
    better = scores.by_task(each + unsure[scores.authors]) / total**2
    return Method.UNBIASED if better.sum() < (1 - PROMISE) * plain.sum() else Method.MEAN
