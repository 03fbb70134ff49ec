"""Closes of months, their packs, and what opened a month again (migration 0050)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root
from marketplace.ids import PersonId


class MonthClose(Root):
    """One close of a month; a month that was opened again is closed again, by another row.

    month: its first day; round counts its closes from 1; facts: everything that the close pack
    says besides the book, as it was at the close; pack_*: the stored ZIP, NULL until it is made;
    reopened_at: when it ceased to hold.
    """

    __tablename__ = "month_close"
    id: Mapped[IdKey]
    month: Mapped[date]
    round: Mapped[int]
    closed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    pack_reference: Mapped[str | None]
    pack_bytes: Mapped[int | None]
    pack_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    reopened_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("month", "round"),
        CheckConstraint("extract(day FROM month) = 1", name="first_day"),
        CheckConstraint("round >= 1", name="round"),
        CheckConstraint(
            "(pack_reference IS NULL) = (pack_sha256 IS NULL)"
            " AND (pack_reference IS NULL) = (pack_bytes IS NULL)",
            name="pack_in_full",
        ),
        CheckConstraint("octet_length(pack_sha256) = 32", name="pack_sha256"),
        Index(
            "uq_month_close_standing",
            "month",
            unique=True,
            postgresql_where=text("reopened_at IS NULL"),
        ),
    )


class MonthReopening(Root):
    """What one person asked and another approved: to open a closed month again. Kept for ever."""

    __tablename__ = "month_reopening"
    id: Mapped[IdKey]
    close_id: Mapped[UUID] = mapped_column(ForeignKey("month_close.id"), unique=True)
    month: Mapped[date]
    reason: Mapped[str]
    asked_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    approved_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("approved_by <> asked_by", name="two_people"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved_in_full"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
        Index("ix_month_reopening_month", "month"),
    )
