"""Comparisons of two: how strong each item is, whom to believe, who likes which side.

Bradley and Terry (1952) with ties as Davidson (1970) has them, at the largest posterior. What an
author sees is reliability x difference in strength + a leaning to the left; reliabilities are
drawn towards one with a spread of one, so that guessers and contrarians are found (after Chen,
Bennett, Collins-Thompson and Horvitz 2013). How far strengths are drawn together matters as much
as the authors do, and is chosen on comparisons held out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int32]
Loss: TypeAlias = Callable[[Floats], tuple[float, Floats]]

RIDGES = (0.3, 1.0, 3.0, 10.0)
RELIABILITY_RIDGE = 1.0
SIDE_RIDGE = 4.0
TIE_RIDGE = 0.25
FOLDS = 5
HELD_OUT_MAX = 20_000
STEPS, STEPS_FOLD = 200, 40
MIDDLE_MIN = 0.1  # Below this nobody can be believed, and no scale is theirs.
SEED = 20_061
WITHIN_90 = 1.6448536269514722


@dataclass(frozen=True, eq=False)
class Comparisons:
    """One comparison a row: author `authors[i]` saw left and right; result 1 for left, -1 for
    right, 0 for a tie. left, right, authors: int32[n] counted from 0; result: int8[n]."""

    left: Ints
    right: Ints
    authors: Ints
    result: npt.NDArray[np.int8]
    item_count: int
    author_count: int


@dataclass(frozen=True, eq=False)
class Strengths:
    """score: float64[I], mean 0, in log odds for an author of reliability one; lower, upper: 90 %.

    reliability: float64[A], 1 for the middle author, 0 for a guesser, below for who answers the
    wrong way round. side: float64[A], log odds of choosing the left of two equals. tie: weight of
    a tie between two equals beside each of the two, None without ties. ridge: the precision that
    drew strengths together.
    """

    score: Floats
    lower: Floats
    upper: Floats
    reliability: Floats
    side: Floats
    tie: float | None
    ridge: float


def bradley_terry(
    seen: Comparisons, *, ridge: float | None = None, sides: bool = True
) -> Strengths:
    """The strengths behind comparisons; an item or author never met stays where all start.

    ridge: None chooses by comparisons held out. sides: whether authors may lean to a side.
    """
    ties = bool((seen.result == 0).any())
    every = np.arange(len(seen.result))

    def loss_of(rows: npt.NDArray[np.int64], strength: float) -> Loss:
        return _posterior(seen, rows, ridge=strength, sides=sides, ties=ties)

    start = _start(seen)
    chosen = held_out_ridge(len(every), loss_of, start) if ridge is None else ridge
    asked = maximised(loss_of(every, chosen), start, STEPS)
    _, _, side, tie = _read(asked, seen)
    items, authors = seen.item_count, seen.author_count
    error = 1 / np.sqrt(chosen + _information(seen, asked, ties))
    met = np.bincount(seen.authors, minlength=authors) > 0
    score, error, reliability = scaled(asked[:items], error, asked[items : items + authors], met)
    reach = WITHIN_90 * error
    weight = float(np.exp(tie)) if ties else None
    return Strengths(score, score - reach, score + reach, reliability, side, weight, chosen)


def scaled(
    score: Floats, error: Floats, reliability: Floats, met: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Scores and errors around 0 on the scale on which the middle author has reliability one.

    A likelihood knows only the product of the two; met: the authors that said anything.
    """
    middle = float(np.median(reliability[met])) if met.any() else 1.0
    factor = middle if middle > MIDDLE_MIN else 1.0
    level = score.mean() if len(score) else 0.0
    return (score - level) * factor, error * factor, reliability / factor


