"""Shapes on an image, in pixels of the original: x to the right, y down, from the upper left.

A box is [x, y, width, height]; a polygon is [[x, y], …] without the first point repeated at the
end; a point is [[x, y]]. The corner of the last pixel is at (width, height).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from marketplace.tasktypes.shapes import Json

Box: TypeAlias = tuple[float, float, float, float]
Corner: TypeAlias = Sequence[float]
Outline: TypeAlias = Sequence[Corner]

DECIMALS = 2
SCANLINES = 256


def rounded(value: float) -> float | int:
    """A pixel coordinate with two decimals; whole ones are integers, so that they read well."""
    short = round(float(value), DECIMALS)
    return int(short) if short.is_integer() else short


def outline_of(region: Json) -> Outline:
    """The corners of a box or polygon, or the one corner of a point."""
    if region["kind"] != "box":
        points: Outline = region["points"]
        return points
    x, y, width, height = region["box"]
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]


def bounds(region: Json) -> Box:
    """The smallest box around a region."""
    if region["kind"] == "box":
        x, y, width, height = region["box"]
        return x, y, width, height
    across = [corner[0] for corner in region["points"]]
    down = [corner[1] for corner in region["points"]]
    return min(across), min(down), max(across) - min(across), max(down) - min(down)


def area(outline: Outline) -> float:
    """The area of a simple polygon in square pixels (the shoelace formula)."""
    following = [*outline[1:], outline[0]] if outline else []
    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(outline, following, strict=True))
    return abs(twice) / 2


def inside(region: Json, width: float, height: float) -> bool:
    """Whether every corner lies on an image of this size, its edges included.

    Half of the last kept decimal is forgiven, which rounding can add.
    """
    slack = 0.5 * 10**-DECIMALS + 1e-9
    return all(
        -slack <= x <= width + slack and -slack <= y <= height + slack
        for x, y in outline_of(region)
    )


def crosses_itself(outline: Outline) -> bool:
    """Whether two edges of a polygon meet anywhere but where one follows the other.

    Edges are looked at from left to right, so that only those above each other are compared.
    """
    count = len(outline)
    edges = [(outline[at], outline[(at + 1) % count], at) for at in range(count)]
    edges.sort(key=lambda edge: min(edge[0][0], edge[1][0]))
    for place, (a, b, first) in enumerate(edges):
        right = max(a[0], b[0])
        for c, d, second in edges[place + 1 :]:
            if min(c[0], d[0]) > right:
                break
            if (first - second) % count in {1, count - 1}:
                if _folds_back(outline, first, second):
                    return True
            elif _meet(a, b, c, d):
                return True
    return False


def _folds_back(outline: Outline, first: int, second: int) -> bool:
    """Whether two edges that follow each other lie on top of one another, or one has no length."""
    count = len(outline)
    start, shared = (first, second) if (first + 1) % count == second else (second, first)
    a, b, c = outline[start], outline[shared], outline[(shared + 1) % count]
    if _side(a, b, c) != 0:
        return False
    ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return ahead <= 0


def _side(a: Corner, b: Corner, c: Corner) -> int:
    turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (turn > 0) - (turn < 0)


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether the stretches ab and cd share a point, their ends included."""
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    one, two = _side(a, b, c), _side(a, b, d)
    three, four = _side(c, d, a), _side(c, d, b)
    if one != two and three != four:
        return True
    touching = ((one, a, b, c), (two, a, b, d), (three, c, d, a), (four, c, d, b))
    return any(side == 0 and _between(s, e, p) for side, s, e, p in touching)


def _between(start: Corner, end: Corner, point: Corner) -> bool:
    return all(
        min(start[axis], end[axis]) <= point[axis] <= max(start[axis], end[axis]) for axis in (0, 1)
    )


def overlap(first: Json, second: Json) -> float:
    """Intersection over union of two boxes or polygons, 0..1.

    Exact for two boxes; else measured along 256 lines across both, to about one per cent.
    """
    if first["kind"] == second["kind"] == "box":
        return box_overlap(bounds(first), bounds(second))
    if box_overlap(bounds(first), bounds(second)) == 0.0:
        return 0.0
    return _scanned(outline_of(first), outline_of(second))


def box_overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    across = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    down = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def _scanned(first: Outline, second: Outline) -> float:
    top = min(corner[1] for outline in (first, second) for corner in outline)
    bottom = max(corner[1] for outline in (first, second) for corner in outline)
    shared = joined = 0.0
    for number in range(SCANLINES):
        y = top + (bottom - top) * (number + 0.5) / SCANLINES
        one, two = _crossings(first, y), _crossings(second, y)
        both = sum(
            max(0.0, min(b, d) - max(a, c))
            for a, b in zip(one[::2], one[1::2], strict=False)
            for c, d in zip(two[::2], two[1::2], strict=False)
        )
        shared += both
        joined += _length(one) + _length(two) - both
    return shared / joined if joined else 0.0


def _length(crossings: list[float]) -> float:
    return sum(b - a for a, b in zip(crossings[::2], crossings[1::2], strict=False))


def _crossings(outline: Outline, y: float) -> list[float]:
    """Where a line at this height enters and leaves a polygon, from left to right."""
    found = []
    for at, (x1, y1) in enumerate(outline):
        x2, y2 = outline[(at + 1) % len(outline)]
        if (y1 <= y) != (y2 <= y):
            found.append(x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return sorted(found)
