"""The objects of a JSON file, one at a time, from its beginning or from where reading stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import BOM, HEAD_BYTES, Source
from marketplace.jobs.rules.ndjson import Line, Readable
from marketplace.tasktypes.traces.documents import DOCUMENT_BYTES_MAX, Row, documents, lines

CHUNK_BYTES = 64 * 1024
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_TOO_LONG = f"This object is longer than {DOCUMENT_BYTES_MAX:,} bytes. Shorten it."


def documents_of(source: Source, after: Line | None = None) -> Iterator[Line]:
    """The objects of a JSON list, of JSON lines, or the one object of a file.

    Of lines, a broken one costs only itself. after: the last one read earlier.
    """
    former = Row(*after) if after else None
    read = lines if one_a_line(source) else documents
    with closing(source.open(after.end if after else 0)) as stream:
        for row in read(stream, after=former):
            yield Line(*row)


def one_a_line(source: Source) -> bool:
    """Whether the first line holds an object by itself, as far as its two ends tell."""
    with closing(source.open()) as stream:
        head = stream.read(HEAD_BYTES).removeprefix(BOM).lstrip()
    first = head.partition(b"\n")[0].strip()
    return first.startswith(b"{") and first.endswith(b"}")


@dataclass(slots=True)
class Member:
    """An object inside the outermost one. name: of the member that it is, or stands in a list of;
    alone: it is the member itself; end: offset of the first byte behind it."""

    name: str
    content: bytes | Fault
    alone: bool
    end: int


@dataclass(slots=True)
class _Scan:
    depth: int = 0
    in_text: bool = False
    escaped: bool = False
    in_list: bool = False
    name: str = ""
    naming: bool = False
    within: bool = False
    too_long: bool = False
    held: bytearray = field(default_factory=bytearray)

    def hold(self, piece: bytes) -> None:
        if self.too_long or len(self.held) + len(piece) > DOCUMENT_BYTES_MAX:
            self.too_long = True
            self.held.clear()
        else:
            self.held += piece

    def taken(self) -> bytes | None:
        """What was held, None where it was too much."""
        content = None if self.too_long else bytes(self.held)
        self.held.clear()
        self.too_long = False
        return content

    def opened(self, sign: bytes) -> bool:
        """One level down; whether an object of ours begins here."""
        self.depth += 1
        if self.depth == 2:
            self.in_list = sign == b"["
            self.within = sign == b"{"
            return self.within
        begins = self.depth == 3 and self.in_list and sign == b"{"
        self.within = self.within or begins
        return begins

    def closed(self) -> bool:
        """One level up; whether our object ends here."""
        ends = self.within and self.depth == (3 if self.in_list else 2)
        self.within = self.within and not ends
        self.depth = max(0, self.depth - 1)
        return ends


def members(stream: Readable) -> Iterator[Member]:
    """The objects that an object holds, by themselves or in lists, in memory bounded by one."""
    scan = _Scan()
    offset = 0
    while chunk := stream.read(CHUNK_BYTES):
        length = len(chunk)
        if offset == 0 and chunk.startswith(BOM):
            chunk, offset = chunk.removeprefix(BOM), len(BOM)
            length -= len(BOM)
        yield from _found(scan, chunk, offset)
        offset += length


def _found(scan: _Scan, chunk: bytes, offset: int) -> Iterator[Member]:
    at, kept = int(scan.escaped), 0
    scan.escaped = False
    while match := (_INSIDE if scan.in_text else _OUTSIDE).search(chunk, at):
        sign, at = match[0], match.end()
        if sign == b"\\":
            scan.escaped = at == len(chunk)
            at += 1
        elif sign == b'"':
            scan.in_text = not scan.in_text
            if scan.depth == 1 and scan.in_text:
                scan.naming, kept = True, at
            elif scan.naming:
                scan.hold(chunk[kept : match.start()])
                scan.name = (scan.taken() or b"").decode("utf-8", "replace")
                scan.naming = False
        elif sign in b"{[":
            if scan.opened(sign):
                kept = match.start()
        elif scan.closed():
            scan.hold(chunk[kept:at])
            content = scan.taken()
            whole = Fault("", _TOO_LONG) if content is None else content
            yield Member(scan.name, whole, alone=not scan.in_list, end=offset + at)
    if scan.within or scan.naming:
        scan.hold(chunk[kept:])
