"""Editions of published lists: begun, staged row by row, and taken over by what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select, text
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.specialists.models.lists import ListEntry, ListRowStaged, ReferenceSnapshot
from marketplace.specialists.rules.list_files import FILES, ListRow
from marketplace.specialists.rules.lists import (
    LIST_NAMES,
    SHRINK_FROM,
    SHRINK_MAX,
    PublishedList,
    SnapshotState,
)

# A load that nobody has heard of for this long has died.
LOAD_DIES_AFTER = timedelta(hours=2)
_COPY = """COPY list_row_staged (snapshot_id, number, id, entry_key, content, names, npi, born,
  places, listed_as, listed_on, keys) FROM STDIN"""
_TWICE = """DELETE FROM list_row_staged a USING list_row_staged b
  WHERE a.snapshot_id = :snapshot AND b.snapshot_id = :snapshot AND a.entry_key = b.entry_key
    AND (b.content, b.number) < (a.content, a.number)"""
_GONE = """SELECT count(*) FROM list_entry e WHERE e.source = :source AND e.until_id IS NULL
  AND NOT EXISTS (SELECT FROM list_row_staged r
                  WHERE r.snapshot_id = :snapshot AND r.entry_key = e.entry_key)"""
_END = """UPDATE list_entry e SET until_id = :snapshot
  WHERE e.source = :source AND e.until_id IS NULL
    AND NOT EXISTS (SELECT FROM list_row_staged r WHERE r.snapshot_id = :snapshot
                    AND r.entry_key = e.entry_key AND r.content = e.content)"""
_BEGIN = """INSERT INTO list_entry (id, source, entry_key, content, names, npi, born, places,
    listed_as, listed_on, keys, since_id)
  SELECT r.id, CAST(:source AS text), r.entry_key, r.content, r.names, r.npi, r.born, r.places,
    r.listed_as, r.listed_on, r.keys, :snapshot
  FROM list_row_staged r WHERE r.snapshot_id = :snapshot
    AND NOT EXISTS (SELECT FROM list_entry e WHERE e.source = :source AND e.until_id IS NULL
                    AND e.entry_key = r.entry_key)"""
_CHANGED = """SELECT count(*) FROM list_entry now
  JOIN list_entry before ON before.source = now.source AND before.entry_key = now.entry_key
  WHERE now.since_id = :snapshot AND before.until_id = :snapshot"""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file of an edition. sha256: hexadecimal; stored: its reference in the store, or empty."""

    name: str
    sha256: str
    stored: str = ""