def held_out_ridge(
    rows: int, loss_of: Callable[[npt.NDArray[np.int64], float], Loss], start: Floats
) -> float:
    """The ridge under which comparisons that the fit did not see are least surprising."""
    if rows < 2 * FOLDS:
        return 1.0
    fold = np.random.default_rng(SEED).permutation(rows) % FOLDS
    used = max(1, min(FOLDS, HELD_OUT_MAX // rows))
    surprise = dict.fromkeys(RIDGES, 0.0)
    for out in range(used):
        asked = start
        for ridge in RIDGES:
            asked = maximised(loss_of(np.flatnonzero(fold != out), ridge), asked, STEPS_FOLD)
            # Without any ridge the loss of the rest is minus its log likelihood and the authors'
            # prior, which is the same for all.
            surprise[ridge] += loss_of(np.flatnonzero(fold == out), np.nan)(asked)[0]
    return min(RIDGES, key=surprise.__getitem__)


def maximised(loss: Loss, start: Floats, steps: int) -> Floats:
    """Where the posterior whose negative logarithm is `loss` is largest, in at most `steps`."""
    found = minimize(loss, start, method="L-BFGS-B", jac=True, options={"maxiter": steps})
    return np.asarray(found.x, np.float64)


def _start(seen: Comparisons) -> Floats:
    items, authors = seen.item_count, seen.author_count
    return np.concatenate([np.zeros(items), np.ones(authors), np.zeros(authors), [-1.0]])


def _read(asked: Floats, seen: Comparisons) -> tuple[Floats, Floats, Floats, float]:
    items, authors = seen.item_count, seen.author_count
    score, reliability, side, _ = np.split(asked, [items, items + authors, items + 2 * authors])
    return score, reliability, side, float(asked[-1])


def _posterior(
    seen: Comparisons, rows: npt.NDArray[np.int64], *, ridge: float, sides: bool, ties: bool
) -> Loss:
    """Minus the log posterior and its slope; a ridge of NaN leaves all priors out."""
    left, right, who = seen.left[rows], seen.right[rows], seen.authors[rows]
    result = seen.result[rows].astype(np.float64)
    tied = result == 0
    items, authors = seen.item_count, seen.author_count
    prior = np.concatenate(
        [
            np.full(items, ridge),
            np.full(authors, RELIABILITY_RIDGE),
            np.full(authors, SIDE_RIDGE),
            [TIE_RIDGE],
        ]
    )
    prior = np.zeros_like(prior) if np.isnan(ridge) else prior
    middle = _start(seen)

    def loss(asked: Floats) -> tuple[float, Floats]:
        score, reliability, side, tie = _read(asked, seen)
        apart = score[left] - score[right]
        pull = reliability[who] * apart + (side[who] if sides else 0.0)
        spread = np.logaddexp(pull / 2, -pull / 2)
        if ties:
            spread = np.logaddexp(spread, tie)
        surprise = spread - result * pull / 2 - np.where(tied, tie, 0.0)
        # Chances of left and right, from which the slopes follow.
        first, second = np.exp(pull / 2 - spread), np.exp(-pull / 2 - spread)
        by_pull = (first - second - result) / 2
        by_score = by_pull * reliability[who]
        by_tie = float((1 - first - second - tied).sum()) if ties else 0.0
        slope = np.concatenate(
            [
                np.bincount(left, by_score, items) - np.bincount(right, by_score, items),
                np.bincount(who, by_pull * apart, authors),
                np.bincount(who, by_pull, authors) * sides,
                [by_tie],
            ]
        )
        away = asked - middle
        whole = float(surprise.sum() + (prior * away**2).sum() / 2)
        return whole, slope + prior * away

    return loss


def _information(seen: Comparisons, asked: Floats, ties: bool) -> Floats:
    """How much the comparisons of each item tell of its strength, float64[I]."""
    score, reliability, side, tie = _read(asked, seen)
    pull = reliability[seen.authors] * (score[seen.left] - score[seen.right]) + side[seen.authors]
    spread = np.logaddexp(pull / 2, -pull / 2)
    spread = np.logaddexp(spread, tie) if ties else spread
    first, second = np.exp(pull / 2 - spread), np.exp(-pull / 2 - spread)
    told = (first + second - (first - second) ** 2) / 4 * reliability[seen.authors] ** 2
    return np.asarray(
        np.bincount(seen.left, told, seen.item_count)
        + np.bincount(seen.right, told, seen.item_count),
        np.float64,
    )
