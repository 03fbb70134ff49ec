"""Prediction-powered inference: estimates of a whole set from few labels and many predictions.

Predictions of every item, and the truth of some, give an estimate that is right however poor the
predictions are, and narrower than the labels alone where they are good (Angelopoulos et al. 2023,
"Prediction-powered inference"; the weight of the predictions is tuned as in their PPI++). Where
items were chosen with unequal chances, each label stands for as many items as its chance says
(Horvitz and Thompson 1952, in Hájek's form of 1971), so that items which were chosen because they
looked doubtful do not pass for a sample of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, isfinite, sqrt

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Strata = npt.NDArray[np.int32]

LEVEL = 0.9
# Below as many labels of its own a stratum takes the weight of predictions from all strata.
OWN_POWER_MIN = 40
POWER_MIN = 10
# A stratum of which fewer were looked at is estimated together with others.
STRATUM_MIN = 5
# A weight learnt from a few rare errors looks better than it is.
RARE_MIN = 5.0
# With a smaller audit, in labels of a plain random sample, an estimate is withheld: twenty without
# an error still speak for no more than 86 %.
AUDITED_MIN = 20
TINY = 1e-15


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of `total` items, known from `n` labels, with the ends of its interval.

    power: how far predictions were trusted, 0 not at all; effective: how many labels of a plain
    random sample would say it as exactly; pooled: strata too small for themselves were taken as
    one.
    """

    value: float
    lower: float
    upper: float
    n: int
    total: int
    power: float
    effective: float
    pooled: bool = False

    @property
    def gain(self) -> float:
        """What each label was worth, in labels of a plain random sample."""
        return self.effective / self.n if self.n else 1.0

    def moved(self, by: float) -> Estimate:
        """The same estimate of a mean that is known to be higher by `by`; bounded to 0..1."""
        value, lower, upper = (
            min(1.0, max(0.0, each + by)) for each in (self.value, self.lower, self.upper)
        )
        return replace(self, value=value, lower=lower, upper=upper)


def mean(
    truth: Floats,
    predicted: Floats,
    unlabelled: Floats,
    *,
    power: float | None = None,
    level: float = LEVEL,
) -> Estimate:
    """The mean of a population from which labelled and unlabelled items were drawn alike.

    truth, predicted: of the n labelled items; unlabelled: predictions of the others. power: the
    weight of the predictions, the best one where it is None. The interval is Student's with
    Welch's degrees of freedom. Raises ValueError with fewer than two items of either kind.
    """
    n, rest = len(truth), len(unlabelled)
    if n < 2 or rest < 2 or len(predicted) != n:
        raise ValueError("Two labelled and two unlabelled items are the least.")
    weight = tuned_power(truth, predicted, unlabelled) if power is None else power
    value = float(weight * unlabelled.mean() + (truth - weight * predicted).mean())
    imputed = float(weight**2 * unlabelled.var(ddof=1) / rest)
    rectified = float((truth - weight * predicted).var(ddof=1) / n)
    variance = imputed + rectified
    freedom = _welch([imputed, rectified], [rest - 1, n - 1])
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * sqrt(variance)
    plain = float(truth.var(ddof=1))
    effective = plain / variance if variance > 0 else float(n)
    return Estimate(value, value - half, value + half, n, n + rest, weight, effective)


def tuned_power(truth: Floats, predicted: Floats, unlabelled: Floats) -> float:
    """The weight of predictions that makes the variance least (PPI++, section 6), 0..1."""
    ratio = len(truth) / len(unlabelled)
    spread = float(np.concatenate([predicted, unlabelled]).var(ddof=1))
    if spread <= 0:
        return 0.0
    together = float(((truth - truth.mean()) * (predicted - predicted.mean())).mean())
    return min(1.0, max(0.0, together / ((1 + ratio) * spread)))


def _within(value: float, *, bounded: bool) -> float:
    """Predictions that are weighed against a few labels may carry a share out of its bounds."""
    return min(1.0, max(0.0, value)) if bounded else value


