"""Records: plain JSON objects in a list, one a line, or each under a name of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import Any

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import HEAD_BYTES, Head, Kind, Reading, Source
from marketplace.jobs.rules.imports.objects import documents_of, members
from marketplace.jobs.rules.imports.tables import COLUMNS_MAX, ID, checked, row_line
from marketplace.jobs.rules.lifecycle import ImportKind
from marketplace.jobs.rules.ndjson import Line
from marketplace.tasktypes import Json

NAME = "key"
ROWS_LOOKED_AT = 20


def keyed(head: Head) -> bool:
    """Whether the file is one object whose members are the records, under their names."""
    first = head.text.partition(b"\n")[0].strip()
    if not head.text.startswith(b"{") or (first.endswith(b"}") and first != head.text.strip()):
        return False
    if head.documents and head.whole:
        inner = list(head.first.values())
        return len(inner) > 1 and all(isinstance(each, dict) for each in inner)
    found = list(members(BytesIO(head.content)))
    return len(found) > 1 and all(each.alone for each in found)


def _head(source: Source) -> Head:
    with closing(source.open()) as stream:
        content = stream.read(HEAD_BYTES)
    return Head(source.name, content, len(content) < HEAD_BYTES)


def _records(source: Source, after: Line | None) -> Iterator[Line]:
    """The objects of the file; a name that one stands under becomes its member `key`."""
    if not keyed(_head(source)):
        yield from documents_of(source, after)
        return
    passed = after.number if after else 0
    with closing(source.open()) as stream:
        for number, member in enumerate(members(stream), 1):
            if number > passed:
                content = member.content
                if isinstance(content, bytes):
                    name = orjson.dumps({NAME: member.name})[1:-1]
                    joined = b"," if content[1:-1].strip() else b""
                    content = b"{" + name + joined + content[1:]
                yield Line(number, content, member.end)


def flattened(record: Json) -> dict[str, Any]:
    """A record with the members of its objects beside it, under their paths."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        found[name] = value
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
    return found


def columns(source: Source) -> list[str]:
    """The members of the first records; objects are told by their own members."""
    found: dict[str, bool] = {}
    for line, _ in zip(_records(source, None), range(ROWS_LOOKED_AT), strict=False):
        record = _record(line.content)
        if isinstance(record, dict):
            whole = {name for name, value in record.items() if isinstance(value, dict) and value}
            names = [name for name in flattened(record) if name not in whole]
            found |= dict.fromkeys(names, True)
    return list(found)[:COLUMNS_MAX]


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item a record."""
    own = columns(source)
    items = not reading.mapping and {ID, "payload"} <= {name.split(".")[0] for name in own}
    mapping = {} if items else checked(reading.mapping, _mappable(own, reading), reading.schema)
    for number, content, end in _records(source, after):
        record = _record(content)
        if isinstance(record, Fault):
            made: bytes | Fault = record
        elif items:
            made = content
        else:
            made = row_line(flattened(record), mapping, reading.schema)
        yield Line(number, made, end)


def _mappable(own: list[str], reading: Reading) -> list[str]:
    """Columns somebody may name: also whole objects, and members that come up later."""
    outer = [name.split(".")[0] for name in own if "." in name]
    return list(dict.fromkeys([*own, *(outer if reading.mapping else []), *reading.mapping]))


def _record(content: bytes | Fault) -> Json | Fault:
    if isinstance(content, Fault):
        return content
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"This is not JSON: {wrong}.")
    return record if isinstance(record, dict) else Fault("", "A record must be an object.")


def fits(head: Head) -> bool:
    """Whatever else is JSON."""
    return head.json


RECORDS = Kind(
    key=ImportKind.RECORDS,
    title="JSON records",
    told="Each object becomes an item; you say which member is which field.",
    fits=fits,
    lines=lines,
    columns=columns,
)
