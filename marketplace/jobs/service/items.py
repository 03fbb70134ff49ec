"""Items: reading rows, telling repeats from conflicts, storing the rest by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import psycopg
from sqlalchemy import Text, cast, func, insert, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from marketplace import audit
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.jobs.models import Item, ItemAuthor, Job, Prelabel, TemplateVersion
from marketplace.jobs.rules import (
    Checks,
    ItemRow,
    JobState,
    Line,
    Purpose,
    Rejected,
    lines_of,
    read_row,
    sent_as,
)
from marketplace.jobs.service import scans
from marketplace.jobs.service.states import announce, locked
from marketplace.tasktypes import Json, task_type

BATCH_ROWS = 1_000
BATCH_BYTES = 4 * 1024 * 1024
REJECTED_TOLD_MAX = 1_000
MISFITS_TOLD_MAX = 20
STORED = "An item with this id and other content is stored; the stored one is kept. Use another id."
ITEM_COPY = (
    "COPY item (id, job_id, external_id, position, payload, payload_sha256, sent_sha256, gold) "
    "FROM STDIN"
)
PRELABEL_COPY = "COPY prelabel (item_id, number, model, version, payload, confidence) FROM STDIN"


# What was sent before under ids that were looked for; None where nothing was.
Known = dict[str, bytes | None]


@dataclass(slots=True)
class ItemsReport:
    """What became of the rows: `rows_read == accepted + duplicates + rows_rejected`.

    rejected: each fault of the rejected rows, at most `REJECTED_TOLD_MAX` of them.
    """

    rows_read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rows_rejected: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, faults: Sequence[Rejected]) -> None:
        """Count a row as rejected, and tell its faults while there is room."""
        self.rows_rejected += 1
        self.rejected += faults[: REJECTED_TOLD_MAX - len(self.rejected)]


def add_items(
    session: Session, actor: Actor, job_id: UUID, lines: Iterable[Line | bytes]
) -> ItemsReport:
    """Store the items of NDJSON lines; rows that cannot be used never stop the others.

    lines: from `rules.ndjson_lines`, or plain lines without their ends. All in this transaction.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    refuse_closed(job)
    report = store_items(session, job, lines)
    if report.accepted:
        facts = {"accepted": report.accepted, "item_count": job.item_count}
        audit.record(session, actor, "added items", job.id, **facts)
        announce(session, job, "job.items_added", **facts)
    return report


def refuse_closed(job: Job) -> None:
    """Conflict for a job that takes no more items."""
    if job.state is JobState.CLOSED:
        raise Conflict("This job is closed; it takes no more items. Post a new job.")
    if job.purpose is Purpose.QUALIFICATION and job.state is not JobState.DRAFT:
        raise Conflict("The items of a published qualification stand fast. Post another one.")


def store_items(session: Session, job: Job, lines: Iterable[Line | bytes]) -> ItemsReport:
    """Store what can be stored, batch after batch; the job's row is locked by the caller."""
    template = session.get_one(TemplateVersion, job.template_version_id).template
    checks = checks_of(job.task_type, template)
    report = ItemsReport()
    for batch in _batches(lines_of(lines)):
        report.rows_read += len(batch)
        rows = []
        known: Known = {}
        for line in _unknown(session, job, batch, report, known):
            row = read_row(line, checks)
            if isinstance(row, ItemRow):
                rows.append(row)
            else:
                report.reject(row)
        _store(session, job, _fresh(session, job, rows, report, known))
    session.flush()  # The count is the base of the next positions.
    if report.accepted:
        scans.wanted(session, job)
    return report