def whole(
    truth: Floats,
    predicted: Floats,
    inclusion: Floats,
    strata: Strata,
    *,
    bounded: bool = False,
    level: float = LEVEL,
) -> Estimate | None:
    """The mean of a finite set of items, from those that were chosen with known chances.

    All arrays run over the whole set. truth: NaN where nobody looked; predicted: what models
    expect of it; inclusion: the chance with which each was to be looked at; strata: items were
    drawn in each by itself, counted from 0. bounded: truth lies within 0..1, as for shares and
    win-rates, and so do the value and its interval. None where items of some stratum had no chance
    at all, or where fewer than two were looked at among those that were not all.
    """
    if not len(truth):
        return None
    collapsed = _collapsed(np.isfinite(truth), strata)
    parts = [
        _Part(truth[members], predicted[members], inclusion[members])
        for members in _members(collapsed)
    ]
    drawn = [part for part in parts if not part.is_complete]
    if any(part.n < 1 for part in parts) or (drawn and sum(part.n for part in drawn) < 2):
        return None
    pooled = _pooled_power(drawn)
    found = [part.estimate(pooled, bounded=bounded) for part in drawn]
    size = len(truth)
    rest = sum(part.size for part in drawn)
    known = sum(float(np.nansum(part.truth)) for part in parts if part.is_complete) / size
    value = sum(each.value * part.size for each, part in zip(found, drawn, strict=True)) / (
        rest or 1
    )
    variances = [
        each.variance * (part.size / rest) ** 2 for each, part in zip(found, drawn, strict=True)
    ]
    freedom = _welch(variances, [each.freedom for each in found])
    total = _Found(value, sum(variances), freedom, 0.0)
    lower, upper = _ends(total, drawn, level, bounded=bounded)
    share = rest / size
    return Estimate(
        _within(known + share * value, bounded=bounded),
        _within(known + share * lower, bounded=bounded),
        _within(known + share * upper, bounded=bounded),
        sum(part.n for part in parts),
        size,
        float(np.average([each.power for each in found], weights=[p.size for p in drawn]))
        if drawn
        else 0.0,
        _effective(parts, share**2 * sum(variances), size),
        len(parts) < len(np.unique(strata)),
    )


def wanting(truth: Floats, inclusion: Floats, strata: Strata) -> int:
    """About how many more audited items an estimate of these needs before it is to be told; 0
    where the audit carries it. Arrays as for `whole`.

    The labels of what was drawn must be worth `AUDITED_MIN` of a plain random sample (Kish 1965),
    and something of every stratum must be looked at.
    """
    seen = np.isfinite(truth)
    parts = [
        _Part(truth[members], truth[members], inclusion[members])
        for members in _members(_collapsed(seen, strata))
    ]
    drawn = [part for part in parts if not part.is_complete]
    unseen = sum(min(STRATUM_MIN, part.size) for part in drawn if not part.n)
    if not drawn:
        return 0
    left = sum(part.size - part.n for part in drawn)
    looked = sum(part.n for part in drawn)
    worth = _plain_size(drawn) if looked else 0.0
    if worth >= AUDITED_MIN:
        return unseen
    # Each further label narrows what is left to guess as well.
    least = ceil(AUDITED_MIN * (left + looked) / (AUDITED_MIN + left + looked))
    return max(unseen, 1, min(left, max(least - looked, ceil((AUDITED_MIN - worth) / 2))))


@dataclass(frozen=True, slots=True)
class _Found:
    value: float
    variance: float
    freedom: float
    power: float


