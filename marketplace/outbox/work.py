"""Rows of background work: enqueued, leased out, done or put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace import clock
from marketplace.db import IdKey, Root
from marketplace.ids import new_id

LEASE_MARGIN = timedelta(seconds=30)
# What a worker has in hand is leased for this long at a time, so that what a killed one held is
# handed out again soon, however long it may run.
IN_HAND = timedelta(seconds=60)
BACK_OFF_MAX = timedelta(hours=1)
UNKNOWN_SECONDS = 60  # The time limit of a name that this version of the product does not know.


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
        arguments=plain(arguments),
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
        arguments=plain(arguments),
        once_key=once_key,
        not_before=not_before or now,
        created_at=now,
        attempts=0,
    )
    unique = row.on_conflict_do_nothing(index_elements=["once_key"]).returning(OutboxRow.id)
    return session.execute(unique).first() is not None


def enqueue_slots(session: Session, slots: Mapping[str, int]) -> None:
    """Enqueue recurring work, by name and number of its slot, once in each slot.

    A name whose earlier slot is still open is left out: what was missed is caught up by one run.
    """
    waiting = select(OutboxRow.name).where(
        OutboxRow.done_at.is_(None),
        OutboxRow.once_key.startswith("schedule:"),
        OutboxRow.name.in_(slots),
    )
    for name in slots.keys() - set(session.scalars(waiting)):
        enqueue_once(session, f"schedule:{name}:{slots[name]}", name)


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as JSON takes them: ids as text."""
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
        row.leased_until = now + _lease(row.name)
        row.attempts += 1
        leased.append(Work(row.id, row.name, row.arguments, row.attempts))
    return leased


def open_work(session: Session, row_id: UUID) -> Work | None:
    """The work of a row that begins now, or None when it is done already or gone.

    Its lease counts anew from here, and is short: whoever runs it renews it (`renew`).
    """
    row = session.get(OutboxRow, row_id, with_for_update={"key_share": True})
    if row is None or row.done_at is not None:
        return None
    row.leased_until = clock.now() + min(IN_HAND, _lease(row.name))
    return Work(row.id, row.name, row.arguments, row.attempts)


def release_key(session: Session, work: Work) -> None:
    """Let the same be asked for once more from now on: what comes in later is not in this run."""
    session.execute(update(OutboxRow).where(OutboxRow.id == work.id).values(once_key=None))


def renew(session: Session, work: Work) -> bool:
    """Prolong the lease of work in hand; False when it is done, or handed out again meanwhile."""
    ours = update(OutboxRow).where(
        OutboxRow.id == work.id,
        OutboxRow.done_at.is_(None),
        OutboxRow.attempts == work.attempt,
        OutboxRow.leased_until.is_not(None),
    )
    until = clock.now() + min(IN_HAND, _lease(work.name))
    return (
        session.execute(ours.values(leased_until=until).returning(OutboxRow.id)).first() is not None
    )


def _lease(name: str) -> timedelta:
    bound_to = _bound.get(name)
    seconds = bound_to.time_limit_seconds if bound_to else UNKNOWN_SECONDS
    return timedelta(seconds=seconds) + LEASE_MARGIN


def done(session: Session, work: Work) -> None:
    """Say, in the function's last transaction, that the work is finished."""
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == work.id)
        .values(done_at=clock.now(), leased_until=None)
    )


def again(session: Session, work: Work, *, error: str, after: timedelta | None = None) -> None:
    """Put the work back with a back-off that doubles from 2 s up to an hour.

    Recurring work never waits longer than until its next slot would have come.
    error: the kind of failure, without anything personal in it.
    """
    bound_to = _bound.get(work.name)
    every = bound_to.every_seconds if bound_to else None
    longest = min(BACK_OFF_MAX, timedelta(seconds=every)) if every else BACK_OFF_MAX
    wait = after or min(timedelta(seconds=2 ** min(work.attempt, 12)), longest)
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


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: how many rows are due, and the seconds since the oldest of them became due."""

    due: int
    oldest_seconds: float


def backlog(session: Session) -> Backlog:
    """How far behind background work is; for metrics."""
    now = clock.now()
    due, oldest = session.execute(
        select(func.count(), func.min(OutboxRow.not_before)).where(
            OutboxRow.done_at.is_(None), OutboxRow.not_before <= now
        )
    ).one()
    return Backlog(due, (now - oldest).total_seconds() if oldest else 0.0)
