"""Marks that people placed themselves, matched into units that can be voted on.

Authors are taken one after another; each one's marks are assigned to the units found so far so
that what they share is largest in all (Kuhn 1955), and never where a pair shares less than its
type asks. A second round begins from the middles of the units, so that the first author's
slips do not decide. What belongs to no unit founds one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from marketplace.quality.rules import categorical, presence
from marketplace.quality.rules.crowd import Labels
from marketplace.tasktypes.images.geometry import bounds, overlap
from marketplace.tasktypes.scales import Mark
from marketplace.tasktypes.shapes import Json

Floats: TypeAlias = npt.NDArray[np.float64]
Author: TypeAlias = Hashable
Value = TypeVar("Value", bound=Hashable)
Place: TypeAlias = tuple[int, int] | Json

ABSENT = ""
# Among places that fit equally well, one with the same label is the likelier partner.
SAME_LABEL = 0.1
ASSIGNED_MAX = 1_000_000
LIKELIER = 0.5


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that somebody marked: who marked it as what, and where."""

    group: str
    marks: Mapping[Author, Mark] = field(default_factory=dict)

    def labels(self, asked: Sequence[Author], absent: Hashable = ABSENT) -> dict[Author, Hashable]:
        """The vote of everybody who was asked; who marked nothing there votes `absent`."""
        return {
            author: self.marks[author].label if author in self.marks else absent for author in asked
        }


def units_of(marks: Mapping[Any, Sequence[Mark]]) -> list[Unit]:
    """The units of one task. marks: of every author who judged it, also of one who marked nothing.

    In the order of their places; an author has one mark in a unit at most.
    """
    groups = sorted({mark.group for each in marks.values() for mark in each})
    found = []
    for group in groups:
        held = {
            author: [mark for mark in each if mark.group == group] for author, each in marks.items()
        }
        found += [Unit(group, members) for members in _grouped(held)]
    return found


def _grouped(marks: Mapping[Author, Sequence[Mark]]) -> list[dict[Author, Mark]]:
    middle = float(np.median([len(each) for each in marks.values()]))
    order = sorted(marks, key=lambda author: (abs(len(marks[author]) - middle), str(author)))
    first = _assigned(order, marks, [])
    shared = [middle_of(list(each.values())) for each in first if len(each) > 1]
    found = [each for each in _assigned(order, marks, shared) if each]
    return sorted(found, key=lambda each: _sorted_by(middle_of(list(each.values()))))


def _sorted_by(mark: Mark) -> tuple[float, ...]:
    return tuple(_box(mark.place))


def _assigned(
    order: Sequence[Author], marks: Mapping[Author, Sequence[Mark]], starts: Sequence[Mark]
) -> list[dict[Author, Mark]]:
    """Units by going through the authors; those of the starts may stay empty."""
    middles: list[Mark] = list(starts)
    found: list[dict[Author, Mark]] = [{} for _ in starts]
    for author in order:
        mine = marks[author]
        taken = set()
        for unit, at in pairs(middles, mine):
            found[unit][author] = mine[at]
            taken.add(at)
        for at, mark in enumerate(mine):
            if at not in taken:
                middles.append(mark)
                found.append({author: mark})
    return found


