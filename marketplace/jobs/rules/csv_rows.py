"""Records of a CSV file as the lines that an NDJSON file would have.

The first record names the columns. `external_id` is required. A column named `payload`, `gold` or
`prelabels` holds JSON; any other column is a field of the payload, by its path with dots, such as
`a` or `messages.0.content`; `prompt` is short for one message of the user. Cells left empty are
left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.ndjson import LINE_LIMIT_BYTES, Line, Readable, ndjson_lines
from marketplace.tasktypes import Json
from marketplace.tasktypes.fields import Fields, judgement_from

_JSON_COLUMNS = ("payload", "gold", "prelabels")
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
    """The header of a file, once it was found good."""

    names: tuple[str, ...]
    delimiter: str
    after: Line


def read_columns(stream: Readable, schema: Json) -> Columns:
    """The columns that the first line names; Faulty when an item cannot be made of them."""
    line = next(ndjson_lines(stream), Line(1, b""))
    if isinstance(line.content, Fault):
        raise Faulty(line.content.message, [line.content])
    try:
        header = line.content.decode()
    except UnicodeDecodeError:
        raise Faulty("The first line is not UTF-8. Save the file as UTF-8.") from None
    delimiter = max(_DELIMITERS, key=header.count)
    rows = list(csv.reader([header], delimiter=delimiter))
    names = tuple(name.strip() for name in rows[0]) if rows else ()
    faults = _column_faults(names, schema)
    if faults:
        raise Faulty(f"The columns do not fit: {faults[0].message}", faults)
    return Columns(names, delimiter, line)


def _column_faults(names: Sequence[str], schema: Json) -> list[Fault]:
    known = [*schema.get("properties", {}), "prompt"]
    faults = []
    if "external_id" not in names:
        faults.append(Fault("/external_id", "A column “external_id” is needed in the first line."))
    for name in names:
        if names.count(name) > 1:
            faults.append(Fault("", f"The column “{name[:80]}” stands twice."))
        elif name not in ("external_id", *_JSON_COLUMNS) and name.split(".")[0] not in known:
            advice = f"The column “{name[:80]}” is no field here; there are {', '.join(known)}."
            faults.append(Fault("", advice))
    return faults


def csv_lines(
    stream: Readable, columns: Columns, schema: Json, *, after: Line | None = None
) -> Iterator[Line]:
    """The records after the header, each as the line of NDJSON that says the same.

    stream: at the file's start, or after the line `after` that was read earlier. A record that
    cannot be read is a Fault with the number of its last line.
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
            yield Line(tape.last.number, Fault("", advice), tape.last.end)
            continue
        if not cells and tape.fault is None:
            continue  # A blank line between records.
        content = tape.fault or _content(cells, columns.names, schema)
        yield Line(tape.last.number, content, tape.last.end)


def _skip_to(lines: Iterator[Line], last: Line) -> None:
    for line in lines:
        if line.number >= last.number:
            return


def _content(cells: Sequence[str], names: Sequence[str], schema: Json) -> bytes | Fault:
    if len(cells) != len(names):
        return Fault("", f"This record has {len(cells)} cells; the header has {len(names)}.")
    row = {name: cell for name, cell in zip(names, cells, strict=True) if cell.strip()}
    try:
        return orjson.dumps(_members(row, schema))
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"A cell that should hold JSON does not: {wrong}.")
    except orjson.JSONEncodeError:
        return Fault("", "A cell holds characters that are no text.")


def _members(row: Mapping[str, str], schema: Json) -> Json:
    found: dict[str, Any] = {"external_id": row.get("external_id", "")}
    for name in _JSON_COLUMNS:
        if name in row:
            found[name] = orjson.loads(row[name])
    if "payload" in found:
        return found
    form = {name: cell for name, cell in row.items() if name not in ("external_id", *_JSON_COLUMNS)}
    if "prompt" in form and "prompt" not in schema.get("properties", {}):
        form |= {"messages.0.role": "user", "messages.0.content": form.pop("prompt")}
    found["payload"] = judgement_from(Fields.of(form), schema)
    return found
