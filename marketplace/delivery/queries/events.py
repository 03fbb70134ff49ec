"""The feed of events: an organisation's, or a person's own, in order and without gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.actor import Actor
from marketplace.delivery.rules import kinds as catalogue
from marketplace.delivery.rules.kinds import KINDS, PUBLIC, KindText, Reader
from marketplace.errors import Denied, Missing
from marketplace.identity.rules import Permission
from marketplace.outbox import ChainHead, Event

LIMIT_MAX = 200
# How many events a filter looks through at a time, however few of them it finds.
WINDOW = 20_000
_P = Permission
_SPECIALISTS = (_P.WORK_DO, _P.EARNINGS_VIEW, _P.CREDENTIALS_CLAIM)
# Who has a feed: one of these is enough, which kinds stand in it depends on all.
READERS = (_P.JOBS_VIEW, *_SPECIALISTS)
_NEEDS = {
    "budget": _P.BALANCE_VIEW,
    "invoice": _P.BALANCE_VIEW,
    "dispute": _P.BALANCE_VIEW,
    "payout": _P.EARNINGS_VIEW,
    "credential": _P.CREDENTIALS_CLAIM,
}


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the outside sees it. number: its place in this feed, and the cursor."""

    id: UUID
    number: int
    kind: str
    subject_id: UUID
    job_id: UUID | None
    facts: dict[str, Any]
    announced_at: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A page of a feed. next: where the next page begins, None at the end; reached: up to where
    the feed was looked through, whether or not anything there was asked for."""

    items: Sequence[Told]
    next: int | None
    reached: int


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose feed it is: the chain that counts it, its column, and the column of its numbers."""

    chain: str
    mine: ColumnElement[bool]
    number: InstrumentedAttribute[int | None]
    reader: Reader


def _scope(viewer: Actor) -> _Scope:
    if viewer.organisation_id is not None and viewer.may(_P.JOBS_VIEW):
        own = viewer.organisation()
        chain, mine = f"organisation:{own}", Event.organisation_id == own
        return _Scope(chain, mine, Event.organisation_number, Reader.LAB)
    if not any(viewer.may(each) for each in _SPECIALISTS):
        raise Denied("This token may read neither a lab's events nor a specialist's.")
    person = viewer.person()
    chain, mine = f"person:{person}", Event.person_id == person
    return _Scope(chain, mine, Event.person_number, Reader.SPECIALIST)


def kinds_for(viewer: Actor) -> list[KindText]:
    """The kinds that stand in this viewer's feed."""
    scope = _scope(viewer)
    default = _P.JOBS_VIEW if scope.reader is Reader.LAB else _P.WORK_DO
    return [
        each
        for each in KINDS.values()
        if each.reader in {scope.reader, Reader.BOTH}
        and viewer.may(_NEEDS.get(each.group, default))
    ]


def events_after(
    session: Session,
    viewer: Actor,
    *,
    after: int = 0,
    limit: int = 100,
    kinds: Iterable[str] = (),
    job_id: UUID | None = None,
) -> Feed:
    """The viewer's events after a number, in order: a cursor over them never skips one.

    kinds: public kinds or groups such as `task.*`, all where none is given; Faulty for an unknown
    one. job_id: of one job alone.
    """
    scope = _scope(viewer)
    limit = max(1, min(limit, LIMIT_MAX))
    seen = {source for each in kinds_for(viewer) for source in each.sources or (each.kind,)}
    wanted = seen.intersection(catalogue.sources_of(kinds))
    # What is numbered before the head is read is all there; what comes later waits for later.
    head = _head(session, scope)
    through = min(head, after + WINDOW)
    found = select(Event).where(
        scope.mine, scope.number > after, scope.number <= through, Event.kind.in_(sorted(wanted))
    )
    if job_id is not None:
        found = found.where(Event.job_id == job_id)
    rows = session.scalars(found.order_by(scope.number).limit(limit + 1)).all()
    items = [_told(row, scope) for row in rows[:limit]]
    following = None
    if len(rows) > limit:
        following = items[-1].number
    elif through < head:
        following = through
    return Feed(items, following, following if following is not None else max(after, head))


def head_of(session: Session, viewer: Actor) -> int:
    """The number of the last event in the viewer's feed; 0 before the first."""
    return _head(session, _scope(viewer))


def chain_of(viewer: Actor) -> str:
    """The name of the chain that counts the viewer's feed, for `number_at`."""
    return _scope(viewer).chain


def number_at(session: Session, chain: str) -> int:
    """The last number of a chain; 0 before the first. `chain_of` says whether one may ask."""
    return session.scalar(select(ChainHead.number).where(ChainHead.scope == chain)) or 0


def event_of(session: Session, viewer: Actor, event_id: UUID) -> Event:
    """A public, numbered event of the viewer's organisation; Missing for any other."""
    viewer.require(_P.JOBS_VIEW)
    found = session.get(Event, event_id)
    mine = found is not None and found.organisation_id == viewer.organisation()
    if found is None or not mine or found.organisation_number is None or found.kind not in PUBLIC:
        raise Missing("There is no such event.")
    return found


def _head(session: Session, scope: _Scope) -> int:
    return number_at(session, scope.chain)


def _told(row: Event, scope: _Scope) -> Told:
    return Told(
        row.id,
        getattr(row, scope.number.key),
        catalogue.public_kind(row.kind),
        row.subject_id,
        row.job_id,
        catalogue.public_facts(row.kind, row.facts),
        row.announced_at,
    )
