"""Files that people send: stored before the transaction that takes them, and hashed meanwhile."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import FileStorage

from marketplace import storage
from marketplace.ids import new_id


class HashedInput(io.RawIOBase):
    """The request's body, hashed while it is read by whoever reads it."""

    def __init__(self, source: Any, seed: bytes) -> None:
        self._source = source
        self._hash = hashlib.sha256(seed)

    def readable(self) -> bool:
        """As for any input."""
        return True

    def readinto(self, room: Any) -> int:
        """Read at most as many bytes as there is room for."""
        piece: bytes = self._source.read(len(room))
        room[: len(piece)] = piece
        self._hash.update(piece)
        return len(piece)

    def digest(self) -> bytes:
        """SHA-256 of all that was read so far."""
        return self._hash.digest()


@dataclass(slots=True)
class Stored:
    """A file in the store. `taken` says that a row owns it now; sha256: of its name and content."""

    reference: str
    size_bytes: int
    sha256: bytes
    taken: bool = False


@contextmanager
def stored(upload: FileStorage, folder: str) -> Iterator[Stored]:
    """The upload in the store; it is deleted again at the end unless somebody has taken it.

    Enter it outside any transaction, since the store can be far away.
    """
    source = HashedInput(upload.stream, (upload.filename or "").encode() + b"\n")
    reference = f"{folder}/{new_id()}"
    size_bytes = storage.current().put(reference, source)  # type: ignore[arg-type]
    file = Stored(reference, size_bytes, source.digest())
    try:
        yield file
    finally:
        if not file.taken:
            storage.current().delete(reference)
