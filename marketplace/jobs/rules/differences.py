"""What is different between two templates, part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happened to a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is different. place: a JSON pointer; before, after: as JSON, "" for none."""

    place: str
    kind: Kind
    before: str
    after: str


_ABSENT = object()
MOST = 200


def differences(before: object, after: object) -> list[Difference]:
    """All parts that are different, in the order of the first; at most 200 of them.

    Rows of lists are told apart by their `key`, `name` or `id` where each has one, so that a row
    that moved is no difference of all that follow.
    """
    found = []
    for each in _walk("", before, after):
        found.append(each)
        if len(found) == MOST:
            break
    return found


def _walk(place: str, before: object, after: object) -> Iterator[Difference]:
    if before == after and type(before) is type(after):
        return
    one, other = _named(before), _named(after)
    if one is None or other is None or type(before) is not type(after):
        yield _told(place, before, after)
        return
    for name in [*one, *(each for each in other if each not in one)]:
        inner = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
        yield from _walk(inner, one.get(name, _ABSENT), other.get(name, _ABSENT))
    if list(one) != list(other) and set(one) == set(other) and isinstance(before, list):
        orders = [json.dumps(list(each), ensure_ascii=False) for each in (one, other)]
        yield Difference(f"{place}: order", Kind.CHANGED, *orders)


def _named(value: object) -> dict[str, object] | None:
    """The parts of an object or of a list by name; None for what has none."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    for key in ("key", "name", "id"):
        names = [row.get(key) if isinstance(row, dict) else None for row in value]
        if value and all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return dict(zip(map(str, names), value, strict=True))
    return {str(at): row for at, row in enumerate(value)}


def _told(place: str, before: object, after: object) -> Difference:
    if before is _ABSENT:
        return Difference(place, Kind.ADDED, "", _said(after))
    if after is _ABSENT:
        return Difference(place, Kind.REMOVED, _said(before), "")
    return Difference(place, Kind.CHANGED, _said(before), _said(after))


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
