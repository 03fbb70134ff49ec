"""The outbox: work to do and facts to tell, written in the transaction that caused them.

`enqueue` leaves a row that the relay hands to a worker until the background function's own last
transaction calls `done`. Redis or a worker may be lost at any moment; the row is leased out again.
So every background function is safe to run twice. `announce` leaves a fact; the sequencer numbers
and hash-chains facts after they commit, so a reader's cursor never skips one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace import clock
from marketplace.db import IdKey, Root
from marketplace.ids import new_id
from marketplace.secrets import chain_hash

LEASE_MARGIN = timedelta(seconds=30)
BACK_OFF_MAX = timedelta(hours=1)
EVENTS_LOCK = 7_301  # The advisory lock that makes the sequencer the only one.


class OutboxRow(Root):
    """One piece of background work, open until `done_at`."""

    __tablename__ = "outbox"
    id: Mapped[IdKey]
    name: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    once_key: Mapped[str | None] = mapped_column(unique=True)
    not_before: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_outbox_due", "not_before", postgresql_where=text("done_at IS NULL")),
        Index("ix_outbox_done_at", "done_at"),
    )


class Event(Root):
    """A fact that was announced; its numbers come from the sequencer, after commit."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("organisation_id", "organisation_number"),
        UniqueConstraint("job_id", "job_number"),
        Index("ix_event_unnumbered", "id", postgresql_where=text("number IS NULL")),
    )
    id: Mapped[IdKey]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    organisation_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    announced_at: Mapped[datetime]
    number: Mapped[int | None] = mapped_column(unique=True)
    organisation_number: Mapped[int | None]
    organisation_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    job_number: Mapped[int | None]
    job_hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class ChainHead(Root):
    """The last link of a chain; only the sequencer touches it."""

    __tablename__ = "chain_head"
    scope: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Work:
    """A leased row, as a background function gets it; attempt counts from 1."""

    id: UUID
    name: str
    arguments: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class Background:
    """A bound background function; time_limit_seconds is its own, not the queue's."""

    name: str
    call: Callable[..., None]
    time_limit_seconds: int
    every_seconds: int | None


_bound: dict[str, Background] = {}


def background(
    name: str, *, time_limit_seconds: int, every_seconds: int | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Bind a function `(work: Work, **arguments)` to an outbox name.

    every_seconds: also run it on the schedule, without arguments, once in each such slot.
    """

    def bind(call: Callable[..., None]) -> Callable[..., None]:
        if name in _bound and _bound[name].call.__module__ != call.__module__:
            raise RuntimeError(f"The outbox name {name} is bound twice.")
        _bound[name] = Background(name, call, time_limit_seconds, every_seconds)
        return call

    return bind


def bound() -> Mapping[str, Background]:
    """All bound background functions by name."""
    return _bound


def enqueue(
    session: Session, name: str, *, not_before: datetime | None = None, **arguments: Any
) -> UUID:
    """Ask for background work in this transaction; arguments must be JSON (ids are made text)."""
    row = OutboxRow(
        id=new_id(),
        name=name,
        arguments=_plain(arguments),
        not_before=not_before or clock.now(),
        created_at=clock.now(),
        attempts=0,
    )
    session.add(row)
    return row.id


def enqueue_once(
    session: Session,
    once_key: str,
    name: str,
    *,
    not_before: datetime | None = None,
    **arguments: Any,
) -> bool:
    """As `enqueue`, but never twice under one key; True when this call was the first."""
    now = clock.now()
    row = insert(OutboxRow).values(
        id=new_id(),
        name=name,
        arguments=_plain(arguments),
        once_key=once_key,
        not_before=not_before or now,
        created_at=now,
        attempts=0,
    )
    unique = row.on_conflict_do_nothing(index_elements=["once_key"]).returning(OutboxRow.id)
    return session.execute(unique).first() is not None


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        key: str(value) if isinstance(value, UUID) else value for key, value in arguments.items()
    }


def lease_due(session: Session, *, limit: int = 100) -> list[Work]:
    """Lease the rows that are due, oldest first, so that no other relay hands them out too."""
    now = clock.now()
    free = or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until < now)
    due = (
        select(OutboxRow)
        .where(OutboxRow.done_at.is_(None), OutboxRow.not_before <= now, free)
        .order_by(OutboxRow.not_before)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    leased = []
    for row in session.scalars(due):
        bound_to = _bound.get(row.name)
        seconds = bound_to.time_limit_seconds if bound_to else 60
        row.leased_until = now + timedelta(seconds=seconds) + LEASE_MARGIN
        row.attempts += 1
        leased.append(Work(row.id, row.name, row.arguments, row.attempts))
    return leased


def open_work(session: Session, row_id: UUID) -> Work | None:
    """The work of a row, or None when it is done already or gone."""
    row = session.get(OutboxRow, row_id)
    if row is None or row.done_at is not None:
        return None
    return Work(row.id, row.name, row.arguments, row.attempts)


def done(session: Session, work: Work) -> None:
    """Say, in the function's last transaction, that the work is finished."""
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == work.id)
        .values(done_at=clock.now(), leased_until=None)
    )


