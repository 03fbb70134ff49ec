"""Archives: many files at once, some of them images that the items of others name.

A zip file and the files under a prefix of a bucket are read alike: in the order of their names,
each file by the kind that its content shows. Nothing is ever unpacked to a disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Protocol

import orjson

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.images import BYTES_MAX
from marketplace.jobs.rules.imports import HEAD_BYTES, Head, Reading, item, kind_of
from marketplace.jobs.rules.imports.contract import suffix
from marketplace.jobs.rules.ndjson import Line

ENTRIES_MAX = 100_000
IMAGE_SUFFIXES = (*("png", "jpg", "jpeg", "jpe", "tif", "tiff"), *("gif", "bmp", "webp", "dcm"))
DATA_SUFFIXES = ("json", "jsonl", "ndjson", "csv", "tsv", "xml", "parquet", "traj")
PICTURES = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    *(b"GIF8", b"BM", b"RIFF"),
)
# What systems leave behind in folders and archives.
LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini", ".git/", ".ipynb_checkpoints/")
SHOWS_IMAGES = "regions"
# What is packed in an unknown way is a RuntimeError, too.
BROKEN = (OSError, EOFError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive. size: unpacked, in bytes; fault: why it cannot be read."""

    name: str
    size: int
    fault: str | None = None


class Bundle(Protocol):
    """An archive that is open. `open` raises one of `BROKEN`, or Faulty, for what is damaged."""

    def entries(self) -> Sequence[Entry]:
        """Its files, by name; Faulty for more than `ENTRIES_MAX`."""

    def open(self, name: str, offset: int = 0) -> IO[bytes]:
        """One file from `offset` on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on. file: the last one that was read whole; number, end: of the last
    line that was stored of the file behind it."""

    file: str | None = None
    number: int = 0
    end: int = 0

    @property
    def line(self) -> Line | None:
        return Line(self.number, b"", self.end) if self.number else None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an archive: a line, an image, or the end of a file, whose size is `passed`."""

    file: str
    line: Line | None = None
    picture: bytes | None = None
    name: str = ""
    passed: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive, as readers see a file."""

    bundle: Bundle
    name: str
    size: int | None

    def open(self, offset: int = 0) -> IO[bytes]:
        """As the protocol of a source says."""
        return self.bundle.open(self.name, offset)


def pieces(
    bundle: Bundle, reading: Reading, after: Place, *, pictures: bool = True
) -> Iterator[Piece]:
    """All that an archive holds, behind the place where reading stopped.

    pictures: whether images are read; else their pieces hold nothing, for who only looks.
    """
    entries = bundle.entries()
    names = Names.of([each.name for each in entries])
    alone = not any(suffix(each.name) in DATA_SUFFIXES for each in entries)
    behind = after.line
    for entry in entries:
        if after.file is not None and entry.name <= after.file:
            continue
        if not entry.name.endswith("/") and not litter(entry.name):
            shown = _Shown(names, alone=alone, read=pictures)
            yield from _file(bundle, entry, reading, behind, shown)
        behind = None
        yield Piece(entry.name, passed=entry.size)


@dataclass(frozen=True, slots=True)
class _Shown:
    """How images are treated. alone: they are the items; read: what they hold is wanted."""

    names: Names
    alone: bool
    read: bool


def _file(
    bundle: Bundle, entry: Entry, reading: Reading, after: Line | None, shown: _Shown
) -> Iterator[Piece]:
    """The pieces of one file; one that cannot be read is a fault, and the others go on."""
    number = after.number if after else 0
    try:
        if entry.fault is not None:
            raise Faulty(entry.fault)
        with closing(bundle.open(entry.name)) as stream:
            content = stream.read(HEAD_BYTES)
        head = Head(entry.name, content, len(content) < HEAD_BYTES)
        if suffix(entry.name) in IMAGE_SUFFIXES or content.startswith(PICTURES):
            yield from _picture(bundle, entry, reading, shown)
        elif content.startswith(b"PK\x03\x04"):
            raise Faulty("This is an archive in an archive. Unpack it and send it by itself.")
        elif suffix(entry.name) not in DATA_SUFFIXES:
            reading.left["file_that_holds_no_items"] += 1
        else:
            kind = kind_of(head, reading.task_type)
            for line in kind.lines(Part(bundle, entry.name, entry.size), reading, after):
                number = line.number
                yield Piece(entry.name, line=_resolved(line, reading, shown.names))
    except Faulty as faulty:
        yield Piece(entry.name, line=Line(number + 1, Fault("", faulty.message)))
    except BROKEN as broken:
        words = f"This file is damaged: {str(broken)[:120]}."
        yield Piece(entry.name, line=Line(number + 1, Fault("", words)))


def _picture(bundle: Bundle, entry: Entry, reading: Reading, shown: _Shown) -> Iterator[Piece]:
    if reading.task_type != SHOWS_IMAGES:
        raise Faulty(f"A job of the type {reading.task_type} shows no images.")
    if entry.size > BYTES_MAX:
        raise Faulty(f"An image has at most {BYTES_MAX // 2**20} MiB.")
    name = shown.names.by_path[entry.name]
    content = b""
    if shown.read:
        with closing(bundle.open(entry.name)) as stream:
            content = stream.read(BYTES_MAX + 1)
    yield Piece(entry.name, picture=content, name=name)
    if shown.alone:
        yield Piece(entry.name, line=Line(1, item(name, {"image": name})))


def litter(name: str) -> bool:
    """Whether a file is one that nobody meant to send."""
    folders = name.split("/")
    return any(each.rstrip("/") in folders for each in LITTER) or folders[-1].startswith("._")


@dataclass(frozen=True, slots=True)
class Names:
    """What images are called in the job: by their last name, or with folders where two share it.

    Documents name images with their folders or without; the short name fits both.
    """

    by_path: Mapping[str, str]
    stored: frozenset[str]

    @classmethod
    def of(cls, paths: Sequence[str]) -> Names:
        """The names of the images of an archive that has these files."""
        last = {path: path.rsplit("/", 1)[-1] for path in paths}
        images = [path for path in paths if suffix(path) in IMAGE_SUFFIXES]
        often = Counter(last[path] for path in images)
        known = {path: last[path] if often[last[path]] <= 1 else path for path in paths}
        return cls(known, frozenset(known[path] for path in images))

    def found(self, said: str) -> str:
        """How an image is called in the job that a document calls so."""
        if said in self.by_path:
            return self.by_path[said]
        last = said.rsplit("/", 1)[-1]
        return last if last in self.stored else said


def _resolved(line: Line, reading: Reading, names: Names) -> Line:
    """A line whose image is called as it is stored, wherever the document said it lies."""
    if reading.task_type != SHOWS_IMAGES or isinstance(line.content, Fault):
        return line
    try:
        row = orjson.loads(line.content)
        said = row["payload"]["image"].replace("\\", "/").removeprefix("./")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return line
    found = names.found(said)
    if found == row["payload"]["image"]:
        return line
    row["payload"]["image"] = found
    return Line(line.number, orjson.dumps(row), line.end)
