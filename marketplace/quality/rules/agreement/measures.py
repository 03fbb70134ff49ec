"""Krippendorff's alpha, Gwet's AC1 and Fleiss' kappa; any number of authors, gaps allowed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from marketplace.quality.rules.agreement.rows import (
    DRAWS,
    EVEN,
    FREQUENT,
    Agreement,
    Finish,
    Floats,
    Rows,
    measured,
    split,
)

Level: TypeAlias = Literal["nominal", "ordinal", "interval", "ratio"]
Ratings: TypeAlias = Iterable[Sequence[Hashable]] | Rows

# Up to so many ranks their distances follow each draw; above, they stay those of all items.
RANKS = 32


def alpha(ratings: Ratings, level: Level = "nominal", *, draws: int = DRAWS) -> Agreement:
    """Krippendorff's alpha, at most 1 (Krippendorff 2011, Computing Krippendorff's alpha).

    ratings: the labels that each item received; numbers unless the level is nominal, for ratio
    none below 0. Items with one label say nothing. 1.0 where only one label was ever given.
    """
    rows = _rows(ratings).pairable()
    if not len(rows.times):
        return _nothing(rows)
    features, finish = _PARTS[level](rows)
    totals = rows.totals()
    chance = 1 - float(((totals / totals.sum()) ** 2).sum())
    return measured(
        rows, features, finish, draws=draws, spread=1 / chance if chance > EVEN else np.nan
    )


def _nominal(rows: Rows) -> tuple[Floats, Finish]:
    sizes = rows.sizes
    squares = np.asarray(rows.counts.power(2).sum(axis=1), np.float64)
    differing = (sizes**2 - squares) / (sizes - 1)
    columns, rest, squared = split(rows.counts, rows.totals())

    def finish(sums: Floats) -> Floats:
        equal = (sums[:, 3:] ** 2).sum(axis=1) + 2 * sums[:, 2] - squared
        return _beyond(sums[:, 0], sums[:, 1], sums[:, 0] ** 2 - equal)

    return np.column_stack([sizes, differing, rest, columns]), finish


def _interval(rows: Rows) -> tuple[Floats, Finish]:
    return _moments(rows, _numbers(rows))


def _moments(rows: Rows, numbers: Floats) -> tuple[Floats, Finish]:
    """Squared distances, of an item and of all, from sums of numbers and of their squares."""
    numbers = numbers - numbers[0]
    sizes = rows.sizes
    first, second = rows.counts @ numbers, rows.counts @ numbers**2
    differing = 2 * (sizes * second - first**2) / (sizes - 1)

    def finish(sums: Floats) -> Floats:
        chance = 2 * (sums[:, 0] * sums[:, 3] - sums[:, 2] ** 2)
        return _beyond(sums[:, 0], sums[:, 1], chance)

    return np.column_stack([sizes, differing, first, second]), finish


def _ordinal(rows: Rows) -> tuple[Floats, Finish]:
    """Distances between middle ranks, which are Krippendorff's ordinal differences."""
    _numbers(rows)
    totals = rows.totals()
    if len(totals) > RANKS:
        return _moments(rows, np.cumsum(totals) - totals / 2)
    sizes, counts = rows.sizes, rows.counts.toarray()
    low, high = np.triu_indices(len(totals), 1)
    together = 2 * counts[:, low] * counts[:, high] / (sizes - 1)[:, np.newaxis]

    def finish(sums: Floats) -> Floats:
        each = sums[:, : len(totals)]
        ranks = np.cumsum(each, axis=1) - each / 2
        number = each.sum(axis=1)
        apart = (ranks[:, low] - ranks[:, high]) ** 2
        chance = 2 * (number * (each * ranks**2).sum(axis=1) - (each * ranks).sum(axis=1) ** 2)
        return _beyond(number, (sums[:, len(totals) :] * apart).sum(axis=1), chance)

    return np.column_stack([counts, together]), finish


