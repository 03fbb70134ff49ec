"""The audit trail: who did what to which thing, append-only, chained after commit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Index,
    LargeBinary,
    Text,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import IdKey, Root
from marketplace.ids import new_id
from marketplace.secrets import chain_hash

AUDIT_LOCK = 7_302  # The advisory lock that makes the sequencer the only one.


class AuditRow(Root):
    """One deed. person_id is None for the system; facts hold ids, states and amounts only."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject_id", "subject_id", "id"),
        Index("ix_audit_unnumbered", "id", postgresql_where=text("number IS NULL")),
    )
    id: Mapped[IdKey]
    at: Mapped[datetime]
    person_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    verb: Mapped[str]
    subject_id: Mapped[UUID]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    number: Mapped[int | None] = mapped_column(unique=True)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


def record(session: Session, actor: Actor, verb: str, subject_id: UUID, **facts: Any) -> None:
    """Leave a line in the trail; facts are ids, states, counts and amounts, never content."""
    plain = {key: str(value) if isinstance(value, UUID) else value for key, value in facts.items()}
    session.add(
        AuditRow(
            id=new_id(),
            at=clock.now(),
            person_id=actor.person_id,
            organisation_id=actor.organisation_id,
            verb=verb,
            subject_id=subject_id,
            facts=plain,
        )
    )


def trail_of(session: Session, subject_id: UUID, *, limit: int = 100) -> list[AuditRow]:
    """The newest lines about one subject, newest first; for pages that authorised the subject."""
    rows = select(AuditRow).where(AuditRow.subject_id == subject_id)
    return list(session.scalars(rows.order_by(AuditRow.id.desc()).limit(limit)))


# The table of chain heads, which the outbox owns, by its name.
_HEAD = table(
    "chain_head", column("scope", Text), column("number", BigInteger), column("hash", LargeBinary)
)
SCOPE = "audit"


def number_rows(session: Session, *, limit: int = 500) -> int:
    """Number and chain committed lines, oldest id first; how many were numbered."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(AUDIT_LOCK))):
        return 0
    pending = select(AuditRow).where(AuditRow.number.is_(None)).order_by(AuditRow.id).limit(limit)
    rows = session.scalars(pending).all()
    if rows:
        number, link = _reached(session)
        for row in rows:
            number += 1
            link = chain_hash(link, {"number": number, **linked(row)})
            row.number, row.hash = number, link
        values = {"number": number, "hash": link}
        new = insert(_HEAD).values(scope=SCOPE, **values)
        session.execute(new.on_conflict_do_update(index_elements=["scope"], set_=values))
    return len(rows)


def _reached(session: Session) -> tuple[int, bytes]:
    last = (
        select(AuditRow.number, AuditRow.hash)
        .where(AuditRow.number.is_not(None))
        .order_by(AuditRow.number.desc())
        .limit(1)
    )
    # Trails from before there was a head go on from their last line.
    for found in (select(_HEAD.c.number, _HEAD.c.hash).where(_HEAD.c.scope == SCOPE), last):
        row = session.execute(found).first()
        if row is not None:
            return row.number, bytes(row.hash)
    return 0, b""


def unnumbered(session: Session) -> int:
    """How many lines wait for their numbers; for metrics."""
    return session.scalar(select(func.count()).where(AuditRow.number.is_(None))) or 0


def linked(row: AuditRow) -> dict[str, object]:
    """What a link of the audit chain covers, besides its number."""
    return {
        "id": str(row.id),
        "at": row.at.astimezone(UTC).isoformat(),
        "person_id": str(row.person_id),
        "organisation_id": str(row.organisation_id),
        "verb": row.verb,
        "subject_id": str(row.subject_id),
        "facts": row.facts,
    }


def broken_chain(session: Session) -> list[str]:
    """Where the audit trail is not what its links were made of: one sentence, or none.

    Recomputes every link, in batches, and stops at the first break, since all that follows hangs
    on it. The sequencer may run meanwhile: it looks as far as it had come at the beginning.
    """
    highest = select(func.max(AuditRow.number)).scalar_subquery()
    reached, *head = session.execute(
        select(highest, _HEAD.c.number, _HEAD.c.hash).select_from(
            select(literal(1)).subquery().outerjoin(_HEAD, _HEAD.c.scope == SCOPE)
        )
    ).one()
    rows = (
        select(*AuditRow.__table__.columns)
        .where(AuditRow.number <= (reached or 0))
        .order_by(AuditRow.number)
    )
    number, link = 0, b""
    with session.execute(rows, execution_options={"yield_per": 1_000}) as found:
        for row in found:
            number += 1
            if row.number != number:
                return [f"Line {number} of the audit trail is missing."]
            link = chain_hash(link, {"number": number, **linked(cast(AuditRow, row))})
            if bytes(row.hash or b"") != link:
                return [f"Line {number} of the audit trail was altered: {row.id}."]
    if (number, link) != (head[0] or 0, bytes(head[1] or b"")):
        return ["The audit trail does not end where its head says."]
    return []
