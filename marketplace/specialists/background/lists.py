"""Loading published lists, and screening people: in batches, each committed."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import IO
from uuid import UUID

from sqlalchemy import select

from marketplace import clock, outbox, storage
from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.specialists.models.lists import ListScreening, ReferenceSnapshot
from marketplace.specialists.rules.list_files import ListRow, NotTheList, leie_rows, ofac_rows
from marketplace.specialists.rules.lists import OLD_AFTER, PublishedList, SnapshotState
from marketplace.specialists.service import hits, lists, screening

STAGED_AT_ONCE = 5_000
PEOPLE_AT_ONCE = 200
UNREADABLE = (
    "This cannot be read as CSV: a quotation mark is not closed, or its lines end as no published "
    "list's do. Load the file as it was published, not as a spreadsheet saved it."
)


def sha256_of(stream: IO[bytes]) -> str:
    """The fingerprint of a file's content, in hexadecimal."""
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


@outbox.background("specialists.load_list", time_limit_seconds=1_800)
def load_list(work: outbox.Work, snapshot_id: str) -> None:
    """Load an edition whose files wait in the store, and let the files go."""
    with transaction() as session:
        snapshot = session.get(ReferenceSnapshot, UUID(snapshot_id))
        waiting = list(snapshot.stored) if snapshot is not None else []
    if snapshot is not None and snapshot.state is SnapshotState.LOADING:
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(storage.current().open(each)) for each in waiting]
            load_files(snapshot, files)
    for each in waiting:
        storage.current().delete(each)
    with transaction() as session:
        outbox.done(session, work)


def load_files(
    snapshot: ReferenceSnapshot,
    files: list[IO[bytes]],
    told: Callable[[int], None] = lambda _: None,
) -> ReferenceSnapshot:
    """Read an edition's files in the list's own order, stage them, and take over what changed.

    told: called with the number of rows read so far. Safe to repeat after being cut off; a file
    that is not the list fails the snapshot.
    """
    with transaction() as session:
        now = lists.restart_staging(session, snapshot.id)
    if now.state is not SnapshotState.LOADING:
        return now
    try:
        _stage(snapshot.id, _rows(snapshot.source, files), told)
    except (NotTheList, csv.Error) as fault:
        said = str(fault) if isinstance(fault, NotTheList) else f"{UNREADABLE} ({fault})"
        with transaction() as session:
            return lists.fail_snapshot(session, snapshot.id, said)
    with transaction() as session:
        return lists.finish_snapshot(session, snapshot.id)


def _rows(source: PublishedList, files: list[IO[bytes]]) -> Iterator[ListRow | None]:
    return leie_rows(files[0]) if source is PublishedList.LEIE else ofac_rows(*files)


def _stage(snapshot_id: UUID, rows: Iterable[ListRow | None], told: Callable[[int], None]) -> None:
    remaining = iter(rows)
    read = 0
    while batch := list(itertools.islice(remaining, STAGED_AT_ONCE)):
        people = [row for row in batch if row is not None]
        with transaction() as session:
            lists.stage_rows(session, snapshot_id, people, first=read, read=read + len(batch))
        read += len(batch)
        told(read)


@outbox.background("specialists.screen_edition", time_limit_seconds=3_600)
def screen_edition(work: outbox.Work, snapshot_id: str) -> None:
    """Compare everybody with what an edition added or changed, and close what it dropped.

    Who was never compared with this list is compared with all of it.
    """
    with transaction() as session:
        snapshot = session.get_one(ReferenceSnapshot, UUID(snapshot_id))
        departed = screening.close_departed(session, snapshot.source)
        for person_id in sorted(departed):
            hits.settle_credentials(session, person_id)
    after: UUID | None = None
    while people := _screen_batch(snapshot, after):
        after = people[-1]
    with transaction() as session:
        done = session.get_one(ReferenceSnapshot, snapshot.id, with_for_update=True)
        done.screened_at = clock.now()
        outbox.done(session, work)


def _screen_batch(snapshot: ReferenceSnapshot, after: UUID | None) -> list[UUID]:
    """Screen the next people; their ids."""
    with transaction() as session:
        people = identity.specialist_ids(session, after=after, limit=PEOPLE_AT_ONCE)
        known = select(ListScreening.person_id).where(
            ListScreening.person_id.in_(people), ListScreening.source == snapshot.source
        )
        compared = set(session.scalars(known))
        concerned = screening.screen_people(
            session, compared, snapshot.source, since=snapshot.id
        ) | screening.screen_people(session, set(people) - compared, snapshot.source)
        for person_id in sorted(concerned):
            hits.settle_credentials(session, person_id)
    return people


@outbox.background("specialists.screen", time_limit_seconds=120)
def screen(work: outbox.Work, person_id: str) -> None:
    """Compare one person, who is new or has changed, with all of every list."""
    with transaction() as session:
        for source in PublishedList:
            screening.screen_people(session, [UUID(person_id)], source)
        hits.settle_credentials(session, UUID(person_id))
        outbox.done(session, work)


@outbox.background("specialists.look_at_lists", time_limit_seconds=600, every_seconds=86_400)
def look_at_lists(work: outbox.Work) -> None:
    """Open hits again whose clearance ran out, and say once a month that a list has grown old."""
    while True:
        with transaction() as session:
            reopened = hits.reopen_expired(session, limit=PEOPLE_AT_ONCE)
        if reopened < PEOPLE_AT_ONCE:
            break
    now = clock.now()
    with transaction() as session:
        for source in PublishedList:
            edition = lists.current_snapshot(session, source)
            if edition is not None and edition.source_on < (now - OLD_AFTER).date():
                key = f"list-old:{source}:{now:%Y-%m}"
                outbox.enqueue_once(session, key, "specialists.tell_of_old_list", source=source)
        outbox.done(session, work)