def pairs(first: Sequence[Mark], second: Sequence[Mark]) -> list[tuple[int, int]]:
    """Places in first and second of marks that are the same thing, each taken once."""
    if not first or not second:
        return []
    alike = likeness(first, second)
    rows, columns = np.nonzero(alike)
    single = (np.count_nonzero(alike, axis=1) <= 1).all() and (
        np.count_nonzero(alike, axis=0) <= 1
    ).all()
    if not single:
        rows, columns = _best(alike)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _best(alike: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    if alike.size <= ASSIGNED_MAX:
        rows, columns = linear_sum_assignment(alike, maximize=True)
        kept = alike[rows, columns] > 0
        return rows[kept], columns[kept]
    # So many marks are paired greedily, the most alike first: the exact way would take minutes.
    order = np.argsort(-alike, axis=None, kind="stable")[: np.count_nonzero(alike)]
    taken: tuple[set[int], set[int]] = set(), set()
    chosen = []
    for row, column in zip(*np.unravel_index(order, alike.shape), strict=True):
        if row not in taken[0] and column not in taken[1]:
            taken[0].add(int(row))
            taken[1].add(int(column))
            chosen.append((row, column))
    both = np.array(chosen, np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def likeness(first: Sequence[Mark], second: Sequence[Mark]) -> Floats:
    """How far two marks are the same place, float64[n, m]: intersection over union, or of points
    one less half the distance over the reach; 0 below what the marks ask; a little more where the
    labels agree."""
    one = np.array([_box(mark.place) for mark in first], np.float64)
    two = np.array([_box(mark.place) for mark in second], np.float64)
    found = _overlaps(one, two)
    points = np.array([_is_point(mark) for mark in first], bool)
    others = np.array([_is_point(mark) for mark in second], bool)
    if points.any() and others.any():
        apart = np.hypot(one[:, None, 0] - two[None, :, 0], one[:, None, 1] - two[None, :, 1])
        near = np.maximum(0, 1 - apart / (2 * first[0].reach))
        found = np.where(points[:, None] & others[None, :], near, found)
    found[points[:, None] != others[None, :]] = 0
    for row, column in _polygons(first, second, found):
        found[row, column] = overlap(_region(first[row]), _region(second[column]))
    least = np.array([mark.least for mark in first])[:, None]
    same = np.array([[mark.label == other.label for other in second] for mark in first], bool)
    return np.where(found >= least, found + SAME_LABEL * same, 0.0)


def _overlaps(one: Floats, two: Floats) -> Floats:
    """Intersection over union of boxes [left, top, right, bottom], float64[n, m]."""
    low = np.maximum(one[:, None, :2], two[None, :, :2])
    high = np.minimum(one[:, None, 2:], two[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(one[:, 2:] - one[:, :2], axis=1), np.prod(two[:, 2:] - two[:, :2], axis=1)
    joined = areas[0][:, None] + areas[1][None, :] - shared
    return np.asarray(shared / np.where(joined > 0, joined, 1.0), np.float64)


def _polygons(
    first: Sequence[Mark], second: Sequence[Mark], boxes: Floats
) -> list[tuple[int, int]]:
    """Pairs with a polygon among them whose boxes touch, to be measured exactly."""
    drawn = (
        [_kind(mark) == "polygon" for mark in first],
        [_kind(mark) == "polygon" for mark in second],
    )
    either = np.array(drawn[0], bool)[:, None] | np.array(drawn[1], bool)[None, :]
    rows, columns = np.nonzero(either & (boxes > 0))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _kind(mark: Mark) -> str:
    return "extent" if isinstance(mark.place, tuple) else str(mark.place["kind"])


def _is_point(mark: Mark) -> bool:
    return _kind(mark) == "point"


def _region(mark: Mark) -> Json:
    if isinstance(mark.place, tuple):
        raise TypeError("An extent is no region.")
    return mark.place


def _box(place: Place) -> list[float]:
    """Left, top, right, bottom; an extent is as high as one."""
    if isinstance(place, tuple):
        return [place[0], 0.0, place[1], 1.0]
    x, y, width, height = bounds(place)
    return [x, y, x + width, y + height]


def middle_of(marks: Sequence[Mark], weights: Sequence[float] | None = None) -> Mark:
    """One mark for several of the same thing: each end of an extent where most put it, each side
    of a box and each coordinate of a point in the middle, the polygon that is most like the rest.

    weights: how much each author is believed; all alike where it is None.
    """
    believed = list(weights) if weights is not None else [1.0] * len(marks)
    label = _heaviest([mark.label for mark in marks], believed)
    kinds = [_kind(mark) for mark in marks]
    kind = _heaviest(kinds, believed)
    held = [at for at, each in enumerate(kinds) if each == kind]
    chosen, trusted = [marks[at] for at in held], [believed[at] for at in held]
    if kind == "polygon":
        alike = likeness(chosen, chosen) @ np.array(trusted)
        place: Place = chosen[int(np.argmax(alike))].place
    else:
        place = _middle_place(kind, [_box(mark.place) for mark in chosen], trusted)
    first = chosen[0]
    return Mark(first.group, first.name, label, place, first.least, first.reach)


def _middle_place(
    kind: object, boxes: Sequence[Sequence[float]], trusted: Sequence[float]
) -> Place:
    if kind == "extent":
        start = _heaviest([int(box[0]) for box in boxes], trusted)
        ends = [(int(box[2]), weight) for box, weight in zip(boxes, trusted, strict=True)]
        end = _heaviest([at for at, _ in ends if at > start], [w for at, w in ends if at > start])
        return start, end
    sides = [_weighted_median([box[side] for box in boxes], trusted) for side in range(4)]
    if kind == "point":
        return {"kind": "point", "points": [sides[:2]]}
    left, top, right, bottom = sides
    return {"kind": "box", "box": [left, top, right - left, bottom - top]}


def _heaviest(values: Sequence[Value], weights: Sequence[float]) -> Value:
    """The value that weighs most; at a tie the one named first."""
    total: defaultdict[Value, float] = defaultdict(float)
    for value, weight in zip(values, weights, strict=True):
        total[value] += weight
    return max(total, key=total.__getitem__)


def _weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    order = np.argsort(values, kind="stable")
    above = np.cumsum(np.asarray(weights)[order])
    at = np.searchsorted(above, above[-1] / 2)
    if np.isclose(above[at], above[-1] / 2) and at + 1 < len(values):
        return float(values[order[at]] + values[order[at + 1]]) / 2
    return float(values[order[at]])


@dataclass(frozen=True, slots=True)
class Settled:
    """One unit after the vote: `mark` is what and where it is; confidence 0..1 that it is there
    with this label; votes: what everybody said of it."""

    task: Hashable
    mark: Mark
    confidence: float
    votes: Mapping[Author, Hashable]


def settled(
    tasks: Mapping[Any, Mapping[Any, Sequence[Mark]]], *, absent: Hashable | None = ABSENT
) -> list[Settled]:
    """What the marks of many tasks come to: whether each unit is there, by who marked it and who
    did not (`presence`), and what it is, by the categorical vote of those who marked it.

    absent: the label that leaving a unit out stands for; None where it says nothing, and every
    unit is there. Units that are likelier not to be there are left out.
    """
    found = [(task, unit) for task, marks in tasks.items() for unit in units_of(marks)]
    if not found:
        return []
    named = Labels.of(
        (at, author, mark.label)
        for at, (_, unit) in enumerate(found)
        for author, mark in unit.marks.items()
    )
    fit = categorical.fit(named.labels)
    trust = dict(zip(named.authors, fit.reliability.tolist(), strict=True))
    sure = np.ones(len(found)) if absent is None else _there(tasks, found)
    results = []
    for at, (task, unit) in enumerate(found):
        if sure[at] < LIKELIER:
            continue
        # Those who named the winner know best where it is.
        chances = dict(zip(named.values, fit.posterior[at].tolist(), strict=True))
        named_here = sorted({mark.label for mark in unit.marks.values()}, key=str)
        label = max(named_here, key=chances.__getitem__)
        agreed = {who: mark for who, mark in unit.marks.items() if mark.label == label}
        mark = middle_of(list(agreed.values()), [trust[who] for who in agreed])
        confidence = float(sure[at]) * chances[label]
        votes = {who: mark.label for who, mark in unit.marks.items()}
        if absent is not None:
            votes = unit.labels(list(tasks[task]), absent)
        results.append(Settled(task, mark, confidence, votes))
    return results


def _there(
    tasks: Mapping[Any, Mapping[Any, Sequence[Mark]]], found: Sequence[tuple[Any, Unit]]
) -> Floats:
    authors = {
        who: at for at, who in enumerate({who: 0 for each in tasks.values() for who in each})
    }
    marked = np.zeros((len(found), len(authors)), bool)
    asked = np.zeros_like(marked)
    for at, (task, unit) in enumerate(found):
        asked[at, [authors[who] for who in tasks[task]]] = True
        marked[at, [authors[who] for who in unit.marks]] = True
    return presence.there(marked, asked)


def f1(found: Mapping[Any, Sequence[Mark]], gold: Mapping[Any, Sequence[Mark]]) -> float:
    """F1 of marks by task, matched with the same label; 1.0 where neither side has any."""
    matched: dict[Hashable, int] = defaultdict(int)
    for task in {*found, *gold}:
        one, two = found.get(task, ()), gold.get(task, ())
        matched[task] = sum(one[a].label == two[b].label for a, b in pairs(one, two))
    total = sum(map(len, found.values())) + sum(map(len, gold.values()))
    return 2 * sum(matched.values()) / total if total else 1.0
