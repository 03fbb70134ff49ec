"""The envelope as a table: rows into pieces of Arrow, and pieces into one file of Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from marketplace.tasktypes import ExportRow

GROUP_ROWS = 2_000
GROUP_BYTES = 16 * 1024 * 1024
TEXT = (
    "annotation_id", "item_id", "external_id", "task_type", "guidelines_sha256",
    "item_content_sha256", "rationale", "opened_at", "submitted_at", "repeats", "ai_policy",
    "row_sha256", "labelled_by", "change",
)  # fmt: skip
WHOLE = ("schema_version", "template_version", "active_seconds", "idle_seconds", "round")
KINDS: dict[str, pa.DataType] = {
    **dict.fromkeys(TEXT, pa.string()),
    **dict.fromkeys(WHOLE, pa.int64()),
    **dict.fromkeys(("is_gold", "surplus"), pa.bool_()),
    "confidence": pa.float64(),
}
JSON = orjson.OPT_SORT_KEYS


def schema_of(names: Iterable[str]) -> pa.Schema:
    """The columns of rows with these names; what no column holds as it is becomes JSON."""
    return pa.schema([pa.field(name, KINDS.get(name, pa.string())) for name in sorted(names)])


def write_piece(out: io.RawIOBase, rows: Iterable[ExportRow], schema: pa.Schema) -> None:
    """Write rows as a stream of Arrow, a group at a time."""
    packed = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(out, schema, options=packed) as writer:
        for group in _groups(rows, schema):
            writer.write_batch(group)


def _groups(rows: Iterable[ExportRow], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    columns, heavy = _empty(schema), 0
    for row in rows:
        heavy += _put(columns, row)
        if len(columns["annotation_id"]) == GROUP_ROWS or heavy >= GROUP_BYTES:
            yield pa.RecordBatch.from_pydict(columns, schema=schema)
            columns, heavy = _empty(schema), 0
    if columns["annotation_id"]:
        yield pa.RecordBatch.from_pydict(columns, schema=schema)


def _empty(schema: pa.Schema) -> dict[str, list[Any]]:
    return {name: [] for name in schema.names}


def _put(columns: dict[str, list[Any]], row: ExportRow) -> int:
    """Add a row to the columns; how many bytes of JSON came with it."""
    heavy = 0
    for name, column in columns.items():
        value = row.get(name)
        if value is not None and name not in KINDS:
            value = orjson.dumps(value, option=JSON)
            heavy += len(value)
        column.append(value)
    return heavy


def write_table(out: IO[bytes], pieces: Sequence[IO[bytes]], schema: pa.Schema) -> None:
    """Write one file of Parquet of all pieces, group by group; equal pieces give equal bytes."""
    with pq.ParquetWriter(out, schema, compression="zstd", use_dictionary=False) as writer:
        for piece in pieces:
            with piece:
                with pa.ipc.open_stream(piece) as batches:
                    for batch in batches:
                        writer.write_batch(batch)
                while not piece.closed and piece.read(GROUP_BYTES):
                    continue  # What stands behind the last batch belongs to the piece's hash.