class _Part:
    """One stratum."""

    def __init__(self, truth: Floats, predicted: Floats, inclusion: Floats) -> None:
        seen = np.isfinite(truth)
        self.truth = truth
        self.size = len(truth)
        self.n = int(seen.sum())
        self.is_complete = self.n == self.size
        self.seen = truth[seen]
        self.foreseen = predicted[seen]
        self.foreseen_all = float(predicted.mean())
        self.chances = np.clip(inclusion[seen], 1e-12, 1.0)
        self.weights = 1 / self.chances

    def moments(self) -> tuple[float, float]:
        """Covariance of truth and prediction, and the variance of the prediction, weighted."""
        weights = self.weights / self.weights.sum()
        away = self.foreseen - float(weights @ self.foreseen)
        return float(weights @ (away * (self.seen - float(weights @ self.seen)))), float(
            weights @ away**2
        )

    def estimate(self, pooled: float, *, bounded: bool) -> _Found:
        """The stratum's mean, with the weight of predictions of its own where it can tell."""
        own = self.n >= OWN_POWER_MIN and _rare(self.seen) >= RARE_MIN
        together, spread = self.moments() if own else (0.0, 0.0)
        power = max(0.0, together / spread) if spread > 1e-12 else (0.0 if own else pooled)
        rest = self.seen - power * self.foreseen
        total = float(self.weights.sum())
        middle = float(self.weights @ rest) / total
        freedom = max(1.0, self.n - 1 - (1.0 if power and own else 0.0))
        squares = (1 - self.chances) * self.weights**2 * (rest - middle) ** 2
        variance = float(squares.sum()) / total**2 * self.n / freedom
        if bounded:
            variance = max(variance, self.least_variance())
        return _Found(power * self.foreseen_all + middle, variance, freedom, power)

    def least_variance(self) -> float:
        """What is not known of a share where hardly a label speaks against the others: their own
        spread is nothing then, and a few that are all alike would pass for certainty. The share is
        taken as half a label more on either side (Jeffreys 1946), of the size that labels of
        unequal weights are worth (Kish 1965)."""
        total = float(self.weights.sum())
        n = total**2 / float(self.weights @ self.weights)
        share = min(1.0, max(0.0, float(self.weights @ self.seen) / total))
        if n * min(share, 1 - share) >= 1:
            return 0.0
        near = (n * share + 0.5) / (n + 1)
        unseen = float((1 - self.chances) @ self.weights**2) / float(self.weights @ self.weights)
        return near * (1 - near) / n * unseen


def _collapsed(seen: npt.NDArray[np.bool_], strata: Strata) -> Strata:
    """Strata in which very few were looked at become one, since so few show no spread of their own
    (collapsed strata, Cochran 1977, 5A.12); a stratum that nobody looked into stays as it is."""
    _, places = np.unique(strata, return_inverse=True)
    sizes, counts = np.bincount(places), np.bincount(places, weights=seen)
    drawn = (counts > 0) & (counts < sizes)
    few = np.flatnonzero(drawn & (counts < STRATUM_MIN))
    others = np.flatnonzero(drawn & (counts >= STRATUM_MIN))
    if len(few) and counts[few].sum() < STRATUM_MIN and len(others):
        few = np.append(few, others[np.argmin(counts[others])])
    target = np.arange(len(sizes))
    target[few] = few.min(initial=len(sizes))
    return target[places].astype(np.int32)


def _members(strata: Strata) -> list[npt.NDArray[np.intp]]:
    order = np.argsort(strata, kind="stable")
    edges = np.flatnonzero(np.diff(strata[order])) + 1
    return np.split(order, edges)


def _pooled_power(parts: list[_Part]) -> float:
    """One weight of predictions for strata that are too small for their own."""
    if sum(part.n for part in parts) < POWER_MIN:
        return 0.0
    if _rare(np.concatenate([part.seen for part in parts])) < RARE_MIN:
        return 0.0
    together = spread = 0.0
    for part in parts:
        covariance, variance = part.moments()
        together += part.size**2 * covariance / part.n
        spread += part.size**2 * variance / part.n
    return max(0.0, together / spread) if spread > 1e-12 else 0.0


def _rare(seen: Floats) -> float:
    """How many labels stand apart from the others, where there are two values; else all."""
    low, high = float(seen.min()), float(seen.max())
    if not np.all((seen == low) | (seen == high)):
        return float(len(seen))
    return float(min((seen == low).sum(), (seen == high).sum())) if low < high else 0.0


