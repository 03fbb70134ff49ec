"""Zip files: looked at before they are trusted, read file by file, never unpacked to a disk.

What its own list says is checked before the list is read, since a list may be longer than memory;
a file that unpacks to far more than it takes up is refused, and one whose name climbs out of its
folder, that is a link, or that is encrypted, is passed over with the reason.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO, cast

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.imports.archive import ENTRIES_MAX, Entry

LIST_BYTES_MAX = 12 * 1024 * 1024
NAME_MAX = 500
# What one file may unpack to: this much in any case, and so many times what it takes up.
UNPACKED_FREE = 64 * 1024 * 1024
UNPACKED_TIMES = 200
TOTAL_TIMES = 200
TOTAL_FREE = 2**30
SKIP_BYTES = 64 * 1024
_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_MAX = 65_535
_LOCATOR = b"PK\x06\x07"
_WIDE = b"PK\x06\x06"
_LOCATOR_BYTES, _WIDE_BYTES = 20, 56
TAKEN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def is_zip(content: bytes) -> bool:
    """Whether a file begins as a zip file does; an empty one is nothing but its end."""
    return content.startswith((b"PK\x03\x04", _END))


class Zip:
    """A zip file as a bundle. stream: one that can be wound, kept open by the caller."""

    def __init__(self, stream: IO[bytes]) -> None:
        _check_list(stream)
        stream.seek(0)
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, struct.error) as bad:
            raise _damaged(bad) from None
        self._by_name: dict[str, zipfile.ZipInfo] = {}
        listed = self._zip.infolist()
        if len(listed) > ENTRIES_MAX:
            raise _too_many()
        for each in listed:
            if not each.is_dir():
                self._by_name.setdefault(each.filename, each)

    def entries(self) -> Sequence[Entry]:
        """As the protocol says; Faulty for an archive that unpacks to far too much."""
        listed = self._by_name.values()
        total = sum(each.file_size for each in listed)
        if total > max(TOTAL_FREE, TOTAL_TIMES * sum(each.compress_size for each in listed)):
            raise _refusal("This archive unpacks to far more than it takes up. We do not read it.")
        return [
            Entry(name, each.file_size, _fault(each))
            for name, each in sorted(self._by_name.items())
        ]

    def open(self, name: str, offset: int = 0) -> IO[bytes]:
        """As the protocol says; winding on unpacks what lies before."""
        about = self._by_name[name]
        try:
            stream = cast("IO[bytes]", _Careful(self._zip.open(about), about.file_size))
        except zipfile.BadZipFile as bad:
            raise OSError(str(bad)) from None
        try:
            while offset > 0 and (piece := stream.read(min(offset, SKIP_BYTES))):
                offset -= len(piece)
        except BaseException:
            stream.close()
            raise
        return stream


class _Careful(io.RawIOBase):
    """A file of an archive, whose damage is an OSError wherever it shows."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """As far as a packed file can be: back to its beginning and on from there."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; OSError where what is packed is not what the list says."""
        try:
            return self._stream.read(-1 if size is None else size)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as bad:
            raise OSError(str(bad)) from None

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """To a place; what lies before is unpacked once more where it lies behind us."""
        try:
            return self._stream.seek(offset, whence)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as bad:
            raise OSError(str(bad)) from None

    def tell(self) -> int:
        """How far it was read."""
        return self._stream.tell()

    def close(self) -> None:
        """Close the file in the archive."""
        self._stream.close()
        super().close()


def _check_list(stream: IO[bytes]) -> None:
    """Faulty where the archive's list of files is missing, or longer than we read."""
    size = stream.seek(0, io.SEEK_END)
    start = max(0, size - _END_BYTES - _COMMENT_MAX)
    stream.seek(start)
    tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise _refusal("This zip file is cut short: its list is missing. Send the whole file.")
    count, length = _wide(stream, start + at, *struct.unpack_from("<HI", tail, at + 10))
    if count > ENTRIES_MAX or length > LIST_BYTES_MAX:
        raise _too_many()


def _wide(stream: IO[bytes], end: int, count: int, length: int) -> tuple[int, int]:
    """Number of files and length of the list, as whoever unpacks reads them.

    They go by the new fields wherever there are any, whatever the old ones hold, and find them
    right before the locator; a locator that leads elsewhere is refused.
    """
    place = end - _LOCATOR_BYTES - _WIDE_BYTES
    stream.seek(max(0, end - _LOCATOR_BYTES))
    locator = stream.read(_LOCATOR_BYTES)
    if not locator.startswith(_LOCATOR):
        return count, length
    stream.seek(max(0, place))
    record = stream.read(_WIDE_BYTES)
    told = struct.unpack_from("<Q", locator, 8)[0]
    if place < 0 or told != place or not record.startswith(_WIDE):
        raise _refusal("This zip file is damaged: its list is not where it should be.")
    files, listed = struct.unpack_from("<QQ", record, 32)
    return int(files), int(listed)


def _fault(about: zipfile.ZipInfo) -> str | None:
    """Why a file of an archive is not read, None where it is."""
    name = about.filename
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0] or not name.isprintable():
        return "The name of this file leads out of the archive. Give it a plain one."
    if len(name) > NAME_MAX:
        return f"The name of this file is longer than {NAME_MAX} characters."
    if stat.S_ISLNK(about.external_attr >> 16):
        return "This is a link to another file. Put the file itself into the archive."
    if about.flag_bits & 0x1:
        return "This file is encrypted. Make the archive without a password."
    if about.compress_type not in TAKEN:
        return "This file is packed in a way that we do not read. Make the archive anew."
    if about.file_size > max(UNPACKED_FREE, UNPACKED_TIMES * about.compress_size):
        return "This file unpacks to far more than it takes up. We do not read it."
    return None


def _too_many() -> Faulty:
    return _refusal(f"This archive holds more than {ENTRIES_MAX:,} files. Send it in parts.")


def _refusal(words: str) -> Faulty:
    return Faulty(words, [Fault("/file", words)])


def _damaged(bad: Exception) -> Faulty:
    return _refusal(f"This zip file is damaged: {' '.join(str(bad).split())[:120]}.")
