"""Questions that ask for a number: the estimate of each unit, and the legal label beside it; pure.

The estimate and its interval are those of `ordinal`. A label must stay a value that the template
allows: it is the one nearest to the estimate, among all values of a scale that names them, among
those that were given of the very unit where any number is allowed. How sure a label is follows
from the interval (the share of a normal distribution that is nearer to it than to another value);
what stands beside the scale, such as `na`, keeps the share that classes give it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from scipy.stats import chi2

from marketplace.quality.rules import ordinal
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.ordinal import Estimates, Floats
from marketplace.tasktypes import Scale

# Of a scale's range: the noise of somebody unheard of. Few scores by others outweigh it.
NEWCOMER_NOISE = 0.25
TINY = 1e-9
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of one unit: its labels, how likely each is, and the place of the one that stands."""

    labels: list[str]
    chances: list[float]
    best: int


@dataclass(frozen=True, eq=False)
class Measured:
    """What numbers say of a poll's cases (T) and authors (A).

    found: the estimates, cut at the ends of the scale, NaN where nobody gave a number; error:
    float64[T], one standard error; reliability, lower, upper: float64[A], the share of what varies
    in an author's scores that is the truth, with bounds of 90 %.
    """

    found: Estimates
    error: Floats
    reliability: Floats
    lower: Floats
    upper: Floats


def numbers_of(scheme: Scheme, question: str, seen: Sequence[str]) -> dict[str, float]:
    """Where each label of a question lies; empty where it asks for no number."""
    scale = scheme.scale(question)
    if not scale.numeric:
        return {}
    if scale.values is not None:
        values = zip(scheme.values(question) or (), (*scale.values, *scale.apart), strict=True)
        placed = ((text, scale.number(value)) for text, value in values)
    else:
        placed = ((text, _number(text)) for text in seen)
    return {text: at for text, at in placed if at is not None}


def newcomer_noise(scale: Scale, values: Floats) -> float:
    """The noise to expect of an author unheard of, in points of the scale."""
    if scale.values:
        ends = [number for value in scale.values if (number := scale.number(value)) is not None]
        return NEWCOMER_NOISE * (max(ends) - min(ends))
    return float(np.std(values)) / 2 if len(values) else 0.0


def measured(scores: ordinal.Scores, gold: Floats, *, ends: tuple[float, float]) -> Measured:
    """The estimates of a poll. gold: float64[T], NaN where it is unknown."""
    found = ordinal.estimate(scores, gold=gold)
    error = (found.upper - found.lower) / (2 * ordinal.WITHIN_90)
    value, lower, upper = (np.clip(each, *ends) for each in (found.value, found.lower, found.upper))
    cut = Estimates(value, lower, upper, found.bias, found.noise, found.method)
    number = scores.by_author(np.ones(len(scores.values)))
    return Measured(cut, error, *_reliability(cut, number))


def _reliability(found: Estimates, number: Floats) -> tuple[Floats, Floats, Floats]:
    told = found.value[np.isfinite(found.value)]
    truth = max(float(np.var(told)) if len(told) else 0.0, TINY)
    squares, freedom = found.noise**2 + found.bias**2, number + ordinal.STRENGTH
    shares = [
        truth / (truth + squares * freedom / np.maximum(chi2.ppf(tail, freedom), TINY))
        for tail in (TAIL, 1 - TAIL)
    ]
    return truth / (truth + squares), shares[0], shares[1]


def spread_over(points: Floats, value: Floats, error: Floats) -> Floats:
    """How likely each point is the one nearest to the truth, float64[T, K]; points rise."""
    cuts = (points[1:] + points[:-1]) / 2
    below = ndtr((cuts[None] - value[:, None]) / np.maximum(error, TINY)[:, None])
    edges = np.ones((len(value), 1))
    return np.diff(np.hstack([0 * edges, below, edges]), axis=1)


def over_scale(
    labels: Sequence[str],
    numbers: Mapping[str, float],
    classes: Floats,
    value: Floats,
    error: Floats,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Of a scale that names its values: the chances of its labels, [T, K], and what stands, [T].

    classes: what is believed of labels as classes, which says how likely there is no number at all.
    """
    placed = np.array([numbers.get(label, np.nan) for label in labels])
    rising = np.flatnonzero(np.isfinite(placed))
    rising = rising[np.argsort(placed[rising])]
    chances, best = classes.copy(), classes.argmax(1)
    told = np.flatnonzero(np.isfinite(value))
    if not len(rising) or not len(told):
        return chances, best
    any_number = classes[told][:, rising].sum(1)
    near = spread_over(placed[rising], value[told], error[told])
    chances[np.ix_(told, rising)] = near * any_number[:, None]
    nearest = rising[np.abs(placed[rising][None] - value[told][:, None]).argmin(1)]
    best[told] = np.where(any_number >= 0.5, nearest, best[told])
    return chances, best


def among_given(given: Mapping[str, float], value: float, error: float) -> Chosen:
    """The labels given of one unit where any number is allowed; at least one of them."""
    labels = sorted(given, key=lambda label: (given[label], label))
    # The same number may be written in two ways.
    alike: dict[float, str] = {}
    for label in labels:
        alike.setdefault(given[label], label)
    points = np.array(list(alike))
    chances = spread_over(points, np.array([value]), np.array([error]))[0]
    return Chosen(list(alike.values()), chances.tolist(), int(np.abs(points - value).argmin()))


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def mean_of(values: Floats, noises: Floats) -> tuple[float, float]:
    """The mean of a few scores and its standard error, while a fit is on its way."""
    return float(values.mean()), float(np.sqrt((noises**2).sum()) / len(values))
