"""What was matched with what, by which rule, and each comparison as a whole (migration 0049)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root
from marketplace.ids import PersonId


class Match(Root):
    """That a bank's line is what something of ours expected.

    stage: `S5` …; rule: which one, a word; evidence: what was equal, plain facts; payout_id:
    Stripe's, where that is what arrived; explanation: in words, needed where one line answers for
    several things. A match is made once and stays.
    """

    __tablename__ = "statement_match"
    id: Mapped[IdKey]
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("statement_entry.id"))
    stage: Mapped[str]
    rule: Mapped[str]
    payout_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_line_id: Mapped[str | None] = mapped_column(unique=True)
    transaction_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transaction.id"))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    explanation: Mapped[str]
    several: Mapped[bool]
    matched_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    matched_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("NOT several OR btrim(explanation) <> ''", name="several_explained"),
        Index(
            "uq_statement_match_entry",
            "entry_id",
            unique=True,
            postgresql_where=text("NOT several"),
        ),
        Index("ix_statement_match_entry_id", "entry_id"),
        Index("ix_statement_match_transaction_id", "transaction_id"),
    )


class Reconciliation(Root):
    """One comparison of everything, as of a moment. counts: {rule: how many were matched};
    breaks: {kind: how many stand}; outcome: what it opened, resolved and found again.
    """

    __tablename__ = "reconciliation"
    id: Mapped[IdKey]
    as_of: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(index=True)
    made_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    through_on: Mapped[date | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    breaks: Mapped[dict[str, Any]] = mapped_column(JSONB)
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)
