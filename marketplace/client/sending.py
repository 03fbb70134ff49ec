"""Items on their way up: in pieces, from whatever holds them, one piece in memory at a time."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeAlias

from marketplace.client.errors import MarketplaceError
from marketplace.client.records import Json, Record, encoded

PIECE_BYTES = 8 * 1024 * 1024
REJECTED_KEPT_MAX = 10_000

Line: TypeAlias = bytes | str | Mapping[str, Any]
Source: TypeAlias = str | os.PathLike[str] | IO[bytes] | Iterable[Line] | AsyncIterable[Line]
Progress: TypeAlias = Callable[[int], object]


@dataclass(slots=True)
class ItemsReport:
    """What became of the lines that were sent.

    accepted: new items; duplicates: lines whose item was there already; rows_rejected: lines that
    cannot be used; rejected: their faults (line, pointer, message, external_id), the first 10,000;
    lines_sent, bytes_sent: all that the API has answered for, blank lines included.
    """

    accepted: int = 0
    duplicates: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    rejected: list[Json] = field(default_factory=list)
    lines_sent: int = 0
    bytes_sent: int = 0

    def __enter__(self) -> ItemsReport:
        return self

    def __exit__(self, kind: object, broken: BaseException | None, trace: object) -> None:
        """Tell whatever breaks an upload off how far it had come."""
        if broken is None:
            return
        if isinstance(broken, MarketplaceError):
            broken.report = self
        broken.add_note(
            f"{self.lines_sent} lines had arrived. Send all of them again to go on: items that are "
            "there already count as duplicates."
        )

    @property
    def raw(self) -> Json:
        """As the API says it of one request."""
        names = ("accepted", "duplicates", "rows_read", "rows_rejected", "rejected")
        return {name: getattr(self, name) for name in names}

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    def add(self, answer: Mapping[str, Any], lines: int, size: int) -> None:
        """Count the answer to one piece; its line numbers become those of the whole."""
        for name in ("accepted", "duplicates", "rows_read", "rows_rejected"):
            setattr(self, name, getattr(self, name) + answer[name])
        for fault in answer["rejected"][: max(0, REJECTED_KEPT_MAX - len(self.rejected))]:
            self.rejected.append(fault | {"line": fault["line"] + self.lines_sent})
        self.lines_sent += lines
        self.bytes_sent += size


@contextmanager
def opened(source: Source) -> Iterator[Iterable[Line] | AsyncIterable[Line]]:
    """The lines of a source; a path is opened (`.gz` unpacked on the way) and closed."""
    if isinstance(source, bytes | bytearray | Mapping | Record):
        raise TypeError("One item, or the content of a file, is no source: put it into a list.")
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield file
    else:
        yield source


async def pieces(
    lines: Iterable[Line] | AsyncIterable[Line], limit: int
) -> AsyncIterator[tuple[bytes, int]]:
    """Whole lines in pieces of at most `limit` bytes, with their count; longer lines go alone."""
    piece: list[bytes] = []
    size = 0
    async for line in _each(lines):
        written = _written(line)
        if piece and size + len(written) > limit:
            yield b"".join(piece), len(piece)
            piece, size = [], 0
        piece.append(written)
        size += len(written)
    if piece:
        yield b"".join(piece), len(piece)


async def _each(lines: Iterable[Line] | AsyncIterable[Line]) -> AsyncIterator[Line]:
    if isinstance(lines, AsyncIterable):
        async for line in lines:
            yield line
    else:
        for line in lines:
            yield line


def _written(line: Line) -> bytes:
    if isinstance(line, Mapping | Record):
        return encoded(line) + b"\n"
    if not isinstance(line, str | bytes):
        raise TypeError(f"A line is a mapping, a text or bytes, and no {type(line).__name__}.")
    whole = line.encode() if isinstance(line, str) else line
    return whole if whole.endswith(b"\n") else whole + b"\n"


class Counted(io.FileIO):
    """A file that tells how far it was read."""

    def __init__(self, path: str | os.PathLike[str], progress: Progress | None) -> None:
        super().__init__(path, "rb")
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file reads, telling the place after it."""
        piece = super().read(-1 if size is None else size)
        if self._progress is not None:
            self._progress(self.tell())
        return piece or b""
