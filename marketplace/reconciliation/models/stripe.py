"""What Stripe told us, raw, hashed and immutable (migration 0012)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, JsonText, Root


class StripeStatement(Root):
    """Stripe's balance at a moment, with every line behind it stored before.

    balances: {"USD": {"available": minor, "pending": minor}, …}; lines_through: when the newest
    line was made, by Stripe's clock; NULL while there is none.
    """

    __tablename__ = "stripe_statement"
    id: Mapped[IdKey]
    taken_at: Mapped[datetime] = mapped_column(index=True)
    lines_through: Mapped[datetime | None]
    balances: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[Any] = mapped_column(JsonText)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),)


class StripeStatementLine(Root):
    """One balance transaction (`txn_…`). Amounts in minor units of ISO 4217, signs as Stripe's."""

    __tablename__ = "stripe_statement_line"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    source_id: Mapped[str | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount: Mapped[int]
    fee: Mapped[int]
    net: Mapped[int]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    body: Mapped[Any] = mapped_column(JsonText)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("net = amount - fee", name="net"),
        CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),
        Index("ix_stripe_statement_line_created_at", "created_at", "id"),
    )
