"""Pascal VOC: one XML document for each image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, line_of
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import LINE_LIMIT_BYTES, Line
from marketplace.tasktypes.images import NotVoc, voc_item


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """The one item of a document."""
    if after is not None:
        return
    with closing(source.open()) as stream:
        content = stream.read(LINE_LIMIT_BYTES + 1)
    yield Line(1, _item(content, reading), len(content))


def _item(content: bytes, reading: Reading) -> bytes | Fault:
    if len(content) > LINE_LIMIT_BYTES:
        return Fault("", f"This document is longer than {LINE_LIMIT_BYTES:,} bytes.")
    try:
        row = voc_item(content, gold=reading.labels is Labels.GOLD)
    except NotVoc as wrong:
        return Fault("", str(wrong))
    if reading.labels is Labels.LEAVE:
        row.pop("prelabels", None)
    return line_of(row)


def fits(head: Head) -> bool:
    """XML whose outermost element is an annotation."""
    text = head.text
    while text.startswith((b"<?", b"<!--")):
        text = text.partition(b">")[2].lstrip()
    return text.startswith(b"<annotation")


VOC = Kind(
    key=ImportKind.VOC,
    title="Pascal VOC",
    told="Each document becomes an image to mark, with its boxes.",
    fits=fits,
    lines=lines,
    task_types=frozenset({"regions"}),
    labels=(Labels.PRELABELS, Labels.GOLD, Labels.LEAVE),
)
