"""What the items of a bank are worth: how hard, how they go with the rest, what they foretell.

Classical item analysis (Lord and Novick 1968, ch. 15): difficulty is the mean score; the item-rest
correlation leaves the item out of the total that it is held against; foretelling is Spearman's rank
correlation with later acceptance, since shares of accepted work pile up near one. Of an item that
is right or wrong, Pearson's correlation is the point-biserial one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from uuid import UUID

Z90 = 1.6449  # Nine times in ten the truth lies between the two ends.
PEOPLE_MIN = 30
ANSWERS_MIN = 20
WORTHLESS_BELOW = 0.1
WORTH_KEEPING = 0.3
EASY_ABOVE = 0.98
HARD_BELOW = 0.05
_NEARLY_ONE = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation -1..1 of n pairs, with the ends of its 90 % interval."""

    n: int
    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Sitting:
    """One scored attempt. scores: 0..1 by item; later: the share 0..1 of the person's later work
    that reviewers accepted, None where none was reviewed."""

    scores: Mapping[UUID, float]
    later: float | None


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """What is known of one item. n: answers; difficulty: their mean score; flags: sentences that
    speak for retiring it, which a person decides."""

    item_id: UUID
    n: int
    difficulty: float
    item_rest: Correlation | None
    foretells: Correlation | None
    flags: tuple[str, ...]


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's correlation; None with fewer than three pairs or where one side never varies."""
    n = len(xs)
    if n < 3:
        return None
    mean_x, mean_y = sum(xs) / n, sum(ys) / n
    dx, dy = [x - mean_x for x in xs], [y - mean_y for y in ys]
    spread = sqrt(sum(d * d for d in dx) * sum(d * d for d in dy))
    if spread <= 1e-12:
        return None
    return max(-1.0, min(1.0, sum(a * b for a, b in zip(dx, dy, strict=True)) / spread))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, equal values sharing the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    given = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            given[place] = (start + end) / 2 + 1
        start = end + 1
    return given


def correlation(xs: Sequence[float], ys: Sequence[float]) -> Correlation | None:
    """Pearson's correlation with Fisher's interval; None with fewer than four pairs."""
    return _between(pearson(xs, ys), len(xs), widened=0.0)


def rank_correlation(xs: Sequence[float], ys: Sequence[float]) -> Correlation | None:
    """Spearman's correlation; its interval is Fisher's, widened as Bonett and Wright (2000) say."""
    rho = pearson(ranks(xs), ranks(ys))
    return _between(rho, len(xs), widened=0.0 if rho is None else rho * rho / 2)


def _between(estimate: float | None, n: int, *, widened: float) -> Correlation | None:
    if estimate is None or n < 4:
        return None
    middle = atanh(max(-_NEARLY_ONE, min(_NEARLY_ONE, estimate)))
    half = Z90 * sqrt((1 + widened) / (n - 3))
    return Correlation(n, estimate, tanh(middle - half), tanh(middle + half))


def figures_of(sittings: Sequence[Sitting]) -> list[ItemFigures]:
    """The figures of every item that was answered, by its id; one pass over all sittings."""
    own: dict[UUID, list[float]] = defaultdict(list)
    rest: dict[UUID, list[tuple[float, float]]] = defaultdict(list)
    later: dict[UUID, list[tuple[float, float]]] = defaultdict(list)
    for sitting in sittings:
        total, size = sum(sitting.scores.values()), len(sitting.scores)
        for item_id, score in sitting.scores.items():
            own[item_id].append(score)
            if size > 1:
                rest[item_id].append((score, (total - score) / (size - 1)))
            if sitting.later is not None:
                later[item_id].append((score, sitting.later))
    return [_figures(each, own[each], rest[each], later[each]) for each in sorted(own)]


def _figures(
    item_id: UUID,
    scores: Sequence[float],
    rest: Sequence[tuple[float, float]],
    later: Sequence[tuple[float, float]],
) -> ItemFigures:
    difficulty = sum(scores) / len(scores)
    item_rest = correlation([own for own, _ in rest], [other for _, other in rest])
    foretells = rank_correlation([own for own, _ in later], [share for _, share in later])
    return ItemFigures(
        item_id=item_id,
        n=len(scores),
        difficulty=difficulty,
        item_rest=item_rest,
        foretells=foretells,
        flags=flags_of(len(scores), difficulty, item_rest, foretells),
    )


def flags_of(
    n: int, difficulty: float, item_rest: Correlation | None, foretells: Correlation | None
) -> tuple[str, ...]:
    """What speaks for retiring an item, as sentences; nothing while the data are thin.

    A correlation speaks against an item where it is near zero or below and even the upper end of
    its interval is small; so a few unlucky answers flag nothing.
    """
    said = []
    if foretells and foretells.n >= PEOPLE_MIN and _is_weak(foretells):
        said.append("It does not foretell whether later work is accepted.")
    if item_rest and item_rest.n >= PEOPLE_MIN and _is_weak(item_rest):
        said.append("Who does well elsewhere does no better here; look at its gold.")
    if n >= ANSWERS_MIN and difficulty > EASY_ABOVE:
        said.append("Nearly everybody has it right, so it tells nobody apart.")
    if n >= ANSWERS_MIN and difficulty < HARD_BELOW:
        said.append("Nearly nobody has it right; look at its gold.")
    return tuple(said)


def _is_weak(found: Correlation) -> bool:
    return found.estimate < WORTHLESS_BELOW and found.upper < WORTH_KEEPING
