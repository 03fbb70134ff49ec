"""Imports: a file, an archive or a bucket on its way into a job, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.jobs.models import ImportMark, Job, JobImport, TemplateVersion
from marketplace.jobs.rules import (
    IMPORT_NEXT,
    ImportKind,
    ImportState,
    JobState,
    Labels,
    Line,
)
from marketplace.jobs.rules.imports import KINDS, Reading, kind_named, kinds_for
from marketplace.jobs.service.images import KeptImage, name_image
from marketplace.jobs.service.items import ItemsReport, refuse_closed, store_items
from marketplace.jobs.service.rejections import keep_rejections
from marketplace.jobs.service.states import announce, locked
from marketplace.tasktypes import task_type

REASONS_MAX = 50
HELD_FOR = timedelta(days=7)
FORGOTTEN_AT_ONCE = 100
MAPPING_MAX = 1_000
COUNTS = ("read_bytes", "read_lines", "rows_read", "accepted", "duplicates", "rejected")


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants a file to be read. kind: None for what its content shows; labels: None
    for what its kind does unless told; mapping: column → field, of tables."""

    kind: str | None = None
    labels: Labels | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


def start_import(
    session: Session,
    actor: Actor,
    job_id: UUID,
    storage_ref: str,
    *,
    filename: str,
    wish: Wish,
    size_bytes: int | None = None,
    source_url: str | None = None,
    held: bool = False,
) -> JobImport:
    """Read a stored file into a job in the background, or hold it until `release_import`.

    wish: its kind is named already, except where `source_url` says where in a bucket it lies.
    The import owns the file from here on, and deletes it when it has ended. Faulty for a kind
    that makes no items of this job's type, or for labels that its files do not have.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    refuse_closed(job)
    started = JobImport(
        id=new_id(),
        job_id=job.id,
        organisation_id=job.organisation_id,
        state=ImportState.HELD if held else ImportState.WAITING,
        filename="".join(c if c.isprintable() else "�" for c in filename)[:200],
        storage_ref=storage_ref,
        size_bytes=size_bytes,
        source_url=source_url,
        rejections_kept=0,
        left_out={},
        passed_bytes=0,
        images_added=0,
        images_known=0,
        chunks=0,
        created_by=actor.person(),
        created_at=clock.now(),
        **dict.fromkeys(COUNTS, 0),
    )
    _wish(started, job, wish)
    session.add(started)
    session.flush()  # The caller and the audit line name it.
    if not held:
        _enqueue(session, started)
    audit.record(session, actor, "started import", job.id, import_id=started.id)
    return started


def _wish(found: JobImport, job: Job, wish: Wish) -> None:
    """Set how an import is read; Faulty where it does not fit the job."""
    labels = wish.labels
    if wish.kind is not None:
        found.kind = ImportKind(wish.kind) if wish.kind == ImportKind.ARCHIVE else None
        if found.kind is None:
            kind = kind_named(wish.kind, job.task_type)
            found.kind = kind.key
            labels = _labels(kind.labels, labels)
    found.labels = labels or _usual_labels(job.task_type)
    mapping = {str(column): str(field) for column, field in wish.mapping.items()}
    if len(mapping) > MAPPING_MAX or sum(map(len, [*mapping, *mapping.values()])) > 200_000:
        raise Faulty("There are too many columns.", [Fault("/mapping", "Map fewer columns.")])
    found.mapping = mapping


def _usual_labels(task_type: str) -> Labels:
    """What labels become where files of several kinds may come, unless somebody says so."""
    return next((kind.labels[0] for kind in kinds_for(task_type) if kind.labels), Labels.LEAVE)


def _labels(known: Sequence[Labels], wished: Labels | None) -> Labels:
    if wished is not None and wished in (*known, Labels.LEAVE):
        return wished
    if wished is not None:
        words = "Files of this kind bring no such labels. Leave them out."
        raise Faulty(words, [Fault("/labels", words)])
    return known[0] if known else Labels.LEAVE


def _enqueue(session: Session, found: JobImport) -> None:
    if found.source_url is None or found.storage_ref:
        outbox.enqueue(session, "jobs.import", import_id=found.id)
    else:
        outbox.enqueue(session, "jobs.fetch_import", import_id=found.id)


def release_import(session: Session, actor: Actor, import_id: UUID, wish: Wish) -> JobImport:
    """Read a held import now, as somebody wants it after they looked; Conflict for others."""
    found, job = _held(session, actor, import_id)
    refuse_closed(job)
    _wish(found, job, wish)
    _set_state(found, ImportState.WAITING)
    _enqueue(session, found)
    audit.record(session, actor, "released import", job.id, import_id=found.id)
    return found


def change_wish(session: Session, actor: Actor, import_id: UUID, wish: Wish) -> JobImport:
    """Look at a held import in another way; Conflict for others."""
    found, job = _held(session, actor, import_id)
    _wish(found, job, wish)
    return found


def drop_import(session: Session, actor: Actor, import_id: UUID) -> JobImport:
    """Give up a held import, of which nothing was read; the caller deletes its file."""
    found, job = _held(session, actor, import_id)
    _set_state(found, ImportState.DROPPED)
    audit.record(session, actor, "dropped import", job.id, import_id=found.id)
    return found


def drop_forgotten(session: Session) -> list[str]:
    """Give up imports that were held for `HELD_FOR`; the files that the caller deletes."""
    old = (
        select(JobImport)
        .where(JobImport.state == ImportState.HELD, JobImport.created_at < clock.now() - HELD_FOR)
        .order_by(JobImport.id)
        .limit(FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    dropped = session.scalars(old).all()
    for found in dropped:
        _set_state(found, ImportState.DROPPED)
        audit.record(session, SYSTEM, "dropped import", found.job_id, import_id=found.id)
    return [found.storage_ref for found in dropped if found.storage_ref]


def _held(session: Session, actor: Actor, import_id: UUID) -> tuple[JobImport, Job]:
    actor.require(Permission.JOBS_EDIT)
    found = _locked_import(session, import_id)
    job = locked(session, actor, found.job_id)
    if found.state is not ImportState.HELD:
        raise Conflict("This file is being read already, or was. Send it again to start anew.")
    return found, job


def begin_import(session: Session, import_id: UUID) -> tuple[JobImport, Reading]:
    """The import, running from now on unless it has ended, and what its reader must know."""
    found = _locked_import(session, import_id)
    if found.state is ImportState.WAITING:
        _set_state(found, ImportState.RUNNING)
    return found, reading_of(session, found)


def reading_of(session: Session, found: JobImport) -> Reading:
    """What a reader of this import must know of its job."""
    job = session.get_one(Job, found.job_id)
    return Reading(
        task_type=job.task_type,
        template=session.get_one(TemplateVersion, job.template_version_id).template,
        schema=task_type(job.task_type).item_schema,
        labels=found.labels,
        mapping=found.mapping,
    )


@dataclass(slots=True)
class Chunk:
    """What one transaction stores of an import.

    lines: with the file of the archive that each stands in, None outside archives; images: by
    name, in the store already; file, number, end: where reading goes on; passed: bytes of files
    that were read whole; left: what could not be carried over; mark: SHA-256 of the part from
    `read_bytes` to `end`, where parts can be told by their bytes; skipped: marks of an earlier
    import whose parts are the same and were not read again.
    """

    lines: list[tuple[str | None, Line]] = field(default_factory=list)
    images: list[tuple[str, str, KeptImage]] = field(default_factory=list)
    file: str | None = None
    number: int = 0
    end: int = 0
    passed: int = 0
    left: Counter[str] = field(default_factory=Counter)
    mark: bytes | None = None
    skipped: list[ImportMark] = field(default_factory=list)


def advance_import(session: Session, import_id: UUID, chunk: Chunk, *, start: int) -> bool:
    """Store a chunk and the place where reading goes on, in one transaction.

    start: `chunks` when the caller began to read this one. False, and nothing stored, when
    another worker has gone on from there, or the import or its job has ended.
    """
    found = _locked_import(session, import_id)
    if found.state is not ImportState.RUNNING or found.chunks != start:
        return False
    job = locked(session, SYSTEM, found.job_id)
    if job.state is JobState.CLOSED:
        _fail(session, found, "The job was closed before the file was read to its end.")
        return False
    faults = _name_images(session, found, job, chunk)
    numbered = [
        Line(at, line.content, line.end)
        for at, (_, line) in enumerate([*chunk.lines, *faults], start=1)
    ]
    report = store_items(session, job, numbered)
    keep_rejections(session, found, report, [*chunk.lines, *faults])
    _count(found, report, chunk)
    _mark(session, found, report, chunk)
    found.file_passed = chunk.file
    found.read_bytes, found.read_lines = chunk.end, chunk.number
    found.passed_bytes += chunk.passed
    found.chunks += 1
    return True


def _name_images(
    session: Session, found: JobImport, job: Job, chunk: Chunk
) -> list[tuple[str | None, Line]]:
    """Name the images of a chunk; those whose name is taken are faults."""
    faults: list[tuple[str | None, Line]] = []
    for file, name, kept in chunk.images:
        try:
            _, added = name_image(session, job, name, kept)
        except (Conflict, Faulty) as refused:
            faults.append((file, Line(1, Fault("", refused.message))))
            continue
        found.images_added += added
        found.images_known += not added
    return faults


def _count(found: JobImport, report: ItemsReport, chunk: Chunk) -> None:
    skipped = sum(mark.rows for mark in chunk.skipped)
    found.rows_read += report.rows_read + skipped
    found.accepted += report.accepted
    found.duplicates += report.duplicates + skipped
    found.rejected += report.rows_rejected
    left = Counter(found.left_out)
    left.update(chunk.left)
    found.left_out = {reason: count for reason, count in left.most_common(REASONS_MAX) if count}


def _mark(session: Session, found: JobImport, report: ItemsReport, chunk: Chunk) -> None:
    """Keep what tells these parts by their bytes, for a later file that begins alike."""
    parts = [
        ImportMark(
            import_id=found.id,
            start_bytes=each.start_bytes,
            end_bytes=each.end_bytes,
            lines=each.lines,
            rows=each.rows,
            clean=True,
            sha256=each.sha256,
        )
        for each in chunk.skipped
    ]
    if chunk.mark is not None and chunk.end > found.read_bytes:
        last = ImportMark(
            import_id=found.id,
            start_bytes=found.read_bytes,
            end_bytes=chunk.end,
            lines=chunk.number,
            rows=report.rows_read,
            clean=report.rows_rejected == 0,
            sha256=chunk.mark,
        )
        parts.append(last)
    session.add_all(parts)


def measure_import(session: Session, import_id: UUID, total_bytes: int) -> None:
    """Keep how much the files of an archive hold."""
    _locked_import(session, import_id).total_bytes = total_bytes


def fetched_import(
    session: Session,
    import_id: UUID,
    *,
    kind: ImportKind,
    storage_ref: str = "",
    size_bytes: int | None = None,
) -> None:
    """Keep what lies in a bucket: one file, in our store now, or many; and read on."""
    found = _locked_import(session, import_id)
    if found.state is ImportState.WAITING:
        found.storage_ref, found.size_bytes = storage_ref, size_bytes
        if found.kind in (None, ImportKind.ARCHIVE) or kind is ImportKind.ARCHIVE:
            found.kind = kind
            known = KINDS[kind].labels if kind in KINDS else ()
            if found.labels not in (*known, Labels.LEAVE) and kind in KINDS:
                found.labels = Labels.LEAVE
        outbox.enqueue(session, "jobs.import", import_id=found.id)


def finish_import(session: Session, import_id: UUID, *, start: int) -> bool:
    """Say that the file is read to its end, if nobody has read on from chunk `start`."""
    found = _locked_import(session, import_id)
    if found.state is not ImportState.RUNNING or found.chunks != start:
        return False
    _set_state(found, ImportState.DONE)
    facts = {"accepted": found.accepted, "rejected": found.rejected}
    audit.record(session, SYSTEM, "finished import", found.job_id, import_id=found.id, **facts)
    job = session.get_one(Job, found.job_id)
    announce(session, job, "job.import_finished", import_id=found.id, **facts)
    return True


def fail_import(session: Session, import_id: UUID, failure: str) -> None:
    """End an import that cannot go on; what it stored stays. failure: a sentence for the lab."""
    found = _locked_import(session, import_id)
    if found.finished_at is None:
        _fail(session, found, failure)


def _fail(session: Session, found: JobImport, failure: str) -> None:
    found.failure = failure[:1_000]
    _set_state(found, ImportState.FAILED)
    audit.record(session, SYSTEM, "import failed", found.job_id, import_id=found.id)
    job = session.get_one(Job, found.job_id)
    announce(session, job, "job.import_failed", import_id=found.id)


def _set_state(found: JobImport, state: ImportState) -> None:
    if state not in IMPORT_NEXT[found.state]:
        raise Conflict(f"An import that is {found.state} cannot become {state}.")
    found.state = state
    if not IMPORT_NEXT[state]:
        found.finished_at = clock.now()


def _locked_import(session: Session, import_id: UUID) -> JobImport:
    found = session.get(JobImport, import_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise Missing("There is no such import.")
    return found
