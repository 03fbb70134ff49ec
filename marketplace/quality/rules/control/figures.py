"""Shares with bounds along a history, and where a condition is first met; pure, vectorised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from marketplace.quality.rules.control.words import Bound, Condition, Side
from marketplace.quality.rules.posterior import ONE_SIDED, PRIOR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FINE = 0.6  # The accuracy that later gold and reviews must show for somebody to be fine.
ROUND = 1e-9


@dataclass(frozen=True, slots=True)
class Observations:
    """Pieces of work, in order of person and time.

    who: int64[m], rows of `people`; at: float64[m], seconds since 1970; value: float64[m], 0..1;
    people: ids by row; source: the ids of what was looked at, m of them.
    """

    who: Ints
    at: Floats
    value: Floats
    people: tuple[UUID, ...]
    source: tuple[UUID, ...]

    @staticmethod
    def of(rows: Iterable[tuple[UUID, float, float, UUID]]) -> Observations:
        """From (person, seconds, value, source) in any order."""
        known = list(rows)
        people = tuple(sorted({person for person, *_ in known}))
        index = {person: at for at, person in enumerate(people)}
        who = np.array([index[row[0]] for row in known], dtype=np.int64)
        at = np.array([row[1] for row in known], dtype=np.float64)
        value = np.clip(np.array([row[2] for row in known], dtype=np.float64), 0.0, 1.0)
        order = np.lexsort((at, who)) if known else np.zeros(0, dtype=np.int64)
        source = tuple(known[place][3] for place in order)
        return Observations(who[order], at[order], value[order], people, source)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a firing stands on: a share with its 90 % bounds (each one-sided) over n pieces."""

    value: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class _Running:
    """The share up to each observation; all float64[m] but n, int64[m]."""

    total: Floats
    n: Ints
    lower: Floats
    upper: Floats


def bounds(total: Floats, n: Floats) -> tuple[Floats, Floats]:
    """The tenth and ninetieth percentile of Beta(total + 1, n - total + 1), elementwise.

    One success and one failure before anything is known: Bayes and Laplace.
    """
    a, b = PRIOR + total, PRIOR + np.maximum(n - total, 0.0)
    lower = np.asarray(betaincinv(a, b, ONE_SIDED), dtype=np.float64)
    return lower, np.asarray(betaincinv(a, b, 1 - ONE_SIDED), dtype=np.float64)


def _running(seen: Observations, window: int | None) -> _Running:
    """Sums within each person, of the last `window` where one is given."""
    size = seen.who.size
    places = np.arange(size)
    first = np.searchsorted(seen.who, seen.who, side="left")
    begin = first if window is None else np.maximum(first, places - window + 1)
    summed = np.concatenate(([0.0], np.cumsum(seen.value)))
    n = places - begin + 1
    total = np.clip(summed[places + 1] - summed[begin], 0.0, n)
    lower, upper = bounds(total, n.astype(np.float64))
    return _Running(total, n, lower, upper)


def _met(running: _Running, asked: Condition) -> npt.NDArray[np.bool_]:
    compared = running.lower if asked.bound is Bound.LOWER else running.upper
    over = compared > asked.threshold if asked.side is Side.ABOVE else compared < asked.threshold
    met: npt.NDArray[np.bool_] = over & (running.n >= asked.n_min)
    return met


def _figures(running: _Running, place: int) -> Figures:
    n = int(running.n[place])
    share = float(running.total[place]) / n
    return Figures(share, float(running.lower[place]), float(running.upper[place]), n)


def standing(seen: Observations, asked: Condition) -> dict[UUID, tuple[Figures, UUID]]:
    """Who meets a condition now, each with the figures and what was looked at last."""
    if not seen.who.size:
        return {}
    running = _running(seen, asked.window)
    last = np.searchsorted(seen.who, np.arange(len(seen.people)), side="right") - 1
    met = _met(running, asked)
    return {
        seen.people[person]: (_figures(running, int(place)), seen.source[int(place)])
        for person, place in enumerate(last)
        if met[place]
    }


class Outlook(StrEnum):
    """What later gold and reviews say of somebody who would have been caught."""

    FINE = "fine"
    NOT_FINE = "not_fine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Caught:
    """Somebody who would have been caught: when, on which figures, and what came later.

    later_right of later_n: agreements that gold and people's verdicts found afterwards.
    """

    person_id: UUID
    at: float
    figures: Figures
    source: UUID
    later_right: float
    later_n: int
    outlook: Outlook


def first_crossings(
    seen: Observations, asked: Condition, later: Observations | None = None
) -> list[Caught]:
    """Whom a condition would have caught in a history, at the first moment that it was met.

    later: how right people's work was found to be, by gold and by reviewers; only what came after
    the moment speaks for or against having been caught.
    """
    if not seen.who.size:
        return []
    running = _running(seen, asked.window)
    places = np.flatnonzero(_met(running, asked))
    who, first = np.unique(seen.who[places], return_index=True)
    caught = []
    for person, place in zip(who, places[first], strict=True):
        person_id, at = seen.people[int(person)], float(seen.at[place])
        right, n = _afterwards(later, person_id, at)
        caught.append(
            Caught(
                person_id,
                at,
                _figures(running, int(place)),
                seen.source[int(place)],
                right,
                n,
                _outlook(right, n),
            )
        )
    return sorted(caught, key=lambda each: each.at)


def _afterwards(later: Observations | None, person_id: UUID, at: float) -> tuple[float, int]:
    if later is None or person_id not in later.people:
        return 0.0, 0
    mine = (later.who == later.people.index(person_id)) & (later.at > at + ROUND)
    return float(later.value[mine].sum()), int(mine.sum())


def _outlook(right: float, n: int) -> Outlook:
    lower, upper = bounds(np.array([right]), np.array([float(n)]))
    if n and lower[0] >= FINE:
        return Outlook.FINE
    return Outlook.NOT_FINE if n and upper[0] < FINE else Outlook.UNKNOWN
