"""What a report on a judge is made from: verdicts of one judge and of people on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.9  # Of every interval of a report.
REPLICATES = 2_000
SEED = 20_261_123


class Level(StrEnum):
    """How two verdicts differ: by how far they lie apart, or only by being others."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"


@dataclass(frozen=True, slots=True)
class Ratings:
    """One dimension on n items; NaN where nobody said anything.

    judge: float64[n], on the scale of `level`, nominal labels as whole numbers from 0;
    experts: float64[m, n], one row a person; straight_judge, reversed_judge: the verdicts when the
    responses were shown in the item's order and in the other, of which `judge` is made;
    first_shown, first_shown_reversed: 1 where it chose the response that it was shown first, 0
    where another, NaN at a tie; confidence: the judge's own, 0..1; length: what a liking for long
    answers would follow.
    """

    level: Level
    judge: Floats
    experts: Floats
    straight_judge: Floats | None = None
    reversed_judge: Floats | None = None
    first_shown: Floats | None = None
    first_shown_reversed: Floats | None = None
    confidence: Floats | None = None
    length: Floats | None = None
    labels: Sequence[str] = field(default=())

    def chosen(self, items: npt.NDArray[np.bool_]) -> Ratings:
        """The same dimension on some of the items; people without a verdict there are left out."""

        def cut(values: Floats | None) -> Floats | None:
            return None if values is None else values[items]

        experts = self.experts[:, items]
        return Ratings(
            level=self.level,
            judge=self.judge[items],
            experts=experts[~np.isnan(experts).all(axis=1)],
            straight_judge=cut(self.straight_judge),
            reversed_judge=cut(self.reversed_judge),
            first_shown=cut(self.first_shown),
            first_shown_reversed=cut(self.first_shown_reversed),
            confidence=cut(self.confidence),
            length=cut(self.length),
            labels=self.labels,
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate from n items with its 90 % interval; None where the items cannot give it."""

    value: float | None
    lower: float | None
    upper: float | None
    n: int


NOTHING = Figure(None, None, None, 0)


def weights(items: int, *, replicates: int = REPLICATES, seed: int = SEED) -> Floats:
    """float64[replicates + 1, items]: how often each item is drawn; the first row draws each once.

    The bootstrap over items (Efron, 1979). All figures of a report take the same draws, so the
    difference of two of them has an interval too. The same number of items, the same draws.
    """
    if not items:
        return np.ones((1, 0))
    draws = np.random.default_rng(seed).multinomial(items, [1 / items] * items, size=replicates)
    return np.vstack([np.ones(items), draws.astype(np.float64)])


def figure(draws: Floats, n: int) -> Figure:
    """The estimate of the first draw with the percentiles of the others.

    There is no interval where one draw in twenty gives no value: what is left would not be fair.
    """
    value = draws[0]
    if np.isnan(value):
        return Figure(None, None, None, n)
    known = draws[1:][~np.isnan(draws[1:])]
    if known.size < 0.95 * (draws.size - 1) or not known.size:
        return Figure(float(value), None, None, n)
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.quantile(known, [tail, 1 - tail])
    return Figure(float(value), float(lower), float(upper), n)
