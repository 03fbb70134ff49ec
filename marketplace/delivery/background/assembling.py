"""Making one file of the pieces that are stored, and storing it whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from marketplace import storage
from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.background import tables
from marketplace.delivery.background.engine import TABLE, Engine
from marketplace.delivery.background.proofs import ProofFile, write_proof
from marketplace.delivery.models import Export, ExportPart
from marketplace.delivery.rules.manifest import MemberFile
from marketplace.errors import GatewayError, Missing

if TYPE_CHECKING:
    from typing_extensions import Buffer


class PieceLost(GatewayError):
    """A stored piece is not what was stored; the file is written anew."""


class _Joined(io.RawIOBase):
    """Several stored files as one, each checked against its hash."""

    def __init__(self, pieces: Sequence[tuple[str, str]]) -> None:
        self._left = list(pieces)
        self._source: IO[bytes] | None = None
        self._piece = hashlib.sha256()
        self.whole = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """The next bytes; PieceLost where a piece is gone or is another."""
        target = memoryview(buffer).cast("B")
        while self._source is not None or self._left:
            if self._source is None:
                self._source, self._piece = _opened(self._left[0][0]), hashlib.sha256()
            found = self._source.read(len(target))
            if found:
                target[: len(found)] = found
                self._piece.update(found)
                self.whole.update(found)
                return len(found)
            self._source.close()
            self._source = None
            if self._left.pop(0)[1] != self._piece.hexdigest():
                raise PieceLost("A piece of the file was altered in the store.")
        return 0

    def close(self) -> None:
        """Let go of the file in hand, where nobody read to the end."""
        if self._source is not None:
            self._source.close()
            self._source = None
        super().close()


def _opened(reference: str) -> IO[bytes]:
    try:
        return storage.current().open(reference)
    except Missing:
        raise PieceLost("A piece of the file is not in the store any more.") from None


def assemble(engine: Engine, parts: Sequence[ExportPart]) -> list[MemberFile]:
    """Store the file of these pieces, and the list of its items; names, sizes, hashes of both."""
    export = engine.export
    if engine.exporter.suffix == TABLE:
        with _table(engine, parts) as made:
            file = store(export.reference, export.filename, made)
    else:
        file = _put(export.reference, export.filename, [(each.reference, each.sha256)
                                                        for each in parts])  # fmt: skip
    listed = [(each.index_reference, each.index_sha256) for each in parts]
    index = _put(export.index_reference, export.index_reference.rpartition("/")[2], listed)
    return [file, index]


@contextmanager
def _table(engine: Engine, parts: Sequence[ExportPart]) -> Iterator[IO[bytes]]:
    pieces: list[IO[bytes]] = [
        io.BufferedReader(_Joined([(each.reference, each.sha256)]), storage.CHUNK_BYTES)
        for each in parts
    ]
    with tempfile.TemporaryFile() as out:
        tables.write_table(out, pieces, engine.schema)
        out.seek(0)
        yield out


def _put(reference: str, name: str, pieces: Sequence[tuple[str, str]]) -> MemberFile:
    joined = _Joined(pieces)
    with io.BufferedReader(joined, storage.CHUNK_BYTES) as source:
        size = storage.current().put(reference, source)
        return MemberFile(name, size, joined.whole.hexdigest())


def store(reference: str, name: str, source: IO[bytes]) -> MemberFile:
    """Store a temporary file; its name, size and hash."""
    source.seek(0)
    digest = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    source.seek(0)
    return MemberFile(name, storage.current().put(reference, source), digest)


def prove(export: Export, files: Sequence[MemberFile]) -> MemberFile:
    """Write and store the proof of a file that is stored."""
    reference = export.reference

    def opened() -> IO[bytes]:
        return storage.current().open(reference)

    with tempfile.TemporaryFile() as out:
        write_proof(out, export, [ProofFile(files[0].name, opened)])
        return store(export.proof_reference, export.proof_reference.rpartition("/")[2], out)


def forget_pieces(export: Export) -> None:
    """Delete the pieces of a file, the rows that speak of them last."""
    with transaction() as session:
        parts = list(queries.parts_of(session, export.id))
    for part in parts:
        storage.current().delete(part.reference)
        storage.current().delete(part.index_reference)
    with transaction() as session:
        service.drop_parts(session, export.id)


def packed(out: IO[bytes], *, gzipped: bool) -> IO[bytes]:
    """The file itself, or what packs into it; the same bytes at any time of day."""
    if not gzipped:
        return out
    return gzip.GzipFile(fileobj=out, mode="wb", compresslevel=3, mtime=0, filename="")  # type: ignore[return-value]
