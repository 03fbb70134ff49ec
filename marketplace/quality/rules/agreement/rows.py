"""What agreement is measured on: items collapsed to equal rows of counts, and draws of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.integer]
Finish: TypeAlias = Callable[[Floats], Floats]

DRAWS = 1_000
# More rows than this are dealt into as many groups, and groups are drawn: the same spread at a
# bounded price.
GROUPS = 1_000
# Labels past the most frequent ones are so rare that their squares may be taken as straight lines.
FREQUENT = 256
SHOWN = 50
SEED = 20_061
EVEN = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """One measure of agreement; None where the labels cannot give it.

    n_items: those with two ratings or more; n_ratings: theirs. prevalence: the share of each label
    among the ratings, of the fifty most frequent at most. lower, upper: 90 % by bootstrap over
    items; lower_95, upper_95 likewise. Where nobody differed, the bounds are what so few items can
    exclude, and None where a single label leaves nothing to tell chance by.
    """

    value: float | None
    n_items: int
    n_ratings: int
    prevalence: Mapping[Hashable, float]
    lower: float | None
    upper: float | None
    lower_95: float | None
    upper_95: float | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Items by how often each label was given: counts float64[R, K], sparse; times float64[R].

    Equal items share one row, which stands for `times` of them. labels names the K columns.
    """

    labels: tuple[Hashable, ...]
    counts: sparse.csr_array
    times: Floats

    @classmethod
    def of(cls, units: Iterable[Sequence[Hashable]]) -> Rows:
        """From the labels that each item received, in any order."""
        kinds: Counter[tuple[tuple[Hashable, int], ...]] = Counter()
        for labels, times in Counter(map(tuple, units)).items():
            kinds[key_of(labels)] += times
        return cls.of_kinds(kinds)

    @classmethod
    def of_kinds(cls, kinds: Mapping[tuple[tuple[Hashable, int], ...], int]) -> Rows:
        """From kinds of items, `((label, count), …)` → how many there are."""
        kinds = {kind: times for kind, times in kinds.items() if kind}
        ordered = sorted(kinds, key=lambda kind: [(*rank(label), n) for label, n in kind])
        labels = tuple(sorted({label for kind in ordered for label, _ in kind}, key=rank))
        place = {label: at for at, label in enumerate(labels)}
        cells = [(place[label], count) for kind in ordered for label, count in kind]
        ends = np.cumsum([0, *(len(kind) for kind in ordered)])
        counts = sparse.csr_array(
            (
                np.array([count for _, count in cells], np.float64),
                np.array([column for column, _ in cells], np.int64),
                ends,
            ),
            shape=(len(ordered), len(labels)),
        )
        return cls(labels, counts, np.array([kinds[kind] for kind in ordered], np.float64))

    @classmethod
    def of_columns(
        cls, tasks: Integers, labels: Integers, names: Sequence[Hashable] | None = None
    ) -> Rows:
        """From one rating a place: tasks int[n], labels int[n] counted from 0; names of labels."""
        width = int(labels.max()) + 1 if labels.size else 0
        names = range(width) if names is None else names
        height = int(tasks.max()) + 1 if tasks.size else 0
        shape = (height, len(names))
        cells = sparse.coo_array((np.ones(len(tasks)), (tasks, labels)), shape=shape)
        counts = sparse.csr_array(cells)
        # Equal rows have equal scalar products with a random vector, others never in practice.
        sums = np.asarray(counts @ np.random.default_rng(SEED).random(len(names)), np.float64)
        _, first, times = np.unique(sums, return_index=True, return_counts=True)
        rated = np.asarray(counts.sum(axis=1))[first] > 0
        kept = sparse.csr_array(counts[first[rated]])
        return cls(tuple(names), kept, times[rated].astype(np.float64))

    @property
    def sizes(self) -> Floats:
        """Ratings of one item of each row, float64[R]."""
        return np.asarray(self.counts.sum(axis=1), np.float64)

    def pairable(self) -> Rows:
        """Only the items with two ratings or more."""
        kept = np.flatnonzero(self.sizes >= 2)
        return Rows(self.labels, sparse.csr_array(self.counts[kept]), self.times[kept])

    def totals(self) -> Floats:
        """Ratings of each label, float64[K]."""
        return np.asarray(self.counts.T @ self.times, np.float64)


