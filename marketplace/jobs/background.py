"""Background work of jobs: reading imports."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from enum import Enum
from typing import IO
from uuid import UUID

from marketplace import outbox, storage
from marketplace.db import transaction
from marketplace.errors import Faulty, Missing
from marketplace.jobs import service
from marketplace.jobs.models import JobImport
from marketplace.jobs.rules import ImportKind, ImportState, Line, csv_lines, ndjson_lines
from marketplace.jobs.rules.csv_rows import read_columns
from marketplace.tasktypes import Json

TIME_LIMIT_SECONDS = 300
# After this long the work is put back, so that no import holds a worker until its limit.
TURN_SECONDS = 120
CHUNK_ROWS = 2_000
CHUNK_BYTES = 8 * 1024 * 1024
SHORTLY = timedelta(milliseconds=1)


class Turn(Enum):
    """How a worker's turn at an import ended."""

    WHOLE = "the import has ended, well or badly"
    OVER = "there is more to read"
    TAKEN = "another worker has gone on from there"


@outbox.background("jobs.import", time_limit_seconds=TIME_LIMIT_SECONDS)
def read_import(work: outbox.Work, import_id: str) -> None:
    """Read a file into its job in chunks; each chunk commits its items with its place.

    Safe to cut short anywhere and to run twice: a chunk is stored only from the place where the
    row says that reading goes on.
    """
    identity = UUID(import_id)
    turn = read_on(identity)
    if turn is Turn.OVER:
        with transaction() as session:
            outbox.again(session, work, error="more to read", after=SHORTLY)
    elif turn is Turn.WHOLE:
        with transaction() as session:
            reference = session.get_one(JobImport, identity).storage_ref
        storage.current().delete(reference)
        with transaction() as session:
            outbox.done(session, work)


def read_on(
    import_id: UUID, *, chunk_rows: int = CHUNK_ROWS, turn_seconds: float = TURN_SECONDS
) -> Turn:
    """Go on with an import until its file or the turn ends; at least one chunk is read."""
    with transaction() as session:
        found, schema = service.begin_import(session, import_id)
    if found.state is not ImportState.RUNNING:
        return Turn.WHOLE
    turn_ends = time.monotonic() + turn_seconds
    try:
        return _read(found, schema, chunk_rows, turn_ends)
    except (Missing, Faulty) as fault:
        with transaction() as session:
            service.fail_import(session, import_id, fault.message)
        return Turn.WHOLE


def _read(found: JobImport, schema: Json, chunk_rows: int, turn_ends: float) -> Turn:
    place = found.read_bytes
    with closing(_opened(found.storage_ref, place)) as stream:
        for chunk in _chunks(_lines(found, stream, schema), chunk_rows):
            with transaction() as session:
                if not service.advance_import(session, found.id, chunk, start=place):
                    return Turn.TAKEN
            place = chunk[-1].end
            if time.monotonic() > turn_ends:
                return Turn.OVER
    with transaction() as session:
        ended = service.finish_import(session, found.id, start=place)
    return Turn.WHOLE if ended else Turn.TAKEN


def _lines(found: JobImport, stream: IO[bytes], schema: Json) -> Iterator[Line]:
    after = Line(found.read_lines, b"", found.read_bytes) if found.read_bytes else None
    if found.kind is ImportKind.JSONL:
        return ndjson_lines(stream, after=after)
    with closing(_opened(found.storage_ref, 0)) as head:
        columns = read_columns(head, schema)
    return csv_lines(stream, columns, schema, after=after)


def _opened(reference: str, offset: int) -> IO[bytes]:
    return storage.current().open(reference, offset=offset)


def _chunks(lines: Iterator[Line], rows: int) -> Iterator[list[Line]]:
    """Lists bounded in rows and in bytes; each is one transaction."""
    chunk: list[Line] = []
    held = 0
    for line in lines:
        chunk.append(line)
        held += len(line.content) if isinstance(line.content, bytes) else 0
        if len(chunk) >= rows or held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
