"""What changed between two rounds of an answer, field by field; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CHANGES_MAX = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. place: its path in words; before, after: as text, empty where the
    round has no such field; is_text: whether words are worth comparing one by one."""

    place: str
    before: str
    after: str
    is_text: bool


def changes(before: Any, after: Any) -> list[Change]:
    """The fields in which two answers differ, in the order of the later one; at most 200."""
    found = []
    for change in _walk("", before, after):
        found.append(change)
        if len(found) == CHANGES_MAX:
            break
    return found


_ABSENT = object()


def _walk(place: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*after, *(name for name in before if name not in after)]:
            yield from _walk(
                f"{place} / {name}" if place else str(name),
                before.get(name, _ABSENT),
                after.get(name, _ABSENT),
            )
    elif isinstance(before, list) and isinstance(after, list):
        for at in range(max(len(before), len(after))):
            yield from _walk(
                f"{place} {at + 1}",
                before[at] if at < len(before) else _ABSENT,
                after[at] if at < len(after) else _ABSENT,
            )
    else:
        yield from _leaves(place, before, after)


def _leaves(place: str, before: Any, after: Any) -> Iterator[Change]:
    """A field of which one side is no container: its parts, where the other side is one."""
    for empty, side in (({}, dict), ([], list)):
        if isinstance(before, side) and after is _ABSENT:
            yield from _walk(place, before, empty)
            return
        if isinstance(after, side) and before is _ABSENT:
            yield from _walk(place, empty, after)
            return
    words = isinstance(before, str) and isinstance(after, str)
    yield Change(
        place or "answer", _said(before), _said(after), words and " " in f"{before}{after}"
    )


def _said(value: Any) -> str:
    if value is _ABSENT or value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
