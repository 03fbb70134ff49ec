"""Reads of imports, for who may see their job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.jobs.models import ImportMark, JobBucket, JobImport, RejectedRow
from marketplace.jobs.queries.jobs import LIMIT_MAX, job_of

MARKS_MAX = 200_000
FORMER_LOOKED_AT = 20


def import_of(session: Session, viewer: Actor, import_id: UUID) -> JobImport:
    """An import with its progress; Missing when it is not there or another organisation's."""
    found = session.get(JobImport, import_id)
    if found is None:
        raise Missing("There is no such import.")
    job_of(session, viewer, found.job_id)
    return found


def imports_of(
    session: Session, viewer: Actor, job_id: UUID, *, after: UUID | None = None, limit: int = 20
) -> Sequence[JobImport]:
    """Imports of a job, newest first."""
    job = job_of(session, viewer, job_id)
    imports = select(JobImport).where(JobImport.job_id == job.id)
    if after is not None:
        imports = imports.where(JobImport.id < after)
    return session.scalars(
        imports.order_by(JobImport.id.desc()).limit(max(1, min(limit, LIMIT_MAX)))
    ).all()


def rejected_rows(
    session: Session, viewer: Actor, import_id: UUID, *, after: int = 0, limit: int = 100
) -> Sequence[RejectedRow]:
    """Faults of an import in the order of its lines; `after`: the number of the last one seen."""
    found = import_of(session, viewer, import_id)
    rows = select(RejectedRow).where(RejectedRow.import_id == found.id, RejectedRow.number > after)
    return session.scalars(rows.order_by(RejectedRow.number).limit(limit)).all()


def rejected_lines(session: Session, viewer: Actor, import_id: UUID) -> Iterator[bytes]:
    """The lines of `rejected.jsonl`, streamed: line, external_id, pointer and message of each, and
    the file of an archive."""
    found = import_of(session, viewer, import_id)
    told = (RejectedRow.line, RejectedRow.external_id, RejectedRow.pointer, RejectedRow.message)
    rows = (
        select(RejectedRow.file, *told)
        .where(RejectedRow.import_id == found.id)
        .order_by(RejectedRow.number)
    )
    for row in session.execute(rows, execution_options={"yield_per": 1_000}):
        said = {name: value for name, value in row._asdict().items() if name != "file" or value}
        yield json.dumps(said, ensure_ascii=False).encode() + b"\n"


def bucket_key_of(session: Session, viewer: Actor, job_id: UUID) -> JobBucket | None:
    """How a job's files are read from a bucket; None where nobody said so yet."""
    return session.get(JobBucket, job_of(session, viewer, job_id).id)


def former_marks(session: Session, found: JobImport) -> Mapping[int, ImportMark]:
    """What earlier imports of the same job stored that were read in the same way, by the place
    where it begins: of the newest that stored most. For the background only, which sees all."""
    alike = (
        select(JobImport.id)
        .where(
            JobImport.job_id == found.job_id,
            JobImport.id < found.id,
            JobImport.kind == found.kind,
            JobImport.labels == found.labels,
            JobImport.mapping == found.mapping,
        )
        .order_by(JobImport.id.desc())
        .limit(FORMER_LOOKED_AT)
        .subquery()
    )
    stored = select(ImportMark.import_id).join(alike, alike.c.id == ImportMark.import_id)
    widest = (
        stored.group_by(ImportMark.import_id)
        .order_by(func.max(ImportMark.end_bytes).desc(), ImportMark.import_id.desc())
        .limit(1)
    )
    chosen = session.scalar(widest)
    if chosen is None:
        return {}
    marks = select(ImportMark).where(ImportMark.import_id == chosen).limit(MARKS_MAX)
    return {mark.start_bytes: mark for mark in session.scalars(marks)}
