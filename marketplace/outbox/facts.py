"""Facts that were announced: numbered and hash-chained by the sequencer after they commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace import clock
from marketplace.db import IdKey, Root
from marketplace.ids import new_id
from marketplace.outbox.work import plain
from marketplace.secrets import chain_hash

EVENTS_LOCK = 7_301  # The advisory lock that makes the sequencer the only one.
ALL = "event"  # The chain of all facts, whose head alone is kept.
# The audit trail's head lies in the same table; `audit` looks after it.
SCOPES = (ALL, "organisation:", "job:")
BROKEN_SHOWN = 100


class Event(Root):
    """A fact that was announced; its numbers come from the sequencer, after commit.

    person_id: whose own feed it stands in as well, None for most; no part of any chain.
    """

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("organisation_id", "organisation_number"),
        UniqueConstraint("job_id", "job_number"),
        UniqueConstraint("person_id", "person_number"),
        Index("ix_event_unnumbered", "id", postgresql_where=text("number IS NULL")),
        # What happened to one thing, for pages that tell where it comes from.
        Index("ix_event_subject_id", "subject_id", "id"),
    )
    id: Mapped[IdKey]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    organisation_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    announced_at: Mapped[datetime]
    number: Mapped[int | None] = mapped_column(unique=True)
    organisation_number: Mapped[int | None]
    organisation_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    job_number: Mapped[int | None]
    job_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    person_number: Mapped[int | None]


class ChainHead(Root):
    """The last link of a chain; only the sequencer touches it."""

    __tablename__ = "chain_head"
    scope: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


def announce(
    session: Session,
    kind: str,
    subject_id: UUID,
    facts: Mapping[str, Any],
    *,
    organisation_id: UUID | None = None,
    job_id: UUID | None = None,
    person_id: UUID | None = None,
) -> None:
    """Tell a fact about a subject; ids, states, counts and amounts only, never content.

    organisation_id, person_id: in whose feeds it stands; job_id: on which job's chain.
    """
    told = fact(
        kind,
        subject_id,
        facts,
        organisation_id=organisation_id,
        job_id=job_id,
        person_id=person_id,
    )
    session.add(told)


def fact(
    kind: str,
    subject_id: UUID,
    facts: Mapping[str, Any],
    *,
    organisation_id: UUID | None = None,
    job_id: UUID | None = None,
    person_id: UUID | None = None,
) -> Event:
    """What `announce` tells, for a statement that writes it together with other rows."""
    return Event(
        id=new_id(),
        kind=kind,
        subject_id=subject_id,
        facts=plain(facts),
        organisation_id=organisation_id,
        job_id=job_id,
        person_id=person_id,
        announced_at=clock.now(),
    )


def unnumbered(session: Session) -> int:
    """How many facts wait for their numbers; for metrics."""
    return session.scalar(select(func.count()).where(Event.number.is_(None))) or 0


def linked(event: Event) -> dict[str, object]:
    """What a link of an event's chain covers, besides its number."""
    return {
        "id": str(event.id),
        "kind": event.kind,
        "subject_id": str(event.subject_id),
        "facts": event.facts,
        "announced_at": event.announced_at.astimezone(UTC).isoformat(),
    }


def broken_chains(session: Session) -> list[str]:
    """One sentence for each chain of facts that is not what its links were made of.

    Recomputes every link of all labs' and jobs' chains, in batches; a chain is left at its first
    break, since all that follows hangs on it. The sequencer may run meanwhile: it looks as far as
    the heads that it read first.
    """
    # One statement sees one state of both tables, also while facts are being numbered.
    highest = select(func.max(Event.number)).scalar_subquery()
    seen = session.execute(
        select(highest, ChainHead.scope, ChainHead.number, ChainHead.hash).select_from(
            select(literal(1)).subquery().outerjoin(ChainHead.__table__, true())
        )
    ).all()
    heads = {
        scope: (number, bytes(link))
        for _, scope, number, link in seen
        if scope is not None and scope.startswith(SCOPES)
    }
    reached = seen[0][0] or 0
    chains = _Chains()
    facts = select(*Event.__table__.columns).where(Event.number <= reached).order_by(Event.number)
    for row in session.execute(facts, execution_options={"yield_per": 1_000}):
        chains.follow(cast(Event, row))
    for scope in heads.keys() | chains.at.keys():
        if chains.at.get(scope) != heads.get(scope):
            chains.broken.setdefault(scope, f"The chain {scope} does not end where its head says.")
    return [chains.broken[scope] for scope in sorted(chains.broken)][:BROKEN_SHOWN]


class _Chains:
    """Chains made anew: where each stands, and the first thing wrong with it."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[int, bytes]] = {}
        self.broken: dict[str, str] = {}

    def follow(self, event: Event) -> None:
        """Add a fact's links, and compare them with the ones that it carries."""
        self._link(ALL, event, event.number, None)
        if event.organisation_id is not None:
            stated = event.organisation_number, event.organisation_hash
            self._link(f"organisation:{event.organisation_id}", event, *stated)
        if event.job_id is not None:
            self._link(f"job:{event.job_id}", event, event.job_number, event.job_hash)

    def _link(self, scope: str, event: Event, number: int | None, link: bytes | None) -> None:
        if scope in self.broken:
            return
        last, before = self.at.get(scope, (0, b""))
        made = chain_hash(before, {"number": last + 1, **linked(event)})
        self.at[scope] = last + 1, made
        if number != last + 1:
            self.broken[scope] = f"Link {last + 1} of the chain {scope} is missing."
        elif scope != ALL and link != made:
            self.broken[scope] = f"Link {number} of the chain {scope} was altered: {event.id}."
