"""The book's tables; only `service` writes them, and the database guards them (migration 0003)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
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
from marketplace.ledger.rules import AccountKind, SourceKind

_SIDE = (
    "side = CASE WHEN kind IN ('asset', 'expense', 'trading', 'custody_asset') THEN 1 ELSE -1 END"
)
_OWNED = (
    "floor OR NOT (split_part(code, ':', 1) = 'C' OR split_part(code, ':', 1) = 'L' "
    "AND split_part(code, ':', 2) IN ('lab', 'job', 'spec'))"
)


class PeriodState(StrEnum):
    """A month takes postings, or does so no longer."""

    OPEN = "open"
    CLOSED = "closed"


class LedgerAccount(Root):
    """One account. balance: minor units on its own side, kept by a trigger; NULL without floor."""

    __tablename__ = "ledger_account"
    id: Mapped[IdKey]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[AccountKind] = mapped_column(text_enum(AccountKind))
    currency: Mapped[str] = mapped_column(CHAR(3))
    side: Mapped[int] = mapped_column(SmallInteger)
    owner_id: Mapped[UUID | None] = mapped_column(index=True)
    funder_id: Mapped[UUID | None] = mapped_column(index=True)
    floor: Mapped[bool]
    balance: Mapped[int | None]

    __table_args__ = (
        one_of("kind", AccountKind),
        CheckConstraint(_SIDE, name="side"),
        CheckConstraint(_OWNED, name="owned_has_floor"),
        CheckConstraint("right(code, 4) = ':' || currency", name="code_currency"),
        CheckConstraint("(balance IS NOT NULL) = floor", name="balance_with_floor"),
        CheckConstraint("balance >= 0", name="no_overdraft"),
    )


class LedgerPeriod(Root):
    """A month of the book, opened by its first posting. month: its first day."""

    __tablename__ = "ledger_period"
    month: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[PeriodState] = mapped_column(text_enum(PeriodState))
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", PeriodState),
        CheckConstraint("extract(day FROM month) = 1", name="first_day"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    )


class LedgerTransaction(Root):
    """The header of a transaction; number and chain_hash come from the sequencer, after commit."""

    __tablename__ = "ledger_transaction"
    id: Mapped[IdKey]
    source_kind: Mapped[SourceKind] = mapped_column(text_enum(SourceKind))
    source_id: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    leg_count: Mapped[int] = mapped_column(SmallInteger)
    balance_transaction_id: Mapped[str | None] = mapped_column(unique=True)
    reverses_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ledger_transaction.id"), unique=True
    )
    facts: Mapped[dict[str, str]] = mapped_column(JSONB)
    happened_on: Mapped[date]
    effective_on: Mapped[date]
    posted_at: Mapped[datetime]
    number: Mapped[int | None] = mapped_column(unique=True)
    chain_hash: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("source_kind", "source_id"),
        one_of("source_kind", SourceKind),
        CheckConstraint("leg_count >= 2", name="two_legs"),
        CheckConstraint("octet_length(content_hash) = 32", name="content_hash"),
        CheckConstraint("effective_on >= happened_on", name="never_backdated"),
        CheckConstraint("(number IS NULL) = (chain_hash IS NULL)", name="numbered_with_hash"),
        Index(
            "uq_ledger_transaction_line_end",
            "source_id",
            unique=True,
            postgresql_where=text("source_kind IN ('payout_cancel', 'transfer')"),
        ),
        Index("ix_ledger_transaction_unnumbered", "id", postgresql_where=text("number IS NULL")),
        Index("ix_ledger_transaction_posted_at", "posted_at", postgresql_using="brin"),
    )


# What a link of the chain covers; see rules.chain.
LINKED = (
    LedgerTransaction.id,
    LedgerTransaction.source_kind,
    LedgerTransaction.source_id,
    LedgerTransaction.content_hash,
    LedgerTransaction.effective_on,
    LedgerTransaction.posted_at,
)


class LedgerEntry(Root):
    """One leg. amount: minor units, debits positive; leg counts from 1 in its transaction.

    account_id is held by a trigger instead of a foreign key, whose check would make every
    posting lock the platform's accounts; accounts are never deleted.
    """

    __tablename__ = "ledger_entry"
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("ledger_transaction.id"), primary_key=True
    )
    leg: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[UUID]
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))

    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("leg >= 1", name="leg"),
        Index(
            "ix_ledger_entry_account",
            "account_id",
            "transaction_id",
            "leg",
            postgresql_include=["amount"],
        ),
    )


class LedgerTurnover(Root):
    """What an account's numbered entries of one day sum to; a trigger keeps it as they are
    numbered. on_day: the UTC day of `posted_at`; amount: minor units, debits positive.
    """

    __tablename__ = "ledger_turnover"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[int]
    entry_count: Mapped[int]

    __table_args__ = (Index("ix_ledger_turnover_on_day", "on_day"),)
