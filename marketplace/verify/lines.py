"""Comparing two lists of digests: which lines were altered, taken out, added or moved."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from marketplace.verify.report import Kind
from marketplace.verify.seal import DIGEST_BYTES

COMPARED_MAX = 5_000_000  # Of both sides; each takes some hundred bytes of memory.


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a line. line: in the file as it is, or, of a missing one, as it was; was: the
    line that a moved or doubled one is as it was written, None where that is not known."""

    kind: Kind
    line: int
    was: int | None = None


class Digests:
    """Digests of equal length, kept side by side: 16 bytes a line, whatever the line holds."""

    def __init__(self, packed: bytes = b"") -> None:
        self._packed = bytearray(packed)

    def __len__(self) -> int:
        return len(self._packed) // DIGEST_BYTES

    def __getitem__(self, place: int) -> bytes:
        return bytes(self._packed[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digests) and self._packed == other._packed

    __hash__ = None  # type: ignore[assignment]  # It grows.

    def add(self, digests: bytes) -> None:
        """Take one digest, or several side by side."""
        self._packed += digests

    @property
    def packed(self) -> bytes:
        """All of them, side by side."""
        return bytes(self._packed)


def changes(stated: Digests, found: Digests) -> Iterator[Change]:
    """What became of each line that is not where it was, in the order of the file as it is.

    Lines that stayed in their order are the longest such run; between two of them, lines that
    nobody wrote stand for as many that are gone: those were altered. Where more than five million
    differ, only the first is told, as altered.
    """
    if stated == found:
        return
    start, end = _same_ends(stated, found)
    if len(stated) + len(found) - 2 * (start + end) > COMPARED_MAX:
        yield Change(Kind.ALTERED, start + 1)
        return
    before = [stated[at] for at in range(start, len(stated) - end)]
    after = [found[at] for at in range(start, len(found) - end)]
    places = _places(before, after)
    kept = _in_order(places)
    yield from _between(places, kept, len(before), start, _first_places(stated))


def _same_ends(stated: Digests, found: Digests) -> tuple[int, int]:
    shorter = min(len(stated), len(found))
    start = 0
    while start < shorter and stated[start] == found[start]:
        start += 1
    end = 0
    while end < shorter - start and stated[len(stated) - 1 - end] == found[len(found) - 1 - end]:
        end += 1
    return start, end


def _places(before: Sequence[bytes], after: Sequence[bytes]) -> list[tuple[int | None, bytes]]:
    """For each line as it is, where it stood, each place given once; None where it is new."""
    free: dict[bytes, deque[int]] = defaultdict(deque)
    for place, digest in enumerate(before):
        free[digest].append(place)
    return [(free[each].popleft() if free.get(each) else None, each) for each in after]


def _in_order(places: Sequence[tuple[int | None, bytes]]) -> set[int]:
    """The indexes of the longest run of lines that are still in their order."""
    ends: list[int] = []  # The smallest last place of a run of each length,
    holders: list[int] = []  # and the line that it ends with.
    former: dict[int, int | None] = {}
    for index, (place, _) in enumerate(places):
        if place is None:
            continue
        length = bisect_left(ends, place)
        former[index] = holders[length - 1] if length else None
        if length == len(ends):
            ends.append(place)
            holders.append(index)
        else:
            ends[length], holders[length] = place, index
    kept: set[int] = set()
    at = holders[-1] if holders else None
    while at is not None:
        kept.add(at)
        at = former[at]
    return kept


def _first_places(stated: Digests) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for place in range(len(stated)):
        found.setdefault(stated[place], place)
    return found


def _between(
    places: Sequence[tuple[int | None, bytes]],
    kept: set[int],
    total: int,
    start: int,
    known: dict[bytes, int],
) -> Iterator[Change]:
    standing = {place for place, _ in places if place is not None}
    strange: list[int] = []
    reached = 0  # Lines as they were, up to here, are spoken of.
    for index, (place, digest) in enumerate([*places, (total, b"")]):
        line = start + index + 1
        last = index == len(places)
        if place is not None and (last or index in kept):
            gone = [at for at in range(reached, place) if at not in standing]
            yield from _paired(strange, gone, start)
            strange, reached = [], place + 1
        elif place is not None:
            yield Change(Kind.REORDERED, line, start + place + 1)
        elif digest in known:
            yield Change(Kind.ADDED, line, known[digest] + 1)
        else:
            strange.append(line)


def _paired(strange: Sequence[int], gone: Sequence[int], start: int) -> Iterator[Change]:
    """Lines that nobody wrote, beside those that are gone from the same place."""
    both = min(len(strange), len(gone))
    for line, was in zip(strange[:both], gone[:both], strict=True):
        yield Change(Kind.ALTERED, line, start + was + 1)
    for line in strange[both:]:
        yield Change(Kind.ADDED, line)
    for was in gone[both:]:
        yield Change(Kind.MISSING, start + was + 1)
