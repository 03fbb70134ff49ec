"""Writing exports in the background: waiting for the event, pieces, one file, the comparison."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import clock, outbox, storage
from marketplace.db import transaction
from marketplace.delivery import queries, rules, service
from marketplace.delivery.background import bundles
from marketplace.delivery.background.assembling import (
    PieceLost,
    assemble,
    forget_pieces,
    packed,
    prove,
    store,
)
from marketplace.delivery.background.engine import Engine
from marketplace.delivery.models import Export, ExportPart
from marketplace.delivery.rules.bundle import BUNDLE
from marketplace.delivery.rules.manifest import MemberFile, Tally, added_up, manifest
from marketplace.errors import Refused
from marketplace.ids import ExportId
from marketplace.jobs.models import Job
from marketplace.tasktypes import Counts, Policy

TIME_LIMIT_SECONDS = 3 * 3600
# After this long a file that is written in pieces is put back, so that others get their turn.
TURN_SECONDS = 600
NUMBERED_AT_ONCE = 500
NUMBERING_ROUNDS = 40
WAIT = timedelta(seconds=1)


class CountsDiffer(Refused):
    """What was written is not what the database holds: the file is not offered."""

    code = "counts_differ"


class CannotBeSame(Refused):
    """A file that had expired would not be the same again."""

    code = "erased_since"


@outbox.background(service.WRITE, time_limit_seconds=TIME_LIMIT_SECONDS)
def write_export(work: outbox.Work, export_id: str) -> None:
    """Write one file; the same bytes whenever it runs. Safe to cut short anywhere: the pieces that
    are stored stay, and it goes on behind them."""
    identity = ExportId(UUID(export_id))
    found = _begun(identity)
    if found is None:
        _tidied(work, identity)
        return
    export, job = found
    if export.as_of_event is None:  # Whoever numbers facts is away or behind: nothing is missed.
        with transaction() as session:
            outbox.again(session, work, error="event_not_numbered", after=WAIT)
        return
    try:
        whole = _written(Engine(export, job))
    except PieceLost:
        forget_pieces(export)
        raise
    except Refused as refused:
        forget_pieces(export)
        with transaction() as session:
            service.fail(session, identity, refused.message, refused.code)
            outbox.done(session, work)
        return
    with transaction() as session:
        if not whole:
            outbox.enqueue(session, work.name, **work.arguments)
        outbox.done(session, work)


def _tidied(work: outbox.Work, export_id: ExportId) -> None:
    """Forget the pieces of a file that was offered by a worker that ended right afterwards."""
    with transaction() as session:
        export = session.get_one(Export, export_id)
    forget_pieces(export)
    with transaction() as session:
        outbox.done(session, work)


def _begun(export_id: ExportId) -> tuple[Export, Job] | None:
    """The export, frozen, and its job; None where it has ended. Facts that were committed before
    it are numbered first, by whoever comes to it sooner."""
    with transaction() as session:
        export = service.begin(session, export_id)
        if export is None:
            return None
        if export.mark_id is None:
            service.mark(session, export)
    for _ in range(NUMBERING_ROUNDS):
        with transaction() as session:
            if service.numbered(session, session.get_one(Export, export_id)):
                break
        with transaction() as session:
            if outbox.number_events(session, limit=NUMBERED_AT_ONCE) == 0:
                break
    with transaction() as session:
        export = session.get_one(Export, export_id)
        if service.numbered(session, export):
            service.freeze_authors(session, export)
            service.freeze_card(session, export)
        return export, session.get_one(Job, export.job_id)


@dataclass(frozen=True, slots=True)
class _Made:
    """The files of an export and what was read for them."""

    files: Sequence[MemberFile]
    tally: Tally


def _written(engine: Engine) -> bool:
    """Write and offer the file; False where the turn is over before its last piece."""
    export = engine.export
    if rules.in_one_go(engine.exporter):
        made = _in_one_go(engine)
        checks = _agreed(engine, made.tally)
    elif not _pieces(engine):
        return False
    else:
        with transaction() as session:
            parts = list(queries.parts_of(session, export.id))
        tally = added_up(part.counts for part in parts)
        _whole(engine, parts)
        checks = _agreed(engine, tally)
        made = _Made(assemble(engine, parts), tally)
    files = [*made.files, prove(export, made.files)]
    _same_as_before(export, made.files[0])
    with transaction() as session:
        asked = queries.asked_of(session, export)
        service.finish(session, export.id, manifest(asked, files, made.tally, checks))
    forget_pieces(export)
    return True


def _whole(engine: Engine, parts: Sequence[ExportPart]) -> None:
    """PieceLost where pieces are missing: another worker had the same in hand and was done with it
    first, or took them away. What it stored is left as it is."""
    numbers = [part.number for part in parts]
    last = parts[-1].position if parts else -1
    if numbers != list(range(len(parts))) or last < engine.last:
        raise PieceLost("Pieces of the file are missing.")


def _pieces(engine: Engine) -> bool:
    """Write what is missing, piece by piece; False where the turn is over."""
    turn_ends = time.monotonic() + TURN_SECONDS
    with transaction() as session:
        kept = queries.parts_of(session, engine.export.id)
        number, rows = len(kept), sum(part.rows for part in kept)
        position = kept[-1].position if kept else 0
    ranges = list(engine.ranges(position)) or ([] if kept else [(0, 0)])
    for first, until in ranges:
        part = _piece(engine, number, first, until, rows)
        number, rows = number + 1, rows + part.rows
        if time.monotonic() > turn_ends:
            return until >= engine.last
    return True


def _piece(engine: Engine, number: int, first: int, until: int, rows: int) -> ExportPart:
    piece = engine.piece(first, until, rows_before=rows)
    try:
        part = ExportPart(
            export_id=engine.export.id,
            number=number,
            position=until,
            rows=piece.tally.counts.rows,
            sha256=piece.content.finish(),
            index_sha256=piece.index.finish(),
            bytes=piece.content.size,
            counts=piece.tally.as_json(),
            written_at=clock.now(),
        )
        storage.current().put(part.reference, piece.content.file)
        storage.current().put(part.index_reference, piece.index.file)
    finally:
        piece.close()
    with transaction() as session:
        kept = service.keep_part(session, part)
    if not kept:
        raise PieceLost("Another worker has written the file meanwhile.")
    return part


def _in_one_go(engine: Engine) -> _Made:
    """Write a file that knows of all its rows; after a kill it is begun anew."""
    export, tally = engine.export, Tally()
    gzipped = export.compression is rules.Compression.GZIP
    with tempfile.TemporaryFile() as out:
        if export.format == BUNDLE:
            tally.counts = bundles.write(out, export, engine.job, engine)
        else:
            counts = Counts()
            with_packing = packed(out, gzipped=gzipped)
            for content in engine.exporter.file(
                engine.records(export.policy), export.policy, counts
            ):
                with_packing.write(content)
            if with_packing is not out:
                with_packing.close()
            tally.counts = counts
        read = _main(engine)
        tally.judgements, tally.labelled_by = read.judgements, read.labelled_by
        return _Made([store(export.reference, export.filename, out)], tally)


def _main(engine: Engine) -> Tally:
    """What was read for the rows that the file is asked for."""
    policy = engine.export.policy
    return engine.read[policy if policy in engine.read else Policy.ALL]


def _agreed(engine: Engine, tally: Tally) -> dict[str, Any]:
    """The sums of the database, with which what was read must agree.

    What stood is counted twice, by its rows and by the job's chain, in which a row that somebody
    took away behind everybody's back is still told of.
    """
    export = engine.export
    read = {policy: each.judgements for policy, each in engine.read.items()}
    with transaction() as session:
        held = {
            policy: _held(session, export, policy)
            for policy in read or {export.policy: tally.judgements}
        }
        stood = queries.standing_count(session, export, every=True)
        chained = queries.chained_count(session, export)
    for policy, number in held.items():
        found = read.get(policy, tally.judgements)
        if number != found:
            raise CountsDiffer(
                f"The file holds {found} judgements and the database {number}. It is not offered; "
                "ask for the export again, and tell us if it happens twice."
            )
    if chained is not None and chained != stood:
        raise CountsDiffer(
            f"The database holds {stood} judgements and the job's record of events {chained}. "
            "The file is not offered; we have to find out why."
        )
    return {"database": held, "standing": stood, "events": chained}


def _held(session: Session, export: Export, policy: str) -> int:
    """How many judgements must have been read; under `model` how many items."""
    if policy == Policy.MODEL:
        return queries.kept_count(session, export)
    return queries.standing_count(session, export, policy)


def _same_as_before(export: Export, file: MemberFile) -> None:
    if export.sha256 is not None and export.sha256 != file.sha256:
        raise CannotBeSame(
            "Something that this file held was erased since, so the same file cannot be made "
            "again. Ask for a new export."
        )