def checks_of(kind: str, template: Json) -> Checks:
    """The checks of a task type, bound to a legal template."""
    of = task_type(kind)
    return Checks(
        payload=lambda payload: of.check_item(template, payload),
        judgement=lambda payload, said: of.check_prelabel(template, payload, said),
        gold=lambda payload, gold: of.check_gold(template, payload, gold),
    )


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Lists bounded in rows and in bytes."""
    batch: list[Line] = []
    held = 0
    for line in lines:
        batch.append(line)
        held += len(line.content) if isinstance(line.content, bytes) else 0
        if len(batch) >= BATCH_ROWS or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _unknown(
    session: Session, job: Job, batch: list[Line], report: ItemsReport, known: Known
) -> Iterable[Line]:
    """The lines that are not stored exactly so; the others are counted without a check.

    What is stored was checked, so a file that is sent again costs little more than its reading.
    known: is told what was found of each id that was looked for.
    """
    if not job.item_count:
        return batch
    said = [sent_as(line) for line in batch]
    asked = [each[0] for each in said if each]
    known |= dict.fromkeys(asked) | _stored(session, job, asked)
    unknown = []
    for line, each in zip(batch, said, strict=True):
        if each is not None and known[each[0]] == each[1]:
            report.duplicates += 1
        else:
            unknown.append(line)
    return unknown


def _fresh(
    session: Session, job: Job, rows: Sequence[ItemRow], report: ItemsReport, known: Known
) -> list[ItemRow]:
    """The rows that are not stored yet; repeats are counted and conflicts reported.

    The job's lock keeps others from storing the same ids between the look and the COPY.
    known: of the ids that were looked for already; nobody looks for them again.
    """
    others = [row.external_id for row in rows if row.external_id not in known]
    if others and job.item_count:
        known |= _stored(session, job, others)
    former: dict[str, bytes] = {each: sent for each, sent in known.items() if sent is not None}
    fresh = []
    for row in rows:
        before = former.setdefault(row.external_id, row.sent_sha256)
        if before is row.sent_sha256:
            fresh.append(row)
        elif before == row.sent_sha256:
            report.duplicates += 1
        else:
            report.reject([Rejected(row.line, row.external_id, "/external_id", STORED)])
    report.accepted += len(fresh)
    return fresh


def _stored(session: Session, job: Job, external_ids: list[str]) -> dict[str, bytes]:
    """What was sent under these ids before, by id: one look into the index for each.

    Said as a lateral join, as a list of ids makes the planner read the whole job at times.
    """
    wanted = (
        func.unnest(cast(external_ids, ARRAY(Text)))
        .table_valued("external_id", name="wanted")
        .render_derived()
    )
    found = (
        select(Item.external_id, Item.sent_sha256)
        .where(Item.job_id == job.id, Item.external_id == wanted.c.external_id)
        .limit(1)
        .lateral("found")
    )
    rows = select(found.c.external_id, found.c.sent_sha256).select_from(wanted).join(found, true())
    return {external_id: bytes(sent) for external_id, sent in session.execute(rows)}


def _store(session: Session, job: Job, rows: Sequence[ItemRow]) -> None:
    if not rows:
        return
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - the only driver we use.
    ids = [new_id() for _ in rows]
    first = job.item_count + 1
    with connection.cursor() as cursor:
        with cursor.copy(ITEM_COPY) as copy:
            for position, (item_id, row) in enumerate(zip(ids, rows, strict=True), start=first):
                said = (row.payload, row.payload_sha256, row.sent_sha256, row.gold)
                copy.write_row((item_id, job.id, row.external_id, position, *said))
        if any(row.prelabels for row in rows):
            with cursor.copy(PRELABEL_COPY) as copy:
                for item_id, row in zip(ids, rows, strict=True):
                    for number, each in enumerate(row.prelabels, start=1):
                        author = (each.model, each.version)
                        copy.write_row((item_id, number, *author, each.payload, each.confidence))
    _store_authors(session, job, zip(ids, rows, strict=True))
    job.item_count += len(rows)


def _store_authors(session: Session, job: Job, stored: Iterable[tuple[UUID, ItemRow]]) -> None:
    authors = [
        {"item_id": item_id, "author": author} for item_id, row in stored for author in row.authors
    ]
    if authors:
        session.execute(insert(ItemAuthor), authors)
        job.items_authored = True


def misfits(session: Session, job: Job, template: Json) -> list[Fault]:
    """The first items that do not fit another template, read in a stream."""
    if not job.item_count:
        return []
    checks = checks_of(job.task_type, template)
    return list(islice(_misfits(session, job, checks), MISFITS_TOLD_MAX))


def _misfits(session: Session, job: Job, checks: Checks) -> Iterator[Fault]:
    items = select(Item.id, Item.external_id, Item.payload, Item.gold).where(Item.job_id == job.id)
    streamed = {"yield_per": BATCH_ROWS}
    with session.execute(items.order_by(Item.position), execution_options=streamed) as rows:
        for row in rows:
            faults = [Fault(f"/payload{f.pointer}", f.message) for f in checks.payload(row.payload)]
            if not faults and row.gold is not None:
                gold = checks.gold(row.payload, row.gold)
                faults += [Fault(f"/gold{fault.pointer}", fault.message) for fault in gold]
            for fault in faults:
                yield Fault(f"/items{fault.pointer}", f"Item {row.external_id}: {fault.message}")
    said = (
        select(Item.external_id, Item.payload, Prelabel.number, Prelabel.payload.label("said"))
        .join(Prelabel, Prelabel.item_id == Item.id)
        .where(Item.job_id == job.id)
        .order_by(Item.position, Prelabel.number)
    )
    with session.execute(said, execution_options=streamed) as rows:
        for row in rows:
            for fault in checks.judgement(row.payload, row.said):
                place = f"/items/prelabels/{row.number - 1}/payload{fault.pointer}"
                yield Fault(place, f"Item {row.external_id}: {fault.message}")
