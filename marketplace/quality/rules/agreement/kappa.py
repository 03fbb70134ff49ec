"""Cohen's kappa of two authors, plain and weighted, and what keeps it up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from marketplace.quality.rules.agreement.rows import (
    DRAWS,
    EVEN,
    FREQUENT,
    Agreement,
    Finish,
    Floats,
    Rows,
    measured,
    rank,
)

Weights: TypeAlias = Literal["linear", "quadratic"]
Pair: TypeAlias = tuple[Hashable, Hashable]
Places: TypeAlias = npt.NDArray[np.int64]


def cohen(
    pairs: Iterable[Pair] | Mapping[Pair, int],
    *,
    weights: Weights | None = None,
    values: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
) -> Agreement:
    """Cohen's kappa (Cohen 1960), or weighted by distance or its square (Cohen 1968).

    pairs: (first author's label, second author's) for each item that both judged, or how often
    each pair was met. values: the labels from the lowest to the highest, whose places are their
    distances; those seen, in order, where it is None. 1.0 where both only ever gave one label.
    """
    cells = Counter(pairs)
    labels = list(values or ())
    labels += sorted({label for pair in cells for label in pair} - set(labels), key=rank)
    place = {label: at for at, label in enumerate(labels)}
    ordered = sorted(cells, key=lambda pair: (place[pair[0]], place[pair[1]]))
    one = np.array([place[first] for first, _ in ordered], np.int64)
    two = np.array([place[second] for _, second in ordered], np.int64)
    number = np.arange(len(ordered))
    counts = sparse.coo_array(
        (np.ones(2 * len(ordered)), (np.concatenate([number, number]), np.concatenate([one, two]))),
        shape=(len(ordered), len(labels)),
    )
    times = np.array([cells[pair] for pair in ordered], np.float64)
    rows = Rows(tuple(labels), sparse.csr_array(counts), times)
    if not ordered:
        return measured(rows, np.zeros((0, 1)), lambda sums: sums[:, 0], draws=0, spread=np.nan)
    apart = _apart(len(labels), weights)
    features, finish = _parts(one, two, times, apart)
    firsts, seconds = np.bincount(one, times, len(labels)), np.bincount(two, times, len(labels))
    chance = float(firsts @ apart @ seconds) / times.sum() ** 2
    spread = float(apart.max()) / chance if chance > EVEN else np.nan
    return measured(rows, features, finish, draws=draws, spread=spread)


def _apart(width: int, weights: Weights | None) -> Floats:
    """How far labels disagree, float64[K, K]."""
    steps = np.abs(np.subtract.outer(np.arange(width), np.arange(width))).astype(np.float64)
    if weights is None:
        return np.asarray(steps > 0, np.float64)
    return steps if weights == "linear" else steps**2


def _parts(one: Places, two: Places, times: Floats, apart: Floats) -> tuple[Floats, Finish]:
    width, number = len(apart), len(one)
    differing = apart[one, two]
    firsts, seconds = np.bincount(one, times, width), np.bincount(two, times, width)
    if width > FREQUENT:
        # So many labels are too many columns: chance is taken as straight around its value.
        near = (apart @ seconds)[one] + (apart.T @ firsts)[two]
        whole = float(firsts @ apart @ seconds)

        def straight(sums: Floats) -> Floats:
            return _beyond(sums[:, 0], sums[:, 1], sums[:, 2] - whole)

        return np.column_stack([np.ones(number), differing, near]), straight
    columns = np.zeros((number, 2 * width))
    columns[np.arange(number), one] = 1
    columns[np.arange(number), width + two] = 1

    def finish(sums: Floats) -> Floats:
        chance = ((sums[:, 2 : 2 + width] @ apart) * sums[:, 2 + width :]).sum(axis=1)
        return _beyond(sums[:, 0], sums[:, 1], chance)

    return np.column_stack([np.ones(number), differing, columns]), finish


def _beyond(number: Floats, differing: Floats, chance: Floats) -> Floats:
    even = chance <= EVEN
    return np.where(even, 1.0, 1 - number * differing / np.where(even, 1.0, chance))


class PairTally:
    """The labels of two authors on the items that both judged, kept up to date item by item."""

    def __init__(self, cells: Mapping[Pair, int] | None = None) -> None:
        self.cells: Counter[Pair] = Counter(cells or {})

    def add(self, first: Hashable, second: Hashable) -> None:
        self.cells[first, second] += 1

    def remove(self, first: Hashable, second: Hashable) -> None:
        """Takes back what `add` put in; KeyError where it never did."""
        if not self.cells[first, second]:
            raise KeyError((first, second))
        self.cells[first, second] -= 1
        self.cells = +self.cells

    def merge(self, other: PairTally) -> None:
        self.cells += other.cells

    def cohen(
        self,
        *,
        weights: Weights | None = None,
        values: Sequence[Hashable] | None = None,
        draws: int = DRAWS,
    ) -> Agreement:
        return cohen(self.cells, weights=weights, values=values, draws=draws)

    def as_json(self) -> list[list[Hashable]]:
        """`[[first, second, times], …]`, in order; labels as they are."""
        ordered = sorted(self.cells.items(), key=lambda each: (rank(each[0][0]), rank(each[0][1])))
        return [[first, second, times] for (first, second), times in ordered]

    @classmethod
    def from_json(cls, written: Iterable[Sequence[Hashable]]) -> PairTally:
        return cls({(first, second): int(str(times)) for first, second, times in written})
