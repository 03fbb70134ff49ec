"""Breaks, what was proposed for them and their history (migration 0050)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.reconciliation.rules.breaks import (
    Action,
    BreakKind,
    BreakState,
    Decision,
    ReasonCode,
    Resolution,
    Severity,
)
from marketplace.secrets import EncryptedText


class Break(Root):
    """One difference between the book and what others say, until it is resolved.

    kind, source and key name it in each comparison; difference_minor: theirs less ours; theirs and
    ours: what each side says; since: from when on; wait_until: the last day of an approved wait;
    version counts changes made by people, so that of two clicks one wins.
    """

    __tablename__ = "reconciliation_break"
    id: Mapped[IdKey]
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[BreakKind] = mapped_column(text_enum(BreakKind))
    source: Mapped[str]
    key: Mapped[str]
    difference_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    theirs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ours: Mapped[dict[str, Any]] = mapped_column(JSONB)
    transaction_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transaction.id"))
    balance_transaction_id: Mapped[str | None]
    since: Mapped[datetime]
    found_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    severity: Mapped[Severity] = mapped_column(text_enum(Severity))
    state: Mapped[BreakState] = mapped_column(text_enum(BreakState))
    owner_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    wait_until: Mapped[date | None]
    resolution: Mapped[Resolution | None] = mapped_column(text_enum(Resolution))
    resolved_at: Mapped[datetime | None]
    version: Mapped[int]

    __table_args__ = (
        UniqueConstraint("year", "number"),
        one_of("kind", BreakKind),
        one_of("severity", Severity),
        one_of("state", BreakState),
        one_of("resolution", Resolution),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
        CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="resolution_said"),
        CheckConstraint("state <> 'assigned' OR owner_id IS NOT NULL", name="assigned_to_somebody"),
        Index(
            "uq_reconciliation_break_live",
            "kind",
            "source",
            "key",
            unique=True,
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index("ix_reconciliation_break_settled", "kind", "source", "key"),
        Index(
            "ix_reconciliation_break_live_since",
            "since",
            "id",
            postgresql_where=text("state <> 'resolved'"),
        ),
    )

    @property
    def difference(self) -> Money:
        """Theirs less ours."""
        return Money(self.difference_minor, self.currency)


class BreakProposal(Root):
    """What one person proposes to do about a break, and what another decided.

    legs: [{"code", "minor", "currency"}], debits positive, for what posts; evidence_sha256: of the
    file behind it, as stored; content_sha256: of all that is proposed, which is what is approved.
    """

    __tablename__ = "break_proposal"
    id: Mapped[IdKey]
    break_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_break.id"), index=True)
    action: Mapped[Action] = mapped_column(text_enum(Action))
    reason: Mapped[ReasonCode] = mapped_column(text_enum(ReasonCode))
    note: Mapped[str] = mapped_column(EncryptedText)
    legs: Mapped[list[Any]] = mapped_column(JSONB)
    effective_on: Mapped[date | None]
    wait_until: Mapped[date | None]
    evidence_reference: Mapped[str | None]
    evidence_name: Mapped[str | None]
    evidence_kind: Mapped[str | None]
    evidence_bytes: Mapped[int | None]
    evidence_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    content_sha256: Mapped[str]
    proposed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    decision: Mapped[Decision | None] = mapped_column(text_enum(Decision))
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    transaction_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transaction.id"))

    __table_args__ = (
        one_of("action", Action),
        one_of("reason", ReasonCode),
        one_of("decision", Decision),
        CheckConstraint(
            "decision IS NULL OR decision = 'withdrawn' OR decided_by <> proposed_by",
            name="two_people",
        ),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)"
            " AND (decision IN ('approved', 'declined')) <= (decided_by IS NOT NULL)",
            name="decided_in_full",
        ),
        CheckConstraint(
            "action NOT IN ('adjust', 'write_off') OR (jsonb_array_length(legs) >= 2"
            " AND effective_on IS NOT NULL AND evidence_sha256 IS NOT NULL)",
            name="posting_in_full",
        ),
        CheckConstraint(
            "action NOT IN ('wait', 'external_fix') OR wait_until IS NOT NULL", name="wait_until"
        ),
        CheckConstraint("octet_length(evidence_sha256) = 32", name="evidence_sha256"),
        Index(
            "uq_break_proposal_undecided",
            "break_id",
            unique=True,
            postgresql_where=text("decision IS NULL"),
        ),
    )


class BreakEvent(Root):
    """One thing that happened to a break. person_id is None for what the comparison did."""

    __tablename__ = "break_event"
    id: Mapped[IdKey]
    break_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_break.id"))
    at: Mapped[datetime]
    person_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    verb: Mapped[str]
    state: Mapped[BreakState] = mapped_column(text_enum(BreakState))
    note: Mapped[str | None] = mapped_column(EncryptedText)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (one_of("state", BreakState), Index("ix_break_event_break", "break_id", "id"))
