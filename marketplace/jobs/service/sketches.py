"""What a file looks like before it is read: its kind, its columns, its first rows as items.

All of it looks into the store or a bucket: never in a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

import orjson

from marketplace.db import outside_transaction
from marketplace.errors import Fault, Faulty, GatewayError, Missing
from marketplace.jobs.models import JobBucket, JobImport
from marketplace.jobs.rules import ImportKind, ItemRow, Line, read_row
from marketplace.jobs.rules.imports import KINDS, Kind, Reading, kind_named, kind_of, kinds_for
from marketplace.jobs.rules.imports.archive import BROKEN, Piece, Place, litter, pieces
from marketplace.jobs.rules.imports.contract import suffix
from marketplace.jobs.rules.imports.tables import ID, fields_of, proposed
from marketplace.jobs.rules.imports.zipped import is_zip
from marketplace.jobs.service.items import checks_of
from marketplace.jobs.service.sources import Stored, bundle_of, head_of, is_archive, stored
from marketplace.tasktypes import Json

ROWS = 3
ROWS_COMPARED = 200
PIECES_MAX = 300
# A kind that must read a file to its end before the first row shows nothing of a longer one.
WHOLE_BYTES_MAX = 64 * 1024 * 1024
SORTED = frozenset({ImportKind.COCO})
COLUMNS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class SketchRow:
    """A row as it would be read. item: None where it cannot be used; then faults say why."""

    number: int
    file: str
    external_id: str | None
    payload: Json | None
    gold: Json | None
    prelabels: int
    faults: list[Fault]


@dataclass(slots=True)
class Sketch:
    """A file as it looks. columns: of tables, with what each most likely is; fields: what a
    column may become; files: what an archive holds, by suffix; fault: why no row could be read."""

    kind: ImportKind | None
    rows: list[SketchRow] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    fault: str | None = None


@outside_transaction
def kind_of_stored(reference: str, name: str, of: str, wished: str | None = None) -> ImportKind:
    """The kind of a stored file for jobs of the type `of`; Faulty for what we do not read."""
    head = head_of(reference, name)
    if is_zip(head.content):
        return ImportKind.ARCHIVE
    if wished == ImportKind.ARCHIVE:
        words = "This is no zip file."
        raise Faulty(words, [Fault("/kind", words)])
    return kind_named(wished, of).key if wished else kind_of(head, of).key


def kinds_of_job(of: str) -> dict[ImportKind, str]:
    """The kinds that somebody may choose for jobs of a type, with their titles."""
    return {kind.key: kind.title for kind in kinds_for(of)}


@outside_transaction
def sketch_import(found: JobImport, reading: Reading, key: JobBucket | None) -> Sketch:
    """How a held import looks; a file that cannot be read is told as `fault`."""
    drawn = Sketch(found.kind)
    try:
        if is_archive(found) or not found.storage_ref:
            drawn.kind = drawn.kind or ImportKind.ARCHIVE
            _draw(drawn, _pieces(found, reading, key, drawn), reading)
        else:
            _file(drawn, found, reading)
    except (Faulty, Missing) as refused:
        drawn.fault = refused.message
    except GatewayError as away:
        drawn.fault = str(away)
    except BROKEN as broken:
        drawn.fault = f"This file is damaged: {' '.join(str(broken).split())[:160]}."
    drawn.left = {reason: count for reason, count in reading.left.items() if count}
    return drawn


def _pieces(
    found: JobImport, reading: Reading, key: JobBucket | None, drawn: Sketch
) -> Iterator[Piece]:
    with bundle_of(found, key) as bundle:
        for entry in bundle.entries():
            if not litter(entry.name):
                last = suffix(entry.name) or "no suffix"
                drawn.files[last] = drawn.files.get(last, 0) + 1
        yield from pieces(bundle, reading, Place(), pictures=False)


def _file(drawn: Sketch, found: JobImport, reading: Reading) -> None:
    kind, source = KINDS[found.kind or ImportKind.JSONL], stored(found)
    if kind.key in SORTED and (source.size or 0) > WHOLE_BYTES_MAX:
        raise Faulty("This file is too long to look into beforehand; it can be read all the same.")
    if kind.columns is not None:
        known = kind.columns(source)
        drawn.columns = columns_of(known, found.mapping, reading)
        drawn.fields = fields_of(reading.schema)
        if not found.mapping:
            _name_rows(drawn, kind, source, reading)
        reading = replace(reading, mapping={k: v for k, v in drawn.columns.items() if v})
    _draw(drawn, (Piece("", line=line) for line in kind.lines(source, reading, None)), reading)


def _name_rows(drawn: Sketch, kind: Kind, source: Stored, reading: Reading) -> None:
    """Take no column for the id whose values come twice: what a row holds names it then."""
    tried = replace(reading, mapping=drawn.columns)
    names = []
    for line in islice(kind.lines(source, tried, None), ROWS_COMPARED):
        row = None if isinstance(line.content, Fault) else orjson.loads(line.content)
        names += [row["external_id"]] if row else []
    for column, became in drawn.columns.items():
        if became == ID and len(set(names)) < len(names):
            drawn.columns[column] = f"metadata.{column.replace('.', '_')}"


def columns_of(known: list[str], mapping: Mapping[str, str], reading: Reading) -> dict[str, str]:
    """What each column becomes: as somebody said, else what is most likely."""
    if mapping:
        return {name: mapping.get(name, "") for name in known[:COLUMNS_SHOWN_MAX]}
    return proposed(known[:COLUMNS_SHOWN_MAX], reading.schema)


def _draw(drawn: Sketch, found: Iterator[Piece], reading: Reading) -> None:
    for piece in islice(found, PIECES_MAX):
        if piece.line is not None:
            drawn.rows.append(_row(piece.file, piece.line, reading))
        if len(drawn.rows) >= ROWS:
            return


def _row(file: str, line: Line, reading: Reading) -> SketchRow:
    row = read_row(line, checks_of(reading.task_type, reading.template))
    if isinstance(row, ItemRow):
        gold = None if row.gold is None else orjson.loads(row.gold)
        payload: Json = orjson.loads(row.payload)
        said = len(row.prelabels)
        return SketchRow(line.number, file, row.external_id, payload, gold, said, [])
    faults = [Fault(each.pointer, each.message) for each in row]
    return SketchRow(line.number, file, row[0].external_id, None, None, 0, faults)
