"""JSONL of our own: one item a line, `{"external_id": …, "payload": …}`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source
from marketplace.jobs.rules.lifecycle import ImportKind
from marketplace.jobs.rules.ndjson import Line, ndjson_lines


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """The lines as they are, so that payloads are kept letter for letter."""
    del reading
    with closing(source.open(after.end if after else 0)) as stream:
        yield from ndjson_lines(stream, after=after)


def fits(head: Head) -> bool:
    """By the two members that every item has, or by the name of a file that says nothing."""
    if head.json:
        return head.text.startswith(b"{") and {"external_id", "payload"} <= head.first.keys()
    return head.suffix in ("jsonl", "ndjson")


JSONL = Kind(
    key=ImportKind.JSONL,
    title="JSONL",
    told="Each line is an item, as the interface for programs takes it.",
    fits=fits,
    lines=lines,
)
