"""The scan for personal details: asked for, written down piece by piece, declared on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Missing
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Item, ItemScan, Job, Prelabel, ScanFinding
from marketplace.jobs.rules.scan import (
    PLACES_MAX,
    SCANNER_VERSION,
    Declaration,
    Tally,
    kept_field,
)
from marketplace.jobs.service.late_finds import resume_over_word
from marketplace.jobs.service.states import locked

CHUNK_ITEMS = 200
CHUNK_BYTES = 4 * 1024 * 1024
STREAMED = {"yield_per": 20}


def wanted(session: Session, job: Job) -> None:
    """Ask for a scan of what is new; the caller holds the job's row. Once is enough."""
    scan = session.get(ItemScan, job.id, with_for_update=True, populate_existing=True)
    if scan is None:
        scan = ItemScan(
            job_id=job.id,
            scanner_version=SCANNER_VERSION,
            position=0,
            found=0,
            items=0,
            waiting=False,
        )
        session.add(scan)
    if not scan.waiting:
        scan.waiting = True
        outbox.enqueue(session, "jobs.scan_items", job_id=job.id)


def scan_again(session: Session, actor: Actor, job_id: UUID) -> None:
    """Look through all items anew, as after a change of the scanner; what was found is dropped."""
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    wanted(session, job)
    session.flush()  # A scan that was never asked for has its row from here on.
    _restart(session, session.get_one(ItemScan, job.id))
    audit.record(session, actor, "asked for a scan", job.id)


def _restart(session: Session, scan: ItemScan) -> None:
    session.execute(delete(ScanFinding).where(ScanFinding.job_id == scan.job_id))
    scan.scanner_version = SCANNER_VERSION
    scan.position = scan.found = scan.items = 0


def begin_scan(session: Session, job_id: UUID) -> int:
    """The position from which to look on; 0 after a change of the scanner, which looks anew."""
    scan = _locked_scan(session, job_id)
    if scan.scanner_version != SCANNER_VERSION:
        _restart(session, scan)
    return scan.position


def looked_through(session: Session, job_id: UUID, after: int) -> tuple[Tally, int]:
    """What the next items hold, and the position of the last one looked at; bounded in bytes."""
    tally, position, held = Tally(), after, 0
    items = (
        select(Item.id, Item.external_id, Item.position, Item.payload, Item.gold)
        .where(Item.job_id == job_id, Item.position > after)
        .order_by(Item.position)
        .limit(CHUNK_ITEMS)
    )
    with session.execute(items, execution_options=STREAMED) as rows:
        for rows_of_a_part in rows.partitions():
            said = _said(session, [row.id for row in rows_of_a_part])
            for row in rows_of_a_part:
                parts = {"payload": row.payload, "gold": row.gold, "prelabels": said.get(row.id)}
                tally.look(row.external_id, row.position, parts)
                position = row.position
                held += len(str(row.payload))
            if held >= CHUNK_BYTES:
                break
    return tally, position


def _said(session: Session, item_ids: list[UUID]) -> dict[UUID, list[object]]:
    found: dict[UUID, list[object]] = {}
    said = select(Prelabel.item_id, Prelabel.payload).where(Prelabel.item_id.in_(item_ids))
    for item_id, payload in session.execute(said.order_by(Prelabel.item_id, Prelabel.number)):
        found.setdefault(item_id, []).append(payload)
    return found


def advance_scan(session: Session, job_id: UUID, tally: Tally, *, start: int, end: int) -> bool:
    """Add what a piece held. False, and nothing added, when another worker has gone on."""
    scan = _locked_scan(session, job_id)
    if scan.position != start or scan.scanner_version != SCANNER_VERSION:
        return False
    known = {
        (each.kind, each.field): each
        for each in session.scalars(select(ScanFinding).where(ScanFinding.job_id == job_id))
    }
    for (kind, place), seen in tally.findings.items():
        field = kept_field(known, kind, place)
        row = known.get((kind, field))
        if row is None:
            row = ScanFinding(job_id=job_id, kind=kind, field=field, found=0, items=0, places=[])
            known[kind, field] = row
            session.add(row)
        row.found += seen.found
        row.items += seen.items
        row.places = [*row.places, *seen.places][:PLACES_MAX]
        scan.found += seen.found
    scan.items += tally.items
    scan.position = end
    return True


def finish_scan(session: Session, job_id: UUID) -> bool:
    """Say that all items were looked through; False when more came meanwhile."""
    job = locked(session, SYSTEM, job_id)  # Whoever adds items holds this row, so none slips by.
    scan = _locked_scan(session, job_id)
    if scan.position < job.item_count:
        return False
    scan.waiting = False
    scan.scanned_at = clock.now()
    return True


def declare(session: Session, actor: Actor, job_id: UUID, declaration: Declaration) -> ItemScan:
    """Take down what the lab says of all that was found until now; it holds until more is found.

    Conflict while the scan has not looked at every item.
    """
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    scan = session.get(ItemScan, job.id, with_for_update=True, populate_existing=True)
    if scan is None or scan.waiting:
        raise Conflict("The scan has not looked at every item yet. Wait for it, then declare.")
    scan.declaration = declaration
    scan.declared_found = scan.found
    scan.declared_by = actor.person()
    scan.declared_at = clock.now()
    session.flush()  # What is declared decides whether the job goes on.
    resume_over_word(session, actor, job)
    audit.record(
        session,
        actor,
        "declared on personal details",
        job.id,
        declaration=declaration.value,
        found=scan.found,
        scanner_version=scan.scanner_version,
    )
    return scan


def _locked_scan(session: Session, job_id: UUID) -> ItemScan:
    scan = session.get(ItemScan, job_id, with_for_update=True, populate_existing=True)
    if scan is None:
        raise Missing("Nobody asked for a scan of this job.")
    return scan
