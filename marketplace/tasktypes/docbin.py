"""spaCy's DocBin, written without spaCy: texts cut into tokens, and blobs of many of them.

Source: spaCy 3's `DocBin`: MessagePack under zlib, with the numbers of `spacy_strings`. Tokens are
words and signs, cut further wherever a span begins or ends; put together they are the text again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from struct import pack
from typing import Any

import ormsgpack

from marketplace.tasktypes.exports import ExportRow, line
from marketplace.tasktypes.packing import LEVEL, Kept
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.spacy_strings import SYMBOLS, number_of
from marketplace.tasktypes.spans_score import extent, tokens, without_overlap

GROUP = "sc"  # spaCy's own default key of a span group.
DOCS_MAX, TOKENS_MAX = 10_000, 1_000_000
ATTRIBUTES = [SYMBOLS[name] for name in ("ORTH", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID")]
INSIDE, OUTSIDE, BEGINS = 1, 2, 3
INDEX = "data.jsonl"


@dataclass(frozen=True, slots=True)
class Token:
    """A token by its extent in the text; spaced: a blank follows that belongs to it."""

    start: int
    end: int
    spaced: bool


def cut(text: str, spans: Sequence[Json]) -> list[Token]:
    """All of a text as tokens, so that each span begins with one and ends with one."""
    starts = {extent(span)[0] for span in spans}
    ends = {extent(span)[1] for span in spans}
    found: list[Token] = []
    at = 0
    for start, end in [*tokens(text, spans), (len(text), len(text))]:
        if at < start and found and text[at] == " " and at not in starts and at + 1 not in ends:
            found[-1] = Token(found[-1].start, found[-1].end, spaced=True)
            at += 1
        inner = (each for each in range(at + 1, start) if each in starts or each in ends)
        edges = [at, *inner, start] if at < start else []
        found += [Token(*edge, spaced=False) for edge in pairwise(edges)]
        if start < end:
            found.append(Token(start, end, spaced=False))
        at = end
    return found


def doc_row(external_id: str, text: str, judgement: Json, cats: Sequence[str]) -> ExportRow:
    """A judged text by tokens; cats: every label that a whole text may have."""
    spans = judgement["spans"]
    cut_up = cut(text, spans)
    first = {token.start: number for number, token in enumerate(cut_up)}
    last = {token.end: number for number, token in enumerate(cut_up, 1)}

    def placed(span: Json) -> list[Any]:
        start, end = extent(span)
        return [first[start], last[end], str(span["label"]), str(span.get("kb_id", ""))]

    return {
        "id": external_id,
        "text": text,
        "words": [text[token.start : token.end] for token in cut_up],
        "spaces": [token.spaced for token in cut_up],
        "entities": [placed(span) for span in without_overlap(spans)[0]],
        "spans": [[*placed(span), *extent(span)] for span in spans],
        "cats": {name: float(name in judgement["cats"]) for name in cats},
    }


@dataclass(slots=True)
class Blob:
    """Some texts on their way into one DocBin."""

    tokens: list[bytes] = field(default_factory=list)
    spaces: list[bytes] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    strings: set[str] = field(default_factory=lambda: {""})
    cats: list[Json] = field(default_factory=list)
    groups: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.lengths) >= DOCS_MAX or self.size >= TOKENS_MAX

    def add(self, row: ExportRow) -> None:
        words = row["words"]
        marked = [(OUTSIDE, "", "")] * len(words)
        for start, end, label, known_as in row["entities"]:
            marked[start:end] = [(INSIDE, label, known_as)] * (end - start)
            marked[start] = (BEGINS, label, known_as)
        numbers: list[int] = []
        for word, (place, label, known_as) in zip(words, marked, strict=True):
            numbers += (number_of(word), place, number_of(label), number_of(known_as))
        self.tokens.append(pack(f"<{len(numbers)}Q", *numbers))
        self.spaces.append(bytes(row["spaces"]))
        self.lengths.append(len(words))
        self.strings.update(words, *(each[2:4] for each in row["spans"]))
        self.cats.append(row["cats"])
        self.groups.append(group_of(row["spans"]))
        self.size += len(words)

    def content(self) -> bytes:
        """The file; the same texts give the same bytes."""
        said = {
            "version": "0.1",
            "attrs": ATTRIBUTES,
            "tokens": b"".join(self.tokens),
            "spaces": b"".join(self.spaces),
            "lengths": pack(f"<{len(self.lengths)}i", *self.lengths),
            "strings": sorted(self.strings),
            "cats": self.cats,
            "flags": [{"has_unknown_spaces": False}] * len(self.lengths),
            "span_groups": self.groups,
        }
        return zlib.compress(ormsgpack.packb(said), LEVEL)


def group_of(spans: Sequence[Sequence[Any]]) -> bytes:
    """All spans of a text as a group of spaCy's."""
    packed_spans = [
        pack(">QQQllll", 0, number_of(known_as), number_of(label), first, after, start, end)
        for first, after, label, known_as, start, end in spans
    ]
    group = ormsgpack.packb({"name": GROUP, "attrs": {}, "spans": packed_spans})
    return ormsgpack.packb({group: [GROUP]}, option=ormsgpack.OPT_NON_STR_KEYS)


def packed(rows: Iterable[ExportRow]) -> Iterator[tuple[str, bytes]]:
    """The members of the ZIP: blobs, and a list that says which text of which is which item."""
    blob, number, index = Blob(), 1, Kept()
    for row in rows:
        if blob.full:
            yield name_of(number), blob.content()
            blob, number = Blob(), number + 1
        index.add(line({"file": name_of(number), "number": len(blob.lengths), "id": row["id"]}))
        blob.add(row)
    if blob.lengths:
        yield name_of(number), blob.content()
    yield INDEX, b"".join(index.pieces())


def name_of(number: int) -> str:
    return f"part-{number:05}.spacy"