def _ratio(rows: Rows) -> tuple[Floats, Finish]:
    numbers = _numbers(rows)
    if (numbers < 0).any():
        raise ValueError("The ratio level has no numbers below 0.")
    both = numbers[:, np.newaxis] + numbers
    apart = ((numbers[:, np.newaxis] - numbers) / np.where(both > 0, both, 1.0)) ** 2
    sizes = rows.sizes
    met = rows.counts @ apart
    differing = np.asarray(rows.counts.multiply(met).sum(axis=1), np.float64) / (sizes - 1)
    totals = rows.totals()
    whole = float(totals @ apart @ totals)
    if len(totals) <= FREQUENT:

        def finish(sums: Floats) -> Floats:
            each = sums[:, 2:]
            return _beyond(sums[:, 0], sums[:, 1], ((each @ apart) * each).sum(axis=1))

        return np.column_stack([sizes, differing, rows.counts.toarray()]), finish

    def straight(sums: Floats) -> Floats:
        return _beyond(sums[:, 0], sums[:, 1], 2 * sums[:, 2] - whole)

    return np.column_stack([sizes, differing, met @ totals]), straight


_PARTS: dict[Level, Callable[[Rows], tuple[Floats, Finish]]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
    "ratio": _ratio,
}


def _beyond(number: Floats, differing: Floats, chance: Floats) -> Floats:
    """1 - observed over expected disagreement; 1 where chance itself never disagrees."""
    even = chance <= EVEN
    return np.where(even, 1.0, 1 - (number - 1) * differing / np.where(even, 1.0, chance))


def ac1(
    ratings: Ratings, *, values: Sequence[Hashable] | None = None, draws: int = DRAWS
) -> Agreement:
    """Gwet's AC1, which stays sound where one label prevails (Gwet 2008).

    values: every label that could be given; those seen where it is None, which makes chance
    agreement look larger than it was. 1.0 where there is only one label.
    """
    rows = _rows(ratings)
    choices = max(len(rows.labels if values is None else values), len(rows.labels))

    def chance(squares: Floats) -> Floats:
        return (1 - squares) / (choices - 1) if choices > 1 else np.zeros_like(squares)

    return _corrected(rows, chance, draws)


def fleiss(ratings: Ratings, *, draws: int = DRAWS) -> Agreement:
    """Fleiss' kappa (Fleiss 1971), in Gwet's form where items have unequally many ratings.

    A label's chance is its mean share over items. 1.0 where only one label was ever given.
    """
    return _corrected(_rows(ratings), lambda squares: squares, draws)


def observed(ratings: Ratings, *, draws: int = DRAWS) -> Agreement:
    """The share of equal pairs of an item, mean over items, 0..1; nothing taken off for chance."""
    return _corrected(_rows(ratings), np.zeros_like, draws)


def _corrected(rows: Rows, chance: Callable[[Floats], Floats], draws: int) -> Agreement:
    """(observed - chance) / (1 - chance), with chance a function of the sum of squared shares."""
    sizes = rows.sizes
    if not (sizes >= 2).any():
        return _nothing(rows)
    squares = np.asarray(rows.counts.power(2).sum(axis=1), np.float64)
    paired = (sizes >= 2).astype(np.float64)
    equal = paired * (squares - sizes) / np.maximum(sizes * (sizes - 1), 1)
    shares = rows.counts.multiply(1 / sizes[:, np.newaxis]).tocsr()
    columns, rest, squared = split(shares, np.asarray(shares.T @ rows.times, np.float64))
    items = float(rows.times.sum())

    def finish(sums: Floats) -> Floats:
        number = sums[:, 0]
        together = ((sums[:, 4:] ** 2).sum(axis=1) + 2 * sums[:, 3] - squared) / number**2
        expected = chance(together)
        seen = sums[:, 2] / np.maximum(sums[:, 1], 1)
        even = 1 - expected <= EVEN
        return np.where(even, 1.0, (seen - expected) / np.where(even, 1.0, 1 - expected))

    features = np.column_stack([np.ones(len(sizes)), paired, equal, rest, columns])
    sums = rows.times @ features
    together = (float((sums[4:] ** 2).sum()) + 2 * sums[3] - squared) / items**2
    left = 1 - float(chance(np.array([together]))[0])
    return measured(rows, features, finish, draws=draws, spread=1 / left if left > EVEN else np.nan)


def _rows(ratings: Ratings) -> Rows:
    return ratings if isinstance(ratings, Rows) else Rows.of(ratings)


def _numbers(rows: Rows) -> Floats:
    """The labels as numbers, float64[K]; they rise, since rows keep numbers in order."""
    if not all(isinstance(label, int | float) for label in rows.labels):
        raise ValueError("Only numbers have this level of measurement.")
    return np.array(rows.labels, np.float64)


def _nothing(rows: Rows) -> Agreement:
    return measured(rows, np.zeros((len(rows.times), 1)), _none, draws=0, spread=np.nan)


def _none(sums: Floats) -> Floats:
    return sums[:, 0]
