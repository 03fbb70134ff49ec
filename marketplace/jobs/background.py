"""Background work of jobs: reading imports, looking through items for personal details."""

from __future__ import annotations

import time
from contextlib import closing
from enum import Enum
from uuid import UUID

from marketplace import outbox, storage
from marketplace.db import transaction
from marketplace.errors import Faulty, GatewayError, Missing
from marketplace.jobs import queries, service
from marketplace.jobs.models import JobBucket, JobImport
from marketplace.jobs.rules import IMPORT_NEXT, ImportKind, ImportState
from marketplace.jobs.rules.imports import kind_of
from marketplace.jobs.rules.imports.zipped import is_zip
from marketplace.jobs.service.chunks import CHUNK_ROWS, chunks_of
from marketplace.jobs.service.sources import bucket_of, bundle_of, head_of, is_archive

TIME_LIMIT_SECONDS = 300
FETCH_SECONDS = 3 * 60 * 60
# After this long the work is put back, so that no import holds a worker until its limit.
TURN_SECONDS = 120
# A piece of a scan is two short transactions, so its turn may be short too.
SCAN_TURN_SECONDS = 60
# A bucket that does not answer so often, with growing pauses, is told to the lab.
TRIES_MAX = 8


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
    try:
        turn = read_on(identity)
    except GatewayError as away:
        if work.attempt < TRIES_MAX:
            raise
        turn = _failed(identity, str(away))
    if turn is Turn.OVER:
        go_on(work)
    elif turn is Turn.WHOLE:
        with transaction() as session:
            reference = session.get_one(JobImport, identity).storage_ref
        if reference:
            storage.current().delete(reference)
        with transaction() as session:
            outbox.done(session, work)


def go_on(work: outbox.Work) -> None:
    """Leave the rest to further work, as the same work again would count this turn as a failed try:
    after a few turns the first hiccup of a bucket would end the import."""
    with transaction() as session:
        outbox.enqueue(session, work.name, **work.arguments)
        outbox.done(session, work)


def read_on(
    import_id: UUID, *, chunk_rows: int = CHUNK_ROWS, turn_seconds: float = TURN_SECONDS
) -> Turn:
    """Go on with an import until its file or the turn ends; at least one chunk is read."""
    with transaction() as session:
        found, reading = service.begin_import(session, import_id)
        former = queries.former_marks(session, found)
        key = session.get(JobBucket, found.job_id)
    if found.state is not ImportState.RUNNING:
        return Turn.WHOLE if not IMPORT_NEXT[found.state] else Turn.TAKEN
    turn_ends = time.monotonic() + turn_seconds
    try:
        _measure(found, key)
        start = found.chunks
        for chunk in chunks_of(found, reading, former, key, rows=chunk_rows):
            with transaction() as session:
                if not service.advance_import(session, found.id, chunk, start=start):
                    return Turn.TAKEN
            start += 1
            if time.monotonic() > turn_ends:
                return Turn.OVER
    except (Missing, Faulty) as fault:
        return _failed(import_id, fault.message)
    with transaction() as session:
        ended = service.finish_import(session, found.id, start=start)
    return Turn.WHOLE if ended else Turn.TAKEN


def _measure(found: JobImport, key: JobBucket | None) -> None:
    """Find out once how much an archive holds, for who looks at its progress."""
    if not is_archive(found) or found.total_bytes is not None:
        return
    with bundle_of(found, key) as bundle:
        total = sum(entry.size for entry in bundle.entries())
    with transaction() as session:
        service.measure_import(session, found.id, total)


def _failed(import_id: UUID, failure: str) -> Turn:
    with transaction() as session:
        service.fail_import(session, import_id, failure)
    return Turn.WHOLE


@outbox.background("jobs.forget_held", time_limit_seconds=60, every_seconds=60 * 60)
def forget_held(work: outbox.Work) -> None:
    """Delete the files of imports that were looked at and then left alone for a week.

    A file whose deletion is cut short lies there under a name that nobody has.
    """
    with transaction() as session:
        references = service.drop_forgotten(session)
    for reference in references:
        storage.current().delete(reference)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("jobs.fetch_import", time_limit_seconds=FETCH_SECONDS)
def fetch_import(work: outbox.Work, import_id: str) -> None:
    """Look at what lies in a bucket: one file is copied into our store, many are read there."""
    identity = UUID(import_id)
    with transaction() as session:
        found = session.get_one(JobImport, identity)
        reading = service.reading_of(session, found)
        key = session.get(JobBucket, found.job_id)
    if found.state is ImportState.WAITING:
        try:
            _fetch(found, reading.task_type, key)
        except (Missing, Faulty) as fault:
            _failed(identity, fault.message)
        except GatewayError as away:
            if work.attempt < TRIES_MAX:
                raise
            _failed(identity, str(away))
    with transaction() as session:
        outbox.done(session, work)


def _fetch(found: JobImport, task_type: str, key: JobBucket | None) -> None:
    bucket, wanted = bucket_of(found.source_url or "", key)
    objects = [each for each, _ in zip(bucket.objects(wanted, most=1_000_000), "ab", strict=False)]
    if not objects:
        raise Missing("No file in the bucket has a name that begins so.")
    if len(objects) > 1 or objects[0].key != wanted:
        with transaction() as session:
            service.fetched_import(session, found.id, kind=ImportKind.ARCHIVE)
        return
    # Of the import's own name: fetched again after a crash, it takes the place of what came before.
    reference = f"imports/{found.id}"
    with closing(bucket.open(wanted)) as stream:
        size = storage.current().put(reference, stream)
    head = head_of(reference, found.filename)
    try:
        wished = found.kind or ImportKind.ARCHIVE
        if is_zip(head.content):
            kind = ImportKind.ARCHIVE
        else:
            kind = wished if wished is not ImportKind.ARCHIVE else kind_of(head, task_type).key
    except Faulty:
        storage.current().delete(reference)
        raise
    with transaction() as session:
        service.fetched_import(session, found.id, kind=kind, storage_ref=reference, size_bytes=size)


@outbox.background("jobs.scan_items", time_limit_seconds=TIME_LIMIT_SECONDS)
def scan_items(work: outbox.Work, job_id: str) -> None:
    """Look through the items of a job that nobody looked at yet, piece by piece.

    Safe to cut short anywhere and to run twice: a piece is added only from the position where the
    scan stands.
    """
    identity = UUID(job_id)
    turn_ends = time.monotonic() + SCAN_TURN_SECONDS
    while time.monotonic() < turn_ends:
        with transaction() as session:
            start = service.begin_scan(session, identity)
        with transaction() as session:
            tally, end = service.looked_through(session, identity, start)
        with transaction() as session:
            if end > start:
                service.advance_scan(session, identity, tally, start=start, end=end)
            elif service.finish_scan(session, identity):
                service.pause_over_finds(session, identity)
                outbox.done(session, work)
                return
        if tally.findings:
            with transaction() as session:
                service.pause_over_finds(session, identity)
    go_on(work)
