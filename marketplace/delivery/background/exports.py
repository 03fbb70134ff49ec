"""Writing exports in the background."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import IO
from uuid import UUID

from marketplace import outbox, storage
from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.errors import Refused
from marketplace.ids import ExportId
from marketplace.jobs.models import Job
from marketplace.tasktypes import Counts, Policy, Record, task_type

CHUNK_ITEMS = 500


class CountsDiffer(Refused):
    """What was written is not what the database holds: the file is not offered."""

    code = "counts_differ"


@outbox.background("delivery.write_export", time_limit_seconds=3600)
def write_export(work: outbox.Work, export_id: str) -> None:
    """Write one file from the beginning; the same bytes whenever it runs."""
    with transaction() as session:
        export = service.begin(session, ExportId(UUID(export_id)))
        job = session.get_one(Job, export.job_id) if export else None
    if export is None or job is None:
        with transaction() as session:
            outbox.done(session, work)
        return
    with tempfile.TemporaryFile() as out:
        try:
            labels_at = _labels_at(export)
            counts, sha256, reading = _write(out, export, job)
            _agree(export, reading.judgements, labels_at)
        except Refused as refused:
            with transaction() as session:
                service.fail(session, export.id, refused.message)
                outbox.done(session, work)
            return
        out.seek(0)
        size = storage.current().put(export.reference, out)
    with transaction() as session:
        service.finish(
            session,
            export.id,
            rows=counts.rows,
            size=size,
            sha256=sha256,
            counts=counts.as_json() | reading.told(),
        )
        outbox.done(session, work)


def _labels_at(export: Export) -> datetime | None:
    """When the labels that a file tells were last computed; None for files of judgements."""
    if export.policy != Policy.MODEL:
        return None
    with transaction() as session:
        return queries.labels_as_of(session, export.job_id)


def _write(out: IO[bytes], export: Export, job: Job) -> tuple[Counts, str, _Reading]:
    exporter = task_type(job.task_type).exports[export.format]
    counts, digest = Counts(), hashlib.sha256()
    reading = _Reading(export)
    for data in exporter.file(reading.records(), export.policy, counts):
        digest.update(data)
        out.write(data)
    return counts, digest.hexdigest(), reading


class _Reading:
    """Reads records chunk by chunk, each in a transaction of its own, and keeps the progress."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self.judgements = 0
        self.labelled_by: Counter[str] = Counter()

    def told(self) -> dict[str, dict[str, int]]:
        """For the manifest: whose word the labels are; nothing for files of judgements."""
        return {"labelled_by": dict(sorted(self.labelled_by.items()))} if self.labelled_by else {}

    def records(self) -> Iterator[Record]:
        """All records of the export, in the order of their items."""
        position, reached = 0, -1
        while position != reached:
            reached = position
            with transaction() as session:
                chunk = queries.records_after(session, self._export, position, limit=CHUNK_ITEMS)
                session.get_one(Export, self._export.id).items_read = chunk.position
            position = chunk.position
            for record in chunk.records:
                self.judgements += 1 if record.labelled_by else len(record.judgements)
                if record.labelled_by:
                    self.labelled_by[record.labelled_by] += 1
                yield record


def _agree(export: Export, read: int, labels_at: datetime | None) -> None:
    if _labels_at(export) != labels_at:
        raise CountsDiffer(
            "The labels were computed anew while the file was being written, so that it would hold "
            "some of before and some of after. Ask for the export again."
        )
    with transaction() as session:
        held = queries.accepted_count(session, export)
    if held != read:
        raise CountsDiffer(
            f"The file holds {read} judgements and the database {held}. It is not offered; "
            "ask for the export again, and tell us if it happens twice."
        )
