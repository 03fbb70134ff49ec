"""Files: one folder, or one S3 bucket and prefix, chosen by STORAGE_URL.

A reference is a relative path of plain segments such as `imports/0190…/items.jsonl`. Writing is
atomic: a reference is either whole or not there.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from marketplace.errors import GatewayError, Missing
from marketplace.storage.winding import Piecewise, Wound

_REFERENCE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
CHUNK_BYTES = 1024 * 1024
GONE = "This file is not in the store any more."
NOT_A_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class StorageFailed(GatewayError):
    """The store did not answer as it should."""


class Storage(Protocol):
    """Where files are kept. All calls use the disk or the network: never in a transaction."""

    def put(self, reference: str, source: IO[bytes]) -> int:
        """Store a stream under a reference, replacing what was there; its size in bytes."""

    def open(self, reference: str, *, offset: int = 0) -> IO[bytes]:
        """A stream from `offset` bytes on; Missing when there is no such file."""

    def delete(self, reference: str) -> None:
        """Delete the file; nothing happens when it is gone already."""

    def size(self, reference: str) -> int:
        """The file's size in bytes; Missing when there is no such file."""


def checked(reference: str) -> str:
    """The reference, if it is plain; ValueError for anything that could climb out."""
    if not _REFERENCE.fullmatch(reference):
        raise ValueError(f"{reference!r} is not a plain relative reference.")
    return reference


class Folder:
    """Files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, reference: str) -> Path:
        return self._root / checked(reference)

    def put(self, reference: str, source: IO[bytes]) -> int:
        """As the protocol says; the file appears whole, by renaming."""
        path = self._path(reference)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as out:
            try:
                shutil.copyfileobj(source, out, CHUNK_BYTES)
                out.flush()
                os.fsync(out.fileno())
            except BaseException:
                Path(out.name).unlink(missing_ok=True)
                raise
        Path(out.name).replace(path)
        return path.stat().st_size

    def open(self, reference: str, *, offset: int = 0) -> IO[bytes]:
        """As the protocol says."""
        try:
            stream = self._path(reference).open("rb")
        except NOT_A_FILE:
            raise Missing(GONE) from None
        stream.seek(offset)
        return stream

    def delete(self, reference: str) -> None:
        """As the protocol says."""
        with contextlib.suppress(NotADirectoryError):
            self._path(reference).unlink(missing_ok=True)

    def size(self, reference: str) -> int:
        """As the protocol says."""
        try:
            found = self._path(reference).stat()
        except NOT_A_FILE:
            raise Missing(GONE) from None
        if not stat.S_ISREG(found.st_mode):
            raise Missing(GONE)
        return found.st_size


class _Stored(Wound):
    """A file of a store that only reads on."""

    def __init__(self, storage: Storage, reference: str, at: int) -> None:
        super().__init__(at)
        self._storage, self._reference = storage, reference

    def begin(self, at: int) -> Piecewise:
        """As the store gives it."""
        return self._storage.open(self._reference, offset=at)

    def whole(self) -> int:
        """As the store says."""
        return self._storage.size(self._reference)


def wound(reference: str, offset: int = 0) -> IO[bytes]:
    """A file of this process's store that can be wound to and fro, wherever it lies."""
    storage = current()
    stream = storage.open(reference, offset=offset)
    if stream.seekable():
        return stream
    stream.close()
    return io.BufferedReader(_Stored(storage, reference, offset), CHUNK_BYTES)


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in chunks of a MiB, closed at the end."""
    try:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
    finally:
        stream.close()


def from_url(url: str) -> Storage:
    """The store that STORAGE_URL names: a folder, or s3://bucket/prefix."""
    if url.startswith("s3://"):
        # The client of S3 takes a third of a second to import: only who uses S3 waits for it.
        from marketplace.storage.s3 import S3  # noqa: PLC0415

        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return S3(bucket, prefix)
    return Folder(Path(url.removeprefix("file://")).absolute())


class _Here:
    storage: Storage | None = None


def use(storage: Storage) -> None:
    """Set this process's store."""
    _Here.storage = storage


def current() -> Storage:
    """This process's store."""
    if _Here.storage is None:
        raise RuntimeError("storage.use() has not been called.")
    return _Here.storage
