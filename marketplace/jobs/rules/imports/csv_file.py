"""CSV: records under a first line that names the columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from marketplace.errors import Fault
from marketplace.jobs.rules.csv_rows import Columns, csv_records, read_columns
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source
from marketplace.jobs.rules.imports.tables import checked, text_row
from marketplace.jobs.rules.lifecycle import ImportKind
from marketplace.jobs.rules.ndjson import Line

DELIMITERS = (b",", b";", b"\t")


def _header(source: Source) -> Columns:
    with closing(source.open()) as stream:
        return read_columns(stream)


def columns(source: Source) -> list[str]:
    """The names in the first line; Faulty where there are none."""
    return list(_header(source).names)


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item a record."""
    header = _header(source)
    mapping = checked(reading.mapping, header.names, reading.schema)
    with closing(source.open(after.end if after else 0)) as stream:
        for number, cells, end in csv_records(stream, header, after=after):
            content: bytes | Fault
            if isinstance(cells, Fault):
                content = cells
            else:
                row = dict(zip(header.names, cells, strict=True))
                content = text_row(row, mapping, reading.schema)
            yield Line(number, content, end)


def fits(head: Head) -> bool:
    """By its name, or by a first line in which something parts two names."""
    first = head.text.partition(b"\n")[0]
    if head.json or b"\0" in first:
        return False
    named = head.suffix in ("csv", "tsv")
    return named or any(0 < first.count(sign) < 1_000 for sign in DELIMITERS)


CSV = Kind(
    key=ImportKind.CSV,
    title="CSV",
    told="Each record becomes an item; you say which column is which field.",
    fits=fits,
    lines=lines,
    columns=columns,
)
