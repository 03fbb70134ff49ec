"""JSON documents out of a byte stream, one at a time, in memory bounded by the largest of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from marketplace.errors import Fault

CHUNK_BYTES = 64 * 1024
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_NO_JSON = "This is not JSON: it must begin with { or [."
_TOO_LONG = "This object is longer than {:,} bytes. Shorten it."


class Readable(Protocol):
    """Anything that gives up to `size` bytes, and none at its end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Row(NamedTuple):
    """One document. number: from 1; content: its bytes, or what is wrong with it; end: the
    offset of the first byte after it."""

    number: int
    content: bytes | Fault
    end: int = 0


@dataclass(slots=True)
class _Scan:
    """Where in the JSON the scanner stands."""

    most: int
    held: bytearray = field(default_factory=bytearray)
    depth: int = 0
    outer: int | None = None
    """The depth at which documents stand: 1 inside a list, 0 where they stand by themselves."""
    in_text: bool = False
    escaped: bool = False
    too_long: bool = False

    @property
    def within(self) -> bool:
        return self.outer is not None and self.depth > self.outer

    def opens(self, sign: bytes) -> bool:
        """One level down; whether a document begins here."""
        if self.outer is None:
            self.outer = int(sign == b"[")
        self.depth += 1
        return self.depth == self.outer + 1

    def closes(self) -> bool:
        """One level up; whether a document ends here."""
        outer = self.outer or 0
        self.depth = max(0, self.depth - 1)
        if self.depth < outer:
            self.outer = None
        return self.depth == outer and self.outer is not None

    def hold(self, piece: bytes) -> None:
        if len(self.held) + len(piece) > self.most:
            self.too_long = True
            self.held.clear()
        elif not self.too_long:
            self.held += piece

    def taken(self) -> bytes | Fault:
        content = Fault("", _TOO_LONG.format(self.most)) if self.too_long else bytes(self.held)
        self.held.clear()
        self.too_long = False
        return content


def documents(
    stream: Readable, *, most: int = DOCUMENT_BYTES_MAX, after: Row | None = None
) -> Iterator[Row]:
    """The elements of a list, or the objects of a stream that has them one after another.

    most: bytes of one document; a longer one is a Fault, and reading goes on behind it. A file
    that ends inside a document ends with a Fault. after: the last one read earlier, where the
    stream starts now.
    """
    scan = _Scan(most)
    number, offset = (after.number, after.end) if after else (0, 0)
    for chunk, skipped in _chunks(stream, first=after is None):
        offset += skipped
        if after and scan.outer is None and chunk.lstrip()[:1] in (b",", b"]"):
            # What follows a comma stands in the list whose beginning was read earlier.
            scan.outer = scan.depth = 1
        if scan.outer is None and not chunk.lstrip().startswith((b"[", b"{")):
            if chunk.strip():
                yield Row(number + 1, Fault("", _NO_JSON), offset)
                return
            offset += len(chunk)
            continue
        for end in _ends(scan, chunk):
            number += 1
            yield Row(number, scan.taken(), offset + end)
        offset += len(chunk)
    if scan.within:
        advice = "The file ends in the middle of this object. Send the whole file."
        yield Row(number + 1, Fault("", advice), offset)
    elif number == 0 and after is None:
        yield Row(1, Fault("", "The file holds no objects."), offset)


def _ends(scan: _Scan, chunk: bytes) -> Iterator[int]:
    """Where documents end in a chunk; each is held when its end is given."""
    at = kept = 0
    if scan.escaped:
        at, scan.escaped = 1, False
    while match := (_INSIDE if scan.in_text else _OUTSIDE).search(chunk, at):
        sign, at = match[0], match.end()
        if sign == b"\\":
            scan.escaped = at == len(chunk)
            at += 1
        elif sign == b'"':
            scan.in_text = not scan.in_text
        elif sign in b"{[":
            if scan.opens(sign):
                kept = match.start()
        elif scan.closes():
            scan.hold(chunk[kept:at])
            yield at
            kept = at
    if scan.within:
        scan.hold(chunk[kept:])


def lines(
    stream: Readable, *, most: int = DOCUMENT_BYTES_MAX, after: Row | None = None
) -> Iterator[Row]:
    """The lines that are not blank; one longer than `most` bytes is a Fault.

    after: the last one read earlier, where the stream starts now.
    """
    held, skipping = b"", False
    number, offset = (after.number, after.end) if after else (0, 0)
    for chunk, skipped in _chunks(stream, first=after is None):
        offset += skipped
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            number += 1
            offset += len(part) + 1
            line = _line(held + part, most, skipping)
            held, skipping = b"", False
            if line:
                yield Row(number, line, offset)
        offset += len(rest)
        skipping = skipping or len(held) + len(rest) > most
        held = b"" if skipping else held + rest
    if last := _line(held, most, skipping):
        yield Row(number + 1, last, offset)


def _line(content: bytes, most: int, skipping: bool) -> bytes | Fault:
    if skipping or len(content) > most:
        return Fault("", f"This line is longer than {most:,} bytes. Shorten it.")
    return content.strip()


def _chunks(stream: Readable, *, first: bool) -> Iterator[tuple[bytes, int]]:
    """The chunks, the first without a byte order mark, and how many bytes were dropped before."""
    while chunk := stream.read(CHUNK_BYTES):
        marked = first and chunk.startswith(_BOM)
        yield chunk[len(_BOM) :] if marked else chunk, len(_BOM) if marked else 0
        first = False