def _welch(variances: list[float], freedoms: list[float] | list[int]) -> float:
    """Degrees of freedom of a sum of variances (Satterthwaite 1946)."""
    whole_variance = sum(variances)
    if whole_variance <= 0:
        return max(1.0, float(sum(freedoms))) if freedoms else 1.0
    parts = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    return max(1.0, whole_variance**2 / parts)


def _ends(found: _Found, drawn: list[_Part], level: float, *, bounded: bool) -> tuple[float, float]:
    value = found.value
    if not drawn:
        return value, value
    if not bounded:
        half = float(stats.t.ppf((1 + level) / 2, found.freedom)) * sqrt(found.variance)
        return value - half, value + half
    # Sums of weights leave their last bits; labels that are all alike tell no variance.
    value = min(1.0, max(0.0, round(value, 12)))
    spread = value * (1 - value)
    told = found.variance > TINY and spread > TINY
    plain = _plain_size(drawn)
    n = spread / found.variance if told else plain
    if sum(part.n for part in drawn) < OWN_POWER_MIN:
        # So few do not tell their own spread well enough to be worth more than they are.
        n = min(n, plain)
    if not isfinite(n):
        return value, value
    if n * min(value, 1 - value) < RARE_MIN:
        return exact(value, _less(n, found.freedom, level), level=level)
    return wilson(value, n, level=level, freedom=found.freedom)


def _less(n: float, freedom: float, level: float) -> float:
    """An effective size whose variance was learnt from few labels (Korn and Graubard 1998)."""
    point = (1 + level) / 2
    return float(n * (stats.norm.ppf(point) / stats.t.ppf(point, max(freedom, 2.0))) ** 2)


def _plain_size(drawn: list[_Part]) -> float:
    """How large a plain sample these labels are worth where all of them say the same (Kish 1965),
    counting that what was looked at needs no guess."""
    weights = np.concatenate([part.weights for part in drawn])
    size = sum(part.size for part in drawn)
    n = float(weights.sum() ** 2 / (weights**2).sum())
    looked = sum(part.n for part in drawn) / size
    return n / (1 - looked) if looked < 1 else float("inf")


def wilson(
    share: float, n: float, *, level: float = LEVEL, freedom: float | None = None
) -> tuple[float, float]:
    """The interval of a share of `n` items, which need not be whole (Wilson 1927; with an
    effective size for samples of unequal chances, Dean and Pagano 2015)."""
    if n <= 0:
        return 0.0, 1.0
    point = (1 + level) / 2
    z = float(stats.norm.ppf(point) if freedom is None else stats.t.ppf(point, freedom))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def exact(share: float, n: float, *, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a share near 0 or 1, where few speak against it (Clopper and Pearson 1934;
    with an effective size, Korn and Graubard 1998)."""
    if n <= 0:
        return 0.0, 1.0
    tail, hits = (1 - level) / 2, share * n
    lower = float(stats.beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    upper = float(stats.beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return lower, upper


def _effective(parts: list[_Part], variance: float, size: int) -> float:
    """How many labels of a plain random sample of the set would have this variance."""
    weights = np.concatenate([part.size / part.n * np.ones(part.n) for part in parts])
    seen = np.concatenate([part.seen for part in parts])
    middle = float(weights @ seen / weights.sum())
    spread = float(weights @ (seen - middle) ** 2 / weights.sum())
    n = float(len(seen))
    if spread <= 0:
        return n
    return spread / (variance + spread / size)


def plain_interval(
    share: float, n: int, total: int, *, level: float = LEVEL
) -> tuple[float, float]:
    """The interval that `n` labels of a plain random sample of `total` items would give, had they
    this share; what humans alone would know for the same number of judgements."""
    if n >= total:
        return share, share
    return wilson(share, n / (1 - n / total), level=level) if n else (0.0, 1.0)
