"""The report on a judge: every dimension, as a whole and by slice, as plain numbers and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.judges.biases import (
    Calibration,
    LengthBias,
    bias,
    calibration,
    distribution,
    flips,
    length_bias,
    position_bias,
)
from marketplace.quality.rules.judges.kappas import agreement
from marketplace.quality.rules.judges.ratings import Figure, Level, Ratings, weights
from marketplace.quality.rules.judges.standing import MARGIN, Rule, rule

SLICE_ITEMS_MIN = 5  # A slice with fewer items says nothing and might point at somebody.
SLICES_MAX = 20
EVERYTHING = ""  # The name of the slice that is the whole.


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a judge in one dimension and slice ("" is all items).

    judge, experts: kappas (the experts' is the ceiling), difference: of both; judge_ratio,
    expert_ratio: shares of equal verdicts; pairs: pairs of people behind `experts`, 0 where people
    took turns and were pooled; shares: how often the judge gives each of `labels`.
    """

    dimension: str
    slice: str
    level: Level
    items: int
    people: int
    judge: Figure
    experts: Figure
    difference: Figure
    judge_ratio: Figure
    expert_ratio: Figure
    pairs: int
    rule: Rule
    bias: Figure
    flips: Figure
    position: Figure
    length: LengthBias
    calibration: Calibration
    labels: tuple[str, ...]
    shares: tuple[float, ...]


def findings(
    dimensions: Mapping[str, Ratings],
    slices: Sequence[str | None] = (),
    *,
    margin: float = MARGIN,
) -> list[Finding]:
    """The findings of all dimensions, each as a whole first and then by slice.

    dimensions: by key, all over the same items; slices: each item's slice, none for no slices.
    """
    found = []
    for key, ratings in dimensions.items():
        found.append(finding(key, EVERYTHING, ratings, margin=margin))
        for name, items in _slices(slices):
            chosen = ratings.chosen(items)
            if not np.isnan(chosen.judge).all():
                found.append(finding(key, name, chosen, margin=margin))
    return found


def finding(key: str, name: str, ratings: Ratings, *, margin: float = MARGIN) -> Finding:
    """What is known in one dimension and slice; every interval is from the same draws of items."""
    judged = ~np.isnan(ratings.judge)
    ratings = ratings.chosen(judged & ~np.isnan(ratings.experts).all(axis=0))
    drawn = weights(ratings.judge.size)
    found = agreement(ratings, drawn)
    values = _values(ratings)
    return Finding(
        dimension=key,
        slice=name,
        level=ratings.level,
        items=int(ratings.judge.size),
        people=len(ratings.experts),
        judge=found.judge,
        experts=found.experts,
        difference=found.difference,
        judge_ratio=found.judge_ratio,
        expert_ratio=found.expert_ratio,
        pairs=found.pairs,
        rule=rule(found, margin=margin),
        bias=bias(ratings, drawn),
        flips=flips(ratings, drawn),
        position=position_bias(ratings, drawn),
        length=length_bias(ratings, drawn),
        calibration=calibration(ratings),
        labels=tuple(_names(ratings, values)),
        shares=tuple(float(each) for each in distribution(ratings.judge, values)),
    )


def as_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings as JSON, rounded to six places, so the same verdicts give the same bytes."""
    return [_rounded(asdict(each)) for each in found]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value


def _values(ratings: Ratings) -> npt.NDArray[np.float64]:
    if ratings.labels:
        return np.arange(len(ratings.labels), dtype=np.float64)
    said = np.concatenate([ratings.judge, ratings.experts.ravel()])
    return np.unique(said[~np.isnan(said)])


def _names(ratings: Ratings, values: npt.NDArray[np.float64]) -> list[str]:
    return list(ratings.labels) if ratings.labels else [f"{each:g}" for each in values]


def _slices(slices: Sequence[str | None]) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """The named slices that are large enough, the largest first."""
    names = np.array([each or "" for each in slices], dtype=object)
    known, counts = np.unique(names.astype(str), return_counts=True)
    order = sorted(zip(known, counts, strict=True), key=lambda each: (-each[1], each[0]))
    return [
        (str(name), names == name) for name, count in order if name and count >= SLICE_ITEMS_MIN
    ][:SLICES_MAX]
