"""What became of each element of a value: kept, edited, deleted or added.

An element is a leaf: a text, a number, a flag, an empty list. What is added or deleted with all
that stands in it is one element. Places are JSON pointers: into the new value, and for what is
deleted into the former one.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from marketplace.tasktypes.exports import line
from marketplace.tasktypes.fields import unix_lines
from marketplace.tasktypes.shapes import Json, pointer

Path = tuple[str | int, ...]

ELEMENTS_MAX = 5_000
# Longer lists are held against each other place by place, since alignment takes their product.
ALIGNED_MAX = 400
ABSENT = object()


def edits(before: Any, after: Any, path: Path = (), *, whole: bool = False) -> list[Json]:
    """The elements `{path, op, was}`; `was` stands with edited and deleted ones.

    whole: entries of a list are elements themselves, as messages of a conversation are. A value
    with more than ELEMENTS_MAX elements is one element.
    """
    found = list(islice(_edits(before, after, path, whole), ELEMENTS_MAX + 1))
    if len(found) > ELEMENTS_MAX:
        op = "kept" if same(before, after) else "edited"
        return [element(path, op, before if op == "edited" else ABSENT)]
    return found


def element(path: Path, op: str, was: Any = ABSENT) -> Json:
    found: Json = {"path": pointer([*path]), "op": op}
    return found if was is ABSENT else {**found, "was": was}


def _edits(before: Any, after: Any, path: Path, whole: bool) -> Iterator[Json]:
    if isinstance(before, dict) and isinstance(after, dict) and (before or after):
        yield from _of_objects(before, after, path, whole)
    elif isinstance(before, list) and isinstance(after, list) and (before or after):
        yield from _of_lists(before, after, path, whole)
    elif same(before, after):
        yield element(path, "kept")
    else:
        yield element(path, "edited", before)


def _of_objects(before: Json, after: Json, path: Path, whole: bool) -> Iterator[Json]:
    for key in [*before, *(key for key in after if key not in before)]:
        if key not in after:
            yield element((*path, key), "deleted", before[key])
        elif key not in before:
            yield element((*path, key), "added")
        else:
            yield from _edits(before[key], after[key], (*path, key), whole)


def _of_lists(before: list[Any], after: list[Any], path: Path, whole: bool) -> Iterator[Json]:
    for tag, old, end_old, new, end_new in blocks(before, after):
        paired = min(end_old - old, end_new - new) if tag != "delete" else 0
        for step in range(paired):
            one, other = before[old + step], after[new + step]
            place = (*path, new + step)
            if whole:
                op = "kept" if same(one, other) else "edited"
                yield element(place, op, one if op == "edited" else ABSENT)
            else:
                yield from _edits(one, other, place, whole)
        for at in range(old + paired, end_old):
            yield element((*path, at), "deleted", before[at])
        for at in range(new + paired, end_new):
            yield element((*path, at), "added")


def blocks(before: list[Any], after: list[Any]) -> list[tuple[str, int, int, int, int]]:
    """Stretches of two lists that belong together, as difflib tells them."""
    if max(len(before), len(after)) > ALIGNED_MAX:
        return [("replace", 0, len(before), 0, len(after))]
    keys = [[line({"": canonical(each)}) for each in values] for values in (before, after)]
    return list(SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes())


def same(before: Any, after: Any) -> bool:
    return line({"": canonical(before)}) == line({"": canonical(after)})


def canonical(value: Any) -> Any:
    """The value in the form in which a form brings it back: 2.0 as 2, texts without the white
    space around them, which browsers do not keep."""
    if isinstance(value, str):
        return unix_lines(value).strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if isinstance(value, dict):
        return {key: canonical(each) for key, each in value.items()}
    return value
