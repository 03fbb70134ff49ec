"""Parquet: a table whose row groups are read a few rows at a time.

The library is loaded by whoever reads such a file. Texts are read as numbers into a dictionary,
so that one long text which stands in a million rows stays one in memory.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from marketplace.errors import Faulty
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source
from marketplace.jobs.rules.imports.tables import COLUMNS_MAX, checked, row_line
from marketplace.jobs.rules.lifecycle import ImportKind
from marketplace.jobs.rules.ndjson import Line

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
FOOTER_BYTES_MAX = 16 * 1024 * 1024
BATCH_ROWS = 128
AT_ONCE_BYTES = 16 * 1024 * 1024
BUFFER_BYTES = 256 * 1024
# What a row group may unpack to: this much in any case, and so many times what it takes up.
UNPACKED_FREE = 256 * 1024 * 1024
UNPACKED_TIMES = 1_000
DEPTH_MAX = 20


@contextmanager
def _opened(source: Source) -> Iterator[ParquetFile]:
    """The file, found good as far as its footer tells; Faulty for what the library refuses."""
    from pyarrow import ArrowException  # noqa: PLC0415 - a tenth of a second that few files need.
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415

    with source.open() as stream:
        _check_footer(stream, source.size)
        try:
            texts = _texts(ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False))
            stream.seek(0)
            yield ParquetFile(
                stream, buffer_size=BUFFER_BYTES, pre_buffer=False, read_dictionary=texts
            )
        except (ArrowException, OSError, UnicodeDecodeError) as wrong:
            said = " ".join(str(wrong).split())[:160]
            raise Faulty(
                f"This Parquet file is damaged or of a form we do not read: {said}"
            ) from None


def _check_footer(stream: Any, size: int | None) -> None:
    end = stream.seek(0, 2) if size is None else size
    if end < 12:
        raise Faulty("This Parquet file is cut short. Send the whole file.")
    stream.seek(end - 8)
    length, magic = struct.unpack("<I4s", stream.read(8).ljust(8, b"\0"))
    stream.seek(0)
    if magic != MAGIC:
        raise Faulty("This Parquet file is cut short: its end is missing. Send the whole file.")
    if length > FOOTER_BYTES_MAX:
        raise Faulty("The footer of this Parquet file is far too long.")


def _texts(file: ParquetFile) -> list[str]:
    """Check what the footer says of sizes; the columns of plain texts."""
    about, schema = file.metadata, file.schema_arrow
    if about.num_columns > COLUMNS_MAX:
        raise Faulty(f"This table has more than {COLUMNS_MAX:,} columns.")
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        packed = sum(
            group.column(column).total_compressed_size for column in range(group.num_columns)
        )
        most = max(UNPACKED_FREE, UNPACKED_TIMES * packed)
        if group.total_byte_size > most:
            raise Faulty(
                "This Parquet file unpacks to far more than it takes up. We do not read it."
            )
    return [field.name for field in schema if str(field.type) in ("string", "large_string")]


def columns(source: Source) -> list[str]:
    """The names of the table's columns."""
    with _opened(source) as file:
        return list(file.schema_arrow.names)


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item a row; numbers count rows, and places are shares of the row group in the file."""
    passed = after.number if after else 0
    with _opened(source) as file:
        names = list(file.schema_arrow.names)
        mapping = checked(reading.mapping, names, reading.schema)
        wanted = [name for name in names if name in mapping] if mapping else names
        first, place = 0, len(MAGIC)
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            size = sum(group.column(at).total_compressed_size for at in range(group.num_columns))
            if first + group.num_rows > passed:
                for at, row in _rows(file, number, wanted, passed - first):
                    content = row_line(row, mapping, reading.schema)
                    share = size * (at + 1) // group.num_rows
                    yield Line(first + at + 1, content, place + share)
            first, place = first + group.num_rows, place + size


def _rows(
    file: ParquetFile, group: int, wanted: list[str], passed: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a group from `passed` on, with their places in it."""
    at = 0
    for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
        if at + batch.num_rows > passed:
            series = {name: _values(batch.column(name)) for name in wanted}
            for inner in range(max(0, passed - at), batch.num_rows):
                yield at + inner, {name: as_json(each(inner)) for name, each in series.items()}
        at += batch.num_rows


def _values(column: Any) -> Callable[[int], Any]:
    """The values of a column by their places: made at once where they are short, else each when
    it is asked for, since one long text may stand in all rows."""
    from pyarrow import compute, types  # noqa: PLC0415

    if types.is_dictionary(column.type):
        longest = compute.max(compute.binary_length(column.dictionary)).as_py() or 0
        size = longest * len(column)
    else:
        size = column.nbytes
    if size > AT_ONCE_BYTES:
        return lambda place: column[place].as_py()
    return cast("Callable[[int], Any]", column.to_pylist().__getitem__)


def as_json(value: Any, depth: int = 0) -> Any:
    """A value as JSON can say it: times in ISO 8601, exact numbers as texts, bytes in base64."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if depth > DEPTH_MAX:
        return None
    if isinstance(value, dict):
        return {str(name): as_json(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each, depth + 1) for each in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def fits(head: Head) -> bool:
    """By its first four letters."""
    return head.content.startswith(MAGIC)


PARQUET = Kind(
    key=ImportKind.PARQUET,
    title="Parquet",
    told="Each row becomes an item; you say which column is which field.",
    fits=fits,
    lines=lines,
    columns=columns,
)
