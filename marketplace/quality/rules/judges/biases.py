"""How a judge errs: too high or too low, by position, by length, and by what it is sure of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata

from marketplace.quality.rules.judges.ratings import (
    CONFIDENCE,
    NOTHING,
    Figure,
    Floats,
    Level,
    Ratings,
    figure,
)

BINS = 10
LENGTHS_MIN = 8
TIE = "tie"


@dataclass(frozen=True, slots=True)
class Bin:
    """Verdicts of about one confidence: what the judge said, and how often it was right."""

    confidence: float
    right: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The judge's confidence against being right. error: the expected calibration error."""

    bins: tuple[Bin, ...]
    error: float | None
    n: int


@dataclass(frozen=True, slots=True)
class LengthBias:
    """Spearman's rank correlation (1904) of verdicts with length: the judge's, the experts', and
    what the judge's is above theirs, since a longer answer may well be a better one."""

    judge: Figure
    experts: Figure
    excess: Figure


def bias(ratings: Ratings, weights: Floats) -> Figure:
    """Judge minus the mean of the item's experts; of nominal verdicts there is none."""
    if ratings.level is Level.NOMINAL and len(ratings.labels) != 2:
        return NOTHING
    apart = ratings.judge - _expert_mean(ratings.experts)
    known = ~np.isnan(apart)
    return figure(_mean(apart, weights), int(known.sum()))


def flips(ratings: Ratings, weights: Floats) -> Figure:
    """The share of items whose verdict changed when the responses changed their places."""
    if ratings.reversed_judge is None:
        return NOTHING
    straight = ratings.judge if ratings.straight_judge is None else ratings.straight_judge
    known = ~np.isnan(straight) & ~np.isnan(ratings.reversed_judge)
    flipped = np.where(known, (straight != ratings.reversed_judge).astype(np.float64), np.nan)
    return figure(_mean(flipped, weights), int(known.sum()))


def position_bias(ratings: Ratings, weights: Floats) -> Figure:
    """How much oftener than half the judge chose what it was shown first: -0.5 to 0.5.

    With both orders of every item, what the responses are worth falls out; ties count for neither.
    """
    if ratings.first_shown is None or ratings.first_shown_reversed is None:
        return NOTHING
    both = np.vstack([ratings.first_shown, ratings.first_shown_reversed])
    favoured = _expert_mean(both) - 0.5
    return figure(_mean(favoured, weights), int((~np.isnan(favoured)).sum()))


def length_bias(ratings: Ratings, weights: Floats) -> LengthBias:
    """Rank correlations with length; ranks are those of all items, whichever are drawn."""
    nothing = LengthBias(NOTHING, NOTHING, NOTHING)
    tie = ratings.labels[2:] == (TIE,)
    ranked = ratings.level is Level.ORDINAL or len(ratings.labels) == 2 or tie
    if ratings.length is None or not ranked:
        return nothing
    judge_says, people_say = ratings.judge, ratings.experts
    if tie:  # It stands halfway between the two responses.
        judge_says = np.where(judge_says == 2, 0.5, judge_says)
        people_say = np.where(people_say == 2, 0.5, people_say)
    experts = _expert_mean(people_say)
    known = ~np.isnan(judge_says) & ~np.isnan(experts) & ~np.isnan(ratings.length)
    n = int(known.sum())
    if n < LENGTHS_MIN:
        return nothing
    drawn = weights[:, known]
    length = rankdata(ratings.length[known])
    judge = _correlation(rankdata(judge_says[known]), length, drawn)
    people = _correlation(rankdata(experts[known]), length, drawn)
    return LengthBias(figure(judge, n), figure(people, n), figure(judge - people, n))


def calibration(ratings: Ratings) -> Calibration:
    """The reliability diagram of the judge's confidence, with Wilson's intervals (1927).

    Right is: what most of the item's experts say; on a scale, within half a point of their mean.
    """
    right = right_or_not(ratings)
    confidence = ratings.confidence
    if confidence is None:
        return Calibration((), None, 0)
    known = ~np.isnan(right) & ~np.isnan(confidence)
    sure, hit = confidence[known], right[known]
    if not sure.size:
        return Calibration((), None, 0)
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    counts: Floats = np.bincount(place, minlength=BINS).astype(np.float64)
    filled = np.flatnonzero(counts)
    means = np.bincount(place, sure, BINS)[filled] / counts[filled]
    hits = np.bincount(place, hit, BINS)[filled].astype(np.float64)
    shares = hits / counts[filled]
    lower, upper = wilson(hits, counts[filled])
    error = float((np.abs(means - shares) * counts[filled]).sum() / sure.size)
    rows = zip(means, shares, lower, upper, counts[filled], strict=True)
    bins = tuple(Bin(float(m), float(s), float(lo), float(up), int(c)) for m, s, lo, up, c in rows)
    return Calibration(bins, error, int(sure.size))


def right_or_not(ratings: Ratings) -> Floats:
    """float64[n]: 1 where the judge was right, 0 where not, NaN where that cannot be told."""
    mean = _expert_mean(ratings.experts)
    if ratings.level is Level.ORDINAL:
        near = (np.abs(ratings.judge - mean) <= 0.5 + 1e-9).astype(np.float64)
        return np.where(np.isnan(mean) | np.isnan(ratings.judge), np.nan, near)
    experts = ratings.experts
    people = (~np.isnan(experts)).sum(axis=0)
    labels = np.unique(experts[~np.isnan(experts)])
    if not labels.size:
        return np.full(ratings.judge.size, np.nan)
    counts = (experts[:, :, None] == labels).sum(axis=0)
    most = counts.max(axis=1)
    equal = (ratings.judge == labels[counts.argmax(axis=1)]).astype(np.float64)
    told = (2 * most > people) & ~np.isnan(ratings.judge)
    return np.where(told, equal, np.nan)


def wilson(hits: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Wilson's score interval of shares."""
    z = ndtri((1 + CONFIDENCE) / 2)
    share = hits / counts
    middle = (share + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z / (1 + z**2 / counts) * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2))
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def distribution(values: Floats, labels: npt.NDArray[np.float64]) -> Floats:
    """How often each label is given, as shares."""
    known = values[~np.isnan(values)]
    counts = (known[:, None] == labels).sum(axis=0).astype(np.float64)
    shares: Floats = counts / max(known.size, 1)
    return shares


def _expert_mean(experts: Floats) -> Floats:
    known = ~np.isnan(experts)
    counts = known.sum(axis=0)
    summed = np.where(known, experts, 0).sum(axis=0)
    return np.where(counts > 0, summed / np.maximum(counts, 1), np.nan)


def _mean(values: Floats, weights: Floats) -> Floats:
    known = ~np.isnan(values)
    drawn = weights[:, known]
    total = drawn.sum(axis=1)
    return np.where(total > 0, drawn @ values[known] / np.maximum(total, 1), np.nan)


def _correlation(first: Floats, second: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1)
    stacked = np.column_stack([first, second, first**2, second**2, first * second])
    one, other, ones, others, both = (weights @ stacked / np.maximum(total, 1)[:, None]).T
    spread = (ones - one**2) * (others - other**2)
    usable = spread > 1e-12
    return np.where(usable, (both - one * other) / np.sqrt(np.where(usable, spread, 1)), np.nan)
