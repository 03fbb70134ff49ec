"""Writing a file piece by piece: each piece is stored as it is done, so that little is lost."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import orjson

from marketplace.delivery.rules.manifest import Tally
from marketplace.tasktypes import ExportRow, Record

if TYPE_CHECKING:
    from typing_extensions import Buffer

PIECE_BYTES = 512 * 1024
# More than twice as fast as the usual level, for a file a tenth larger.
GZIP_LEVEL = 3
GZIP_WINDOW = 31  # A member of gzip; the library writes no time into it.


class Sink:
    """A temporary file that is packed, hashed and written by a thread of its own.

    What is written may pile up a little: the writer waits when two pieces are on their way.
    """

    def __init__(self, *, gzipped: bool) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`.
        self.size = 0
        self._digest = hashlib.sha256()
        self._packer = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW) if gzipped else None
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[Future[None]] = []
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, content: bytes) -> None:
        """Add some bytes."""
        self._held.append(content)
        self._held_bytes += len(content)
        if self._held_bytes >= PIECE_BYTES:
            self._send()

    def _send(self) -> None:
        piece, self._held, self._held_bytes = b"".join(self._held), [], 0
        self._waiting.append(self._thread.submit(self._take, piece))
        while len(self._waiting) > 2:
            self._waiting.pop(0).result()

    def _take(self, piece: bytes) -> None:
        self._keep(self._packer.compress(piece) if self._packer else piece)

    def _keep(self, packed: bytes) -> None:
        self._digest.update(packed)
        self.size += len(packed)
        self.file.write(packed)

    def finish(self) -> str:
        """Write what is left, wind the file to its start; its SHA-256 as text."""
        self._send()
        for each in self._waiting:
            each.result()
        if self._packer is not None:
            self._keep(self._packer.flush())
        self.file.seek(0)
        return self._digest.hexdigest()

    def close(self) -> None:
        """Let the file and the thread go."""
        self._thread.shutdown(wait=True)
        self.file.close()


@dataclass(slots=True)
class Following:
    """Hands records on and knows which one is being told, so that each row has its item.

    index: a line for each item, in the order of the file: how many rows it gave, of which
    judgements.
    """

    index: Sink
    tally: Tally
    _record: Record | None = None
    _rows: int = 0
    _seen: int = field(default=0)

    def records(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, counted."""
        for record in records:
            self._close()
            self._record, self._rows = record, 0
            count_record(self.tally, record)
            yield record
        self._close()

    def rows(self, rows: Iterable[ExportRow]) -> Iterator[ExportRow]:
        """The rows, each of the record that was handed on last."""
        for row in rows:
            self._rows += 1
            yield row

    def _close(self) -> None:
        if self._record is not None:
            self.index.write(index_line(self._record, self._rows))
        self._record = None


def count_record(tally: Tally, record: Record) -> None:
    """Count what was read: judgements, or an item whose label is told."""
    if record.labelled_by:
        tally.judgements += 1
        tally.labelled_by[record.labelled_by] += 1
    else:
        tally.judgements += len(record.judgements)


def index_line(record: Record, rows: int, change: str | None = None) -> bytes:
    """The line of an item in the list of a file's items."""
    told = {
        "annotations": [given.annotation_id for given in record.in_order()],
        "external_id": record.external_id,
        "item_id": record.item_id,
        "rows": rows,
    }
    if change is not None:
        told["change"] = change
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


class Writing(io.RawIOBase):
    """A sink as a file, for libraries that write into one."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, content: Buffer, /) -> int:
        """Add some bytes; the library may use its own again afterwards."""
        taken = bytes(content)
        self._sink.write(taken)
        return len(taken)
