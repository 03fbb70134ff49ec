"""Imports: a stored file on its way into a job, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.jobs.models import Job, JobImport, RejectedRow
from marketplace.jobs.rules import IMPORT_NEXT, ImportKind, ImportState, JobState, Line
from marketplace.jobs.service.items import ItemsReport, refuse_closed, store_items
from marketplace.jobs.service.states import announce, locked
from marketplace.tasktypes import Json, task_type

FILES_TAKEN = "JSONL (.jsonl, .ndjson) and CSV (.csv, .tsv)"
KIND_OF_SUFFIX = {"jsonl": "jsonl", "ndjson": "jsonl", "csv": "csv", "tsv": "csv"}
REJECTIONS_KEPT_MAX = 100_000
COUNTS = ("read_bytes", "read_lines", "rows_read", "accepted", "duplicates", "rejected")


def start_import(
    session: Session,
    actor: Actor,
    job_id: UUID,
    storage_ref: str,
    *,
    filename: str,
    kind: str | None = None,
    size_bytes: int | None = None,
) -> JobImport:
    """Read a stored file into a job in the background; Faulty for a form we do not read.

    kind: `jsonl` or `csv`; told by the file's name where it is None. The import owns the file
    from here on, and deletes it when it is done.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    refuse_closed(job)
    form = _kind(filename, kind)
    started = JobImport(
        id=new_id(),
        job_id=job.id,
        organisation_id=job.organisation_id,
        kind=form,
        state=ImportState.WAITING,
        filename="".join(c if c.isprintable() else "�" for c in filename)[:200],
        storage_ref=storage_ref,
        size_bytes=size_bytes,
        rejections_kept=0,
        created_by=actor.person(),
        created_at=clock.now(),
        **dict.fromkeys(COUNTS, 0),
    )
    session.add(started)
    session.flush()  # The caller and the audit line name it.
    outbox.enqueue(session, "jobs.import", import_id=started.id)
    audit.record(session, actor, "started import", job.id, import_id=started.id)
    return started


def _kind(filename: str, kind: str | None) -> ImportKind:
    suffix = filename.rpartition(".")[2].lower()
    try:
        return ImportKind(KIND_OF_SUFFIX.get(suffix, suffix) if kind is None else kind)
    except ValueError:
        fault = Fault("/file", f"Send {FILES_TAKEN}; this is “{(kind or filename)[-40:]}”.")
        raise Faulty(f"We read {FILES_TAKEN} so far.", [fault]) from None


def begin_import(session: Session, import_id: UUID) -> tuple[JobImport, Json]:
    """The import, running from now on unless it has ended, and the schema of its job's items."""
    found = _locked_import(session, import_id)
    if found.state is ImportState.WAITING:
        _set_state(found, ImportState.RUNNING)
    job = session.get_one(Job, found.job_id)
    return found, task_type(job.task_type).item_schema


def advance_import(session: Session, import_id: UUID, lines: Sequence[Line], *, start: int) -> bool:
    """Store the items of the next lines and the place where reading goes on, in one transaction.

    start: the place where the caller began to read them. False, and nothing stored, when another
    worker has gone on from there, or the import or its job has ended.
    """
    found = _locked_import(session, import_id)
    if found.state is not ImportState.RUNNING or found.read_bytes != start:
        return False
    job = locked(session, SYSTEM, found.job_id)
    if job.state is JobState.CLOSED:
        _fail(session, found, "The job was closed before the file was read to its end.")
        return False
    report = store_items(session, job, lines)
    _keep_rejections(session, found, report)
    found.rows_read += report.rows_read
    found.accepted += report.accepted
    found.duplicates += report.duplicates
    found.rejected += report.rows_rejected
    found.read_bytes, found.read_lines = lines[-1].end, lines[-1].number
    return True


def finish_import(session: Session, import_id: UUID, *, start: int) -> bool:
    """Say that the file is read to its end, if reading began at `start` as the row says."""
    found = _locked_import(session, import_id)
    if found.state is not ImportState.RUNNING or found.read_bytes != start:
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
    found.failure = failure
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


def _keep_rejections(session: Session, found: JobImport, report: ItemsReport) -> None:
    room = REJECTIONS_KEPT_MAX - found.rejections_kept
    kept = [
        {
            "import_id": found.id,
            "number": number,
            "line": fault.line,
            "external_id": fault.external_id,
            "pointer": fault.pointer,
            "message": fault.message,
        }
        for number, fault in enumerate(report.rejected[:room], start=found.rejections_kept + 1)
    ]
    if kept:
        session.execute(insert(RejectedRow), kept)
        found.rejections_kept += len(kept)
