"""Saying no more of people than what at least five have in common (k-anonymity); pure.

After L. Sweeney, "k-anonymity: a model for protecting privacy" (2002), by recoding whole records:
each record is made coarser, step by step, until enough people release the very same one. Counted
are the records as released, since whoever sees a coarse one knows that it is none of the fine ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

CROWD_MIN = 5
Person = TypeVar("Person", bound=Hashable)


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What may be said of one credential. jurisdiction: ISO 3166, empty where nothing is said;
    specialties: empty where none are said; month: of the last check, None where it is not said."""

    profession: str
    specialties: tuple[str, ...]
    jurisdiction: str
    level: int
    month: date | None


Record = tuple[Cell, ...]


def _country(cell: Cell) -> Cell:
    return replace(cell, jurisdiction=cell.jurisdiction.partition("-")[0])


# Each step keeps what the ones before it did. The month goes first, since it is worth least to a
# lab; then the specialties (to the profession), the state (to the country), the country. What is
# left, profession and level, is what the job asked for, and is said in any case.
STEPS: tuple[Callable[[Cell], Cell], ...] = (
    lambda cell: cell,
    lambda cell: replace(cell, month=None),
    lambda cell: replace(cell, month=None, specialties=()),
    lambda cell: _country(replace(cell, month=None, specialties=())),
    lambda cell: replace(cell, month=None, specialties=(), jurisdiction=""),
)
COARSEST = len(STEPS) - 1


def coarse(record: Record, step: int) -> Record:
    """A record after so many steps, 0 to 4; credentials that say the same by then count once."""
    return tuple(sorted({STEPS[step](cell) for cell in record}, key=_order))


def _order(cell: Cell) -> tuple[str, tuple[str, ...], str, int, str]:
    month = cell.month.isoformat() if cell.month else ""
    return cell.profession, cell.specialties, cell.jurisdiction, cell.level, month


def coarsened(
    records: Iterable[tuple[Person, Record]], *, least: int = CROWD_MIN
) -> Mapping[tuple[Person, Record], Record]:
    """What is released for each person and record: at least `least` people release the same one.

    A person with several records, of several moments, counts once in each. Only a record that is
    as coarse as can be may have fewer people. The order of the input does not matter.
    """
    steps = dict.fromkeys(records, 0)
    while True:
        crowds: dict[Record, set[Person]] = defaultdict(set)
        members: dict[Record, list[tuple[Person, Record]]] = defaultdict(list)
        for given, step in steps.items():
            released = coarse(given[1], step)
            crowds[released].add(given[0])
            members[released].append(given)
        thin = [
            given
            for released, people in crowds.items()
            if len(people) < least
            for given in members[released]
            if steps[given] < COARSEST
        ]
        if not thin:
            return {given: coarse(given[1], step) for given, step in steps.items()}
        for given in thin:
            steps[given] += 1