def begin_snapshot(
    session: Session,
    actor: Actor,
    source: PublishedList,
    files: Sequence[ListFile],
    *,
    source_on: date | None = None,
    shrink_accepted: bool = False,
) -> tuple[ReferenceSnapshot, bool]:
    """The edition that these files are, and whether it still has to be loaded.

    source_on: the day of the edition, today where None. The same files give the same snapshot;
    files that wait in the store are loaded in the background. Raises Faulty for a wrong number of
    files or a day after which a newer edition was loaded, Conflict while another one loads.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    day = source_on or clock.now().date()
    digest = hashlib.sha256("|".join(each.sha256 for each in files).encode()).hexdigest()
    known = _known(session, source, digest)
    if known is not None:
        return known, known.state is SnapshotState.LOADING
    _refuse(session, source, files, day)
    snapshot = ReferenceSnapshot(
        id=new_id(),
        source=source,
        state=SnapshotState.LOADING,
        files=[each.name[:200] for each in files],
        stored=[each.stored for each in files if each.stored],
        sha256=digest,
        source_on=day,
        row_count=0,
        shrink_accepted=shrink_accepted,
        loaded_by=actor.person_id,
        began_at=clock.now(),
    )
    session.add(snapshot)
    session.flush()  # Its unique indexes speak here; the background needs the row.
    audit.record(session, actor, "began to load a list", snapshot.id, source=source.value)
    if snapshot.stored:
        outbox.enqueue(session, "specialists.load_list", snapshot_id=snapshot.id)
    return snapshot, True


def _known(session: Session, source: PublishedList, digest: str) -> ReferenceSnapshot | None:
    return session.scalars(
        select(ReferenceSnapshot).where(
            ReferenceSnapshot.source == source,
            ReferenceSnapshot.sha256 == digest,
            ReferenceSnapshot.state != SnapshotState.FAILED,
        )
    ).first()


def _refuse(session: Session, source: PublishedList, files: Sequence[ListFile], day: date) -> None:
    wanted = FILES[source]
    if len(files) != len(wanted):
        message = f"{LIST_NAMES[source]} comes as {', '.join(wanted)}."
        raise Faulty("Files are missing.", [Fault("/files", message)])
    today = clock.now().date()
    current = current_snapshot(session, source)
    if day > today or (current is not None and day < current.source_on):
        advice = "Its day lies in the future." if day > today else "A newer edition is loaded."
        raise Faulty("The edition's day cannot be right.", [Fault("/source_on", advice)])
    loading = session.scalars(
        select(ReferenceSnapshot)
        .where(ReferenceSnapshot.source == source)
        .where(ReferenceSnapshot.state == SnapshotState.LOADING)
        .with_for_update()
    ).first()
    if loading is None:
        return
    if loading.began_at > clock.now() - LOAD_DIES_AFTER:
        raise Conflict("Another edition of this list is being loaded; wait for it to end.")
    fail_snapshot(session, loading.id, "The load was cut off.")


def current_snapshot(session: Session, source: PublishedList) -> ReferenceSnapshot | None:
    """The edition that counts now: the one loaded last; None before the first."""
    loaded = select(ReferenceSnapshot).where(
        ReferenceSnapshot.source == source, ReferenceSnapshot.state == SnapshotState.LOADED
    )
    return session.scalars(loaded.order_by(ReferenceSnapshot.loaded_at.desc()).limit(1)).first()


def restart_staging(session: Session, snapshot_id: UUID) -> ReferenceSnapshot:
    """Forget what an earlier try staged; the snapshot, which is not loaded yet or has ended."""
    snapshot = session.get(
        ReferenceSnapshot, snapshot_id, with_for_update=True, populate_existing=True
    )
    if snapshot is None:
        raise Missing("There is no such edition.")
    if snapshot.state is SnapshotState.LOADING:
        session.execute(delete(ListRowStaged).where(ListRowStaged.snapshot_id == snapshot_id))
        snapshot.row_count = 0
    return snapshot


def stage_rows(
    session: Session, snapshot_id: UUID, rows: Iterable[ListRow], *, first: int, read: int
) -> None:
    """Add rows to those staged, numbered from `first`; read: how many the file had so far."""
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for number, row in enumerate(rows, first):
            copy.write_row(
                (
                    snapshot_id,
                    number,
                    new_id(),
                    row.key,
                    row.content,
                    list(row.names),
                    row.npi,
                    list(row.born),
                    list(row.places),
                    row.listed_as,
                    row.listed_on,
                    list(row.keys),
                )
            )
    snapshot = session.get_one(ReferenceSnapshot, snapshot_id, with_for_update=True)
    snapshot.row_count = read


def finish_snapshot(session: Session, snapshot_id: UUID) -> ReferenceSnapshot:
    """Take over what is staged: end the entries that are gone or changed, begin the others.

    An edition that drops more than a fifth of the one before fails instead, unless somebody said
    that it may; one without anybody fails always, since all would pass it. Afterwards people are
    screened against what is new, in the background.
    """
    snapshot = session.get_one(ReferenceSnapshot, snapshot_id, with_for_update=True)
    if snapshot.state is not SnapshotState.LOADING:
        return snapshot
    facts = {"snapshot": snapshot_id, "source": snapshot.source.value}
    before = _current_entries(session, snapshot.source)
    session.execute(text(_TWICE), facts)
    gone = session.scalar(text(_GONE), facts) or 0
    staged = select(ListRowStaged.id).where(ListRowStaged.snapshot_id == snapshot_id)
    if session.scalar(staged.limit(1)) is None:
        return fail_snapshot(
            session,
            snapshot_id,
            "Nobody is in this file, so everybody would pass. Look whether it is whole.",
        )
    if before >= SHRINK_FROM and gone > SHRINK_MAX * before and not snapshot.shrink_accepted:
        return fail_snapshot(
            session,
            snapshot_id,
            f"{gone:,} of the {before:,} people of the edition before are missing in this one. "
            "Look whether the file is whole; load it again with the tick if it is.",
        )
    ended = _count(session, _END, facts)
    begun = _count(session, _BEGIN, facts)
    snapshot.changed = session.scalar(text(_CHANGED), facts) or 0
    snapshot.added, snapshot.removed = begun - snapshot.changed, ended - snapshot.changed
    snapshot.entries = _current_entries(session, snapshot.source)
    snapshot.state, snapshot.loaded_at = SnapshotState.LOADED, clock.now()
    snapshot.stored = []
    session.flush()  # The guard of its lifecycle speaks here.
    session.execute(delete(ListRowStaged).where(ListRowStaged.snapshot_id == snapshot_id))
    counts = {name: getattr(snapshot, name) for name in ("added", "removed", "changed", "entries")}
    audit.record(session, SYSTEM, "loaded a list", snapshot.id, source=snapshot.source, **counts)
    outbox.announce(session, "list.loaded", snapshot.id, counts | {"list": snapshot.source.value})
    outbox.enqueue(session, "specialists.screen_edition", snapshot_id=snapshot.id)
    return snapshot


def fail_snapshot(session: Session, snapshot_id: UUID, failure: str) -> ReferenceSnapshot:
    """Give a load up, with the reason in words; the edition before goes on counting."""
    snapshot = session.get_one(ReferenceSnapshot, snapshot_id, with_for_update=True)
    if snapshot.state is SnapshotState.LOADING:
        session.execute(delete(ListRowStaged).where(ListRowStaged.snapshot_id == snapshot_id))
        snapshot.state, snapshot.failure, snapshot.stored = SnapshotState.FAILED, failure, []
        session.flush()  # Another edition may begin in this transaction.
        audit.record(session, SYSTEM, "failed to load a list", snapshot.id)
    return snapshot


def _current_entries(session: Session, source: PublishedList) -> int:
    current = select(func.count()).where(ListEntry.source == source, ListEntry.until_id.is_(None))
    return session.scalar(current) or 0


def _count(session: Session, statement: str, facts: dict[str, Any]) -> int:
    return cast(CursorResult[Any], session.execute(text(statement), facts)).rowcount
