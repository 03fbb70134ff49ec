"""What Stripe told us, raw, hashed and immutable (migrations 0012 and 0049)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, JsonText, Root


class StripeStatement(Root):
    """Stripe's balance at a moment, with every line behind it stored before.

    balances: {"USD": {"available": minor, "pending": minor}, …}; lines_through: when the newest
    line was made, by Stripe's clock; NULL while there is none. account: `acct_…` of a
    connected account, "" for our own.
    """

    __tablename__ = "stripe_statement"
    id: Mapped[IdKey]
    account: Mapped[str] = mapped_column(server_default="")
    taken_at: Mapped[datetime] = mapped_column(index=True)
    lines_through: Mapped[datetime | None]
    balances: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[Any] = mapped_column(JsonText)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),
        Index("ix_stripe_statement_account", "account", "id"),
    )


class StripeStatementLine(Root):
    """One balance transaction (`txn_…`). Amounts in minor units of ISO 4217, signs as Stripe's.

    account: `acct_…` of the connected account that it moved, "" for our own balance.
    """

    __tablename__ = "stripe_statement_line"
    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(server_default="")
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
        Index("ix_stripe_statement_line_account", "account", "created_at"),
        Index("ix_stripe_statement_line_source_id", "source_id"),
    )


class StripeLineAltered(Root):
    """A stored line that Stripe later told otherwise; the first telling stays where it is."""

    __tablename__ = "stripe_line_altered"
    id: Mapped[IdKey]
    line_id: Mapped[str] = mapped_column(ForeignKey("stripe_statement_line.id"))
    body: Mapped[Any] = mapped_column(JsonText)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    seen_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("line_id", "body_sha256"),)


class StripePayoutSeen(Root):
    """A payout (`po_…`) as Stripe told it; each telling that differs is a row, the newest counts.

    account: `acct_…` where it left a connected account, "" where it left ours; amount in minor
    units of ISO 4217; trace_id: what the bank's statement may name it by.
    """

    __tablename__ = "stripe_payout_seen"
    id: Mapped[IdKey]
    payout_id: Mapped[str]
    account: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[str]
    automatic: Mapped[bool]
    arrival_on: Mapped[date]
    trace_id: Mapped[str | None]
    descriptor: Mapped[str]
    reconciled: Mapped[bool]
    balance_transaction_id: Mapped[str | None]
    failure_transaction_id: Mapped[str | None]
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    body: Mapped[Any] = mapped_column(JsonText)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("payout_id", "body_sha256"),
        CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),
        Index("ix_stripe_payout_seen_payout_id", "payout_id", "id"),
        Index("ix_stripe_payout_seen_trace_id", "trace_id"),
        Index("ix_stripe_payout_seen_account", "account", "created_at"),
    )


class StripeReportDay(Root):
    """What Stripe's own report says of one day's lines in one currency: how many, and their sums.

    on_day: of UTC, as Stripe's reports count; amounts in minor units of ISO 4217.
    """

    __tablename__ = "stripe_report_day"
    file_id: Mapped[UUID] = mapped_column(ForeignKey("statement_file.id"), primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    line_count: Mapped[int]
    gross: Mapped[int]
    fee: Mapped[int]
    net: Mapped[int]


class StripeAccountPull(Root):
    """How far the lines and payouts of a connected account were read; the longest ago is next.

    lines_through: when its newest stored line was made; failed: how often in a row it could not
    be read.
    """

    __tablename__ = "stripe_account_pull"
    account: Mapped[str] = mapped_column(primary_key=True)
    pulled_at: Mapped[datetime | None] = mapped_column(index=True)
    lines_through: Mapped[datetime | None]
    failed: Mapped[int]