def rank(label: Hashable) -> tuple[str, float, str]:
    """An order of labels of any kinds: numbers by size, everything else by its words."""
    if isinstance(label, int | float):
        return "", float(label), ""
    return type(label).__name__, 0.0, str(label)


def key_of(labels: Sequence[Hashable]) -> tuple[tuple[Hashable, int], ...]:
    """What items with the same labels in another order share."""
    return tuple(sorted(Counter(labels).items(), key=lambda each: rank(each[0])))


def drawn(features: Floats, times: Floats, draws: int) -> Floats:
    """Sums of the features over items drawn with replacement, float64[draws, d] (Efron 1979).

    features: float64[R, d] of one item of each row. The weights are multinomial over rows, or over
    groups of equally many items where there are more rows than GROUPS.
    """
    source = np.random.default_rng(SEED)
    if len(times) > GROUPS:
        features, times = _dealt(features, times, source)
    number = int(times.sum())
    weights = source.multinomial(number, times / number, size=draws).astype(np.float64)
    return weights @ features


def _dealt(features: Floats, times: Floats, source: np.random.Generator) -> tuple[Floats, Floats]:
    rows = np.repeat(np.arange(len(times)), times.astype(np.int64))
    source.shuffle(rows)
    rows = rows[: len(rows) - len(rows) % GROUPS] if len(rows) > 20 * GROUPS else rows
    group = np.arange(len(rows)) % GROUPS
    cells = sparse.csr_array((np.ones(len(rows)), (group, rows)), shape=(GROUPS, len(features)))
    return np.asarray(cells @ features, np.float64), np.ones(GROUPS)


def measured(
    rows: Rows, features: Floats, finish: Finish, *, draws: int, spread: float
) -> Agreement:
    """A measure that is a function of sums over items, with its interval.

    finish: float64[B, d] sums → float64[B] values. spread: how much the value falls when the whole
    of the ratings disagrees, for the bound where nobody did; NaN where nothing tells.
    """
    sizes = rows.sizes
    paired = sizes >= 2
    items = int(rows.times[paired].sum())
    ratings = int((rows.times * sizes)[paired].sum())
    bounds: list[float | None] = [None] * 4
    value: float | None = None
    if items:
        value = float(finish((rows.times @ features)[np.newaxis])[0])
        if value >= 1 - EVEN:
            bounds = _unseen(value, items, spread)
        elif items > 1:
            values = finish(drawn(features, rows.times, draws))
            bounds = [float(each) for each in np.quantile(values, [0.05, 0.95, 0.025, 0.975])]
    return Agreement(value, items, ratings, _prevalence(rows.pairable()), *bounds)


def _unseen(value: float, items: int, spread: float) -> list[float | None]:
    """Bounds where nobody differed: the largest share of disagreement that would still show none
    in so many items with 5 % and 2.5 % (Hanley and Lippman-Hand 1983)."""
    if not np.isfinite(spread):
        return [None, value, None, value]
    lows = [float(max(-1.0, 1 - spread * (1 - tail ** (1 / items)))) for tail in (0.05, 0.025)]
    return [lows[0], value, lows[1], value]


def _prevalence(rows: Rows) -> dict[Hashable, float]:
    totals = rows.totals()
    most = np.argsort(-totals, kind="stable")[:SHOWN]
    return {rows.labels[at]: float(totals[at] / totals.sum()) for at in most if totals[at] > 0}


def split(shares: sparse.csr_array, totals: Floats) -> tuple[Floats, Floats, float]:
    """Columns for the sum over labels of squared totals, where labels are too many for one each.

    shares: float64[R, K], totals: float64[K] of all items. Gives the frequent labels' columns
    float64[R, f], one column for the rest together, and the rest's own sum of squares: the square
    of a rare label's total is taken as straight around its value for all items.
    """
    order = np.argsort(-totals, kind="stable")
    often, seldom = order[:FREQUENT], order[FREQUENT:]
    columns = np.asarray(shares[:, often].toarray(), np.float64)
    rest = np.asarray(shares[:, seldom] @ totals[seldom], np.float64)
    return columns, rest[:, np.newaxis], float((totals[seldom] ** 2).sum())
