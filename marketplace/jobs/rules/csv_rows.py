"""Records of a CSV file, one at a time, with the place where each ends."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.ndjson import LINE_LIMIT_BYTES, Line, Readable, ndjson_lines

_DELIMITERS = ",;\t"


@dataclass(slots=True)
class _Tape:
    """Feeds a CSV reader with physical lines, and remembers how far it has read."""

    lines: Iterator[Line]
    last: Line
    spent: int = 0
    fault: Fault | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.last = line = next(self.lines)
        if isinstance(line.content, Fault):
            self.fault = line.content
            return "\n"
        self.spent += len(line.content)
        if self.spent > LINE_LIMIT_BYTES:
            raise csv.Error(f"the record is longer than {LINE_LIMIT_BYTES:,} bytes")
        try:
            return line.content.decode() + "\n"
        except UnicodeDecodeError:
            self.fault = Fault("", "This line is not UTF-8. Save the file as UTF-8.")
            return "\n"


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of a file, once it was read."""

    names: tuple[str, ...]
    delimiter: str
    after: Line


def read_columns(stream: Readable) -> Columns:
    """The columns that the first line names; Faulty where it is no text or names none."""
    line = next(ndjson_lines(stream), Line(1, b""))
    if isinstance(line.content, Fault):
        raise Faulty(line.content.message, [line.content])
    try:
        header = line.content.decode()
    except UnicodeDecodeError:
        raise Faulty("The first line is not UTF-8. Save the file as UTF-8.") from None
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        rows = list(csv.reader([header], delimiter=delimiter))
    except csv.Error as wrong:
        raise Faulty(f"The first line does not name columns: {wrong}.") from None
    names = tuple(name.strip() for name in rows[0]) if rows else ()
    return Columns(names, delimiter, line)


def csv_records(
    stream: Readable, columns: Columns, *, after: Line | None = None
) -> Iterator[tuple[int, list[str] | Fault, int]]:
    """The records after the header: number of the last line, cells, offset behind them.

    stream: at the file's start, or after the line `after` that was read earlier. A record that
    cannot be read is a Fault in place of its cells.
    """
    lines = ndjson_lines(stream, after=after, blank=True)
    if after is None:
        _skip_to(lines, columns.after)
    tape = _Tape(lines, after or columns.after)
    # The limit is the process's own; ours is the only CSV reader in it, and a field may be as
    # large as a record.
    csv.field_size_limit(LINE_LIMIT_BYTES)
    reader = csv.reader(tape, delimiter=columns.delimiter, strict=True)
    while True:
        tape.spent, tape.fault = 0, None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            advice = f"This is not a CSV record: {wrong}. Look for a quote that is not closed."
            yield tape.last.number, Fault("", advice), tape.last.end
            continue
        if not cells and tape.fault is None:
            continue  # A blank line between records.
        yield tape.last.number, tape.fault or _whole(cells, columns), tape.last.end


def _skip_to(lines: Iterator[Line], last: Line) -> None:
    for line in lines:
        if line.number >= last.number:
            return


def _whole(cells: list[str], columns: Columns) -> list[str] | Fault:
    if len(cells) != len(columns.names):
        wanted = len(columns.names)
        return Fault("", f"This record has {len(cells)} cells; the header has {wanted}.")
    return cells
