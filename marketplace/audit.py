"""The audit trail: who did what to which thing, append-only, chained after commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
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


def number_rows(session: Session, *, limit: int = 500) -> int:
    """Number and chain committed lines, oldest id first; how many were numbered."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(AUDIT_LOCK))):
        return 0
    last = session.execute(
        select(AuditRow.number, AuditRow.hash)
        .where(AuditRow.number.is_not(None))
        .order_by(AuditRow.number.desc())
        .limit(1)
    ).first()
    number, link = (last.number or 0, last.hash or b"") if last else (0, b"")
    pending = select(AuditRow).where(AuditRow.number.is_(None)).order_by(AuditRow.id).limit(limit)
    rows = session.scalars(pending).all()
    for row in rows:
        number += 1
        link = chain_hash(link, {"number": number, **linked(row)})
        row.number, row.hash = number, link
    return len(rows)


def linked(row: AuditRow) -> dict[str, object]:
    """What a link of the audit chain covers, besides its number."""
    return {
        "id": str(row.id),
        "at": row.at.isoformat(),
        "person_id": str(row.person_id),
        "organisation_id": str(row.organisation_id),
        "verb": row.verb,
        "subject_id": str(row.subject_id),
        "facts": row.facts,
    }