def again(session: Session, work: Work, *, error: str, after: timedelta | None = None) -> None:
    """Put the work back with a back-off that doubles from 2 s up to an hour.

    error: the kind of failure, without anything personal in it.
    """
    wait = after or min(timedelta(seconds=2 ** min(work.attempt, 12)), BACK_OFF_MAX)
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == work.id, OutboxRow.done_at.is_(None))
        .values(not_before=clock.now() + wait, leased_until=None, last_error=error)
    )


def release_leases(session: Session) -> int:
    """Make all leased work due at once: for a queue that lost its memory. Safe, as all work is."""
    result = session.execute(
        update(OutboxRow)
        .where(OutboxRow.done_at.is_(None), OutboxRow.leased_until.is_not(None))
        .values(leased_until=None)
        .returning(OutboxRow.id)
    )
    return len(result.all())


def purge(session: Session, *, before: datetime) -> int:
    """Delete rows done before a time; rows with a `once_key` are kept for 60 days more."""
    cut = or_(OutboxRow.once_key.is_(None), OutboxRow.done_at < before - timedelta(days=60))
    gone = session.execute(
        OutboxRow.__table__.delete().where(OutboxRow.done_at < before, cut).returning(OutboxRow.id)  # type: ignore[attr-defined]
    )
    return len(gone.all())


def announce(
    session: Session,
    kind: str,
    subject_id: UUID,
    facts: Mapping[str, Any],
    *,
    organisation_id: UUID | None = None,
    job_id: UUID | None = None,
) -> None:
    """Tell a fact about a subject; ids, states, counts and amounts only, never content."""
    session.add(
        Event(
            id=new_id(),
            kind=kind,
            subject_id=subject_id,
            facts=_plain(dict(facts)),
            organisation_id=organisation_id,
            job_id=job_id,
            announced_at=clock.now(),
        )
    )


def number_events(session: Session, *, limit: int = 500) -> int:
    """Number and chain committed facts, oldest id first; how many were numbered.

    Runs under a transaction's advisory lock; a second sequencer numbers nothing meanwhile.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(EVENTS_LOCK))):
        return 0
    pending = select(Event).where(Event.number.is_(None)).order_by(Event.id).limit(limit)
    events = session.scalars(pending).all()
    heads: dict[str, ChainHead] = {}
    for event in events:
        event.number = _next(session, heads, "event", event)[0]
        if event.organisation_id is not None:
            scope = f"organisation:{event.organisation_id}"
            event.organisation_number, event.organisation_hash = _next(session, heads, scope, event)
        if event.job_id is not None:
            scope = f"job:{event.job_id}"
            event.job_number, event.job_hash = _next(session, heads, scope, event)
    return len(events)


def _next(
    session: Session, heads: dict[str, ChainHead], scope: str, event: Event
) -> tuple[int, bytes]:
    head = heads.get(scope) or session.get(ChainHead, scope)
    if head is None:
        head = ChainHead(scope=scope, number=0, hash=b"")
        session.add(head)
    heads[scope] = head
    head.number += 1
    head.hash = chain_hash(head.hash, {"number": head.number, **linked(event)})
    return head.number, head.hash


def linked(event: Event) -> dict[str, object]:
    """What a link of an event's chain covers, besides its number."""
    return {
        "id": str(event.id),
        "kind": event.kind,
        "subject_id": str(event.subject_id),
        "facts": event.facts,
        "announced_at": event.announced_at.isoformat(),
    }
