"""Marks on a text as the server draws them, for who reads what somebody else has marked.

The workbench draws the same marks by script; here a text is cut where marks begin and end, and
each piece says which of them lie over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from marketplace.tasktypes import Json

TONES = 8


@dataclass(frozen=True, slots=True)
class Over:
    """A mark over a piece. tone: its label's colour; begins, ends: whether it does in the piece."""

    label: str
    tone: int
    begins: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text under the same marks, the widest first."""

    text: str
    marks: tuple[Over, ...]


def marked(text: str, spans: Sequence[Json], labels: Sequence[str] = ()) -> list[Piece]:
    """The text in pieces; spans are {start, end, label}, offsets in code points.

    labels: the order that gives each label its colour; others come after them.
    """
    lying = sorted(
        (each for each in spans if 0 <= each["start"] < each["end"] <= len(text)),
        key=lambda each: (each["start"], -each["end"]),
    )
    order = list(dict.fromkeys([*labels, *(each["label"] for each in lying)]))
    tones = {label: number % TONES for number, label in enumerate(order)}
    cuts = {0, len(text)} | {each[side] for each in lying for side in ("start", "end")}
    edges = sorted(cuts)
    pieces = []
    over: list[Json] = []
    coming = iter([*lying, None])
    following = next(coming)
    for start, end in pairwise(edges):
        over = [each for each in over if each["end"] > start]
        while following is not None and following["start"] == start:
            over.append(following)
            following = next(coming)
        marks = [
            Over(each["label"], tones[each["label"]], each["start"] == start, each["end"] == end)
            for each in over
        ]
        pieces.append(Piece(text[start:end], tuple(marks)))
    return pieces
