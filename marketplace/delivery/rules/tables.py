"""Rows of JSON as tables: one shape that all rows fit, and the columns that it makes.

A table needs to know its columns before its first row, so rows are looked at once before they are
written. What no column can hold, such as a text in one row and a list in another, becomes its JSON
as text; nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from marketplace.tasktypes import ExportRow

# A shape is a name of SCALARS, a list of one shape, or shapes by key.
Shape: TypeAlias = "str | list[Any] | dict[str, Any]"
NOTHING, TEXT, JSON = "nothing", "text", "json"
SCALARS: Mapping[str, pa.DataType] = {
    NOTHING: pa.string(),
    TEXT: pa.string(),
    JSON: pa.string(),
    "yes_no": pa.bool_(),
    "whole": pa.int64(),
    "number": pa.float64(),
}
# An object with more keys than this is a mapping, whose keys are data, not columns.
KEYS_MAX = 64
WHOLE_MAX = 2**63 - 1
GROUP_ROWS = 2_000


def shape_of(value: object) -> Shape:
    """The shape of one value of JSON."""
    if isinstance(value, dict):
        keys = {str(key): shape_of(each) for key, each in value.items()}
        return keys if 0 < len(keys) <= KEYS_MAX else JSON
    if isinstance(value, list):
        inner: Shape = NOTHING
        for each in value:
            inner = joined(inner, shape_of(each))
        return [inner]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > WHOLE_MAX:
        return JSON
    kinds = ((bool, "yes_no"), (int, "whole"), (float, "number"), (str, TEXT))
    return next((name for kind, name in kinds if isinstance(value, kind)), NOTHING)


def joined(one: Shape, other: Shape) -> Shape:
    """The shape that holds what either holds."""
    if other in (one, NOTHING):
        return one
    if one == NOTHING:
        return other
    if isinstance(one, list) and isinstance(other, list):
        return [joined(one[0], other[0])]
    if isinstance(one, dict) and isinstance(other, dict):
        return _joined_keys(one, other)
    return "number" if {str(one), str(other)} == {"whole", "number"} else JSON


def _joined_keys(one: dict[str, Any], other: dict[str, Any]) -> Shape:
    keys = {key: joined(one.get(key, NOTHING), other.get(key, NOTHING)) for key in {**one, **other}}
    return keys if len(keys) <= KEYS_MAX else JSON


def shape_of_rows(rows: Iterable[ExportRow]) -> dict[str, Shape]:
    """The columns of some rows, in the order in which they first appear."""
    found: dict[str, Shape] = {}
    for row in rows:
        widen(found, row)
    return found


def widen(found: dict[str, Shape], row: ExportRow) -> None:
    """Let columns hold one row more."""
    for name, value in row.items():
        found[name] = joined(found.get(name, NOTHING), shape_of(value))


def schema_of(shape: Mapping[str, Shape]) -> pa.Schema:
    """The Arrow columns of a shape."""
    return pa.schema([pa.field(name, _arrow(each)) for name, each in shape.items()])


def _arrow(shape: Shape) -> pa.DataType:
    if isinstance(shape, list):
        return pa.list_(_arrow(shape[0]))
    if isinstance(shape, dict):
        return pa.struct([pa.field(key, _arrow(each)) for key, each in shape.items()])
    return SCALARS[shape]


def fitted(value: Any, shape: Shape) -> Any:
    """A value as its column holds it."""
    if value is None:
        return None
    if shape == JSON:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    if isinstance(shape, list):
        return [fitted(each, shape[0]) for each in value]
    if isinstance(shape, dict):
        return {key: fitted(value.get(key), each) for key, each in shape.items()}
    return float(value) if shape == "number" else value


def write_parquet(
    out: IO[bytes] | str, rows: Iterable[ExportRow], shape: Mapping[str, Shape]
) -> int:
    """Write rows of a shape, a group at a time, and count them; equal rows give equal bytes."""
    schema, written = schema_of(shape), 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for group in _groups(iter(rows)):
            told = [{name: fitted(row.get(name), each) for name, each in shape.items()}
                    for row in group]  # fmt: skip
            writer.write_table(pa.Table.from_pylist(told, schema=schema))
            written += len(group)
    return written


def _groups(rows: Iterator[ExportRow]) -> Iterator[Sequence[ExportRow]]:
    while group := list(islice(rows, GROUP_ROWS)):
        yield group
