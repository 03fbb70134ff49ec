"""Which regions of two people are the same finding, and how far two sets of them agree."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from marketplace.tasktypes.images.geometry import bounds, overlap
from marketplace.tasktypes.shapes import Json

OVERLAP_MIN = 0.5
POINT_PIXELS = 10.0


def matches(
    first: Sequence[Json], second: Sequence[Json], *, point_pixels: float = POINT_PIXELS
) -> list[tuple[int, int, float]]:
    """Pairs (place in first, place in second, likeness) of regions that mean the same.

    The best pair is taken first, and nobody twice: boxes and polygons that overlap by half or
    more (likeness: intersection over union), points at most `point_pixels` apart (likeness 1).
    Labels are the caller's matter.
    """
    found = sorted(_alike(first, second, point_pixels), key=lambda pair: (-pair[2], pair[:2]))
    taken: tuple[set[int], set[int]] = set(), set()
    pairs = []
    for one, two, likeness in found:
        if one not in taken[0] and two not in taken[1]:
            taken[0].add(one)
            taken[1].add(two)
            pairs.append((one, two, likeness))
    return pairs


def _alike(
    first: Sequence[Json], second: Sequence[Json], point_pixels: float
) -> Iterable[tuple[int, int, float]]:
    """Likely pairs: of all that could touch, since most regions are far from each other."""
    boxes = sorted((*bounds(region), at) for at, region in enumerate(second))
    starts = [box[0] for box in boxes]
    widest = max((box[2] for box in boxes), default=0.0) + point_pixels
    for one, region in enumerate(first):
        left, _, width, _ = bounds(region)
        for x, _, _, _, two in boxes[bisect_left(starts, left - widest) :]:
            if x > left + width + point_pixels:
                break
            likeness = _likeness(region, second[two], point_pixels)
            if likeness >= OVERLAP_MIN:
                yield one, two, likeness


def _likeness(first: Json, second: Json, point_pixels: float) -> float:
    points = (first["kind"] == "point") + (second["kind"] == "point")
    if points == 1:
        return 0.0
    if points == 2:
        apart = math.dist(first["points"][0], second["points"][0])
        return 1.0 if apart <= point_pixels else 0.0
    return overlap(first, second)


def agreement(
    judged: Sequence[Json], gold: Sequence[Json], *, point_pixels: float = POINT_PIXELS
) -> float | None:
    """The mean over labels of F1 of matched regions, 0..1; None where neither marks anything."""
    labels = sorted({region["label"] for region in (*judged, *gold)})
    if not labels:
        return None
    scores = []
    for label in labels:
        mine = [region for region in judged if region["label"] == label]
        theirs = [region for region in gold if region["label"] == label]
        same = len(matches(mine, theirs, point_pixels=point_pixels))
        scores.append(2 * same / (len(mine) + len(theirs)))
    return sum(scores) / len(scores)
