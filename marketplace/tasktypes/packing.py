"""Several files as one: a ZIP that is written as it grows and that has no times in it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from struct import pack

LEVEL = 6
# A ZIP counts in 16 and 32 bits; what is more is told in the records of ZIP64.
MANY, LARGE = 0xFFFF, 0xFFFFFFFF
# The first moment that a ZIP can name, 1 January 1980: nothing in a file says when it was written.
LONG_AGO = (0, 0x21)
ZIP64, DEFLATED, UTF8_NAMES = 45, 8, 0x800
MADE_ON_UNIX = 3 << 8
READABLE = 0o100644 << 16


class Kept:
    """Bytes that are needed again at the end, pressed together meanwhile."""

    def __init__(self) -> None:
        self._press = zlib.compressobj(LEVEL)
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, content: bytes) -> None:
        self.size += len(content)
        self._parts.append(self._press.compress(content))

    def pieces(self) -> Iterator[bytes]:
        """All of it in order; nothing can be added afterwards."""
        self._parts.append(self._press.flush())
        release = zlib.decompressobj()
        for part in self._parts:
            yield release.decompress(part)
        yield release.flush()


def zipped(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A ZIP of `(name, content)`, file by file; the same members give the same bytes.

    Each member is in memory once, and of those before it only what the directory at the end says
    of them, pressed together. A member may hold 4 GB.
    """
    directory = Kept()
    at = number = 0
    for name, content in members:
        head, body, entry = _member(name, content, at)
        yield head
        yield body
        directory.add(entry)
        at += len(head) + len(body)
        number += 1
    yield from directory.pieces()
    yield _end(number, directory.size, at)


def _member(name: str, content: bytes, at: int) -> tuple[bytes, bytes, bytes]:
    """What stands before a member, the member, and its entry in the directory."""
    body = zlib.compress(content, LEVEL, -zlib.MAX_WBITS)
    called = name.encode()
    time, day = LONG_AGO
    facts = pack(
        "<HHHHIIIHH",
        UTF8_NAMES,
        DEFLATED,
        time,
        day,
        zlib.crc32(content),
        len(body),
        len(content),
        len(called),
        0,
    )
    head = b"PK\x03\x04" + pack("<H", ZIP64) + facts + called
    further = b"" if at < LARGE else pack("<HHQ", 1, 8, at)
    entry = (
        b"PK\x01\x02"
        + pack("<HH", MADE_ON_UNIX | ZIP64, ZIP64)
        + facts[:-2]
        + pack("<HHHHII", len(further), 0, 0, 0, READABLE, min(at, LARGE))
        + called
        + further
    )
    return head, body, entry


def _end(number: int, size: int, at: int) -> bytes:
    """The records at the end: where the directory begins, how long it is, how many it names."""
    end = b""
    if number >= MANY or at >= LARGE or size >= LARGE:
        counted = pack("<QQQQ", number, number, size, at)
        end += b"PK\x06\x06" + pack("<QHHII", 44, MADE_ON_UNIX | ZIP64, ZIP64, 0, 0) + counted
        end += b"PK\x06\x07" + pack("<IQI", 0, at + size, 1)
    few = min(number, MANY)
    return (
        end + b"PK\x05\x06" + pack("<HHHHIIH", 0, 0, few, few, min(size, LARGE), min(at, LARGE), 0)
    )
