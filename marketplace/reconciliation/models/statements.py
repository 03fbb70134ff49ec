"""Statements of banks, as they came and as they were read; nobody alters them (migration 0049)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
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
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.reconciliation.rules.statements import SourceKind
from marketplace.secrets import EncryptedText


class Holds(StrEnum):
    """Whose money an account of ours at a bank is for; the ledger's account follows from it."""

    CLIENT_FUNDS = "client_funds"
    OPERATING = "operating"


class StatementSource(Root):
    """One account that sends statements. account: its number as the bank writes it; account_key:
    the same without spaces and dashes; the ledger's account is `A:bank:<holds>:<currency>`.
    """

    __tablename__ = "statement_source"
    id: Mapped[IdKey]
    kind: Mapped[SourceKind] = mapped_column(text_enum(SourceKind))
    name: Mapped[str]
    account: Mapped[str]
    account_key: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    holds: Mapped[Holds] = mapped_column(text_enum(Holds))
    added_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]

    __table_args__ = (
        one_of("kind", SourceKind),
        one_of("holds", Holds),
        UniqueConstraint("account_key", "currency"),
    )

    @property
    def ledger_account(self) -> str:
        """The code of the ledger's account."""
        return f"A:bank:{self.holds}:{self.currency}"

    @property
    def break_source(self) -> str:
        """What its breaks name as the thing compared."""
        return f"bank:{self.account_key}:{self.currency}"


class StatementMapping(Root):
    """What the columns of an account's CSV export mean; each saving is a version of its own."""

    __tablename__ = "statement_mapping"
    id: Mapped[IdKey]
    source_id: Mapped[UUID] = mapped_column(ForeignKey("statement_source.id"))
    version: Mapped[int]
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    saved_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("source_id", "version"),)


class StatementFile(Root):
    """A file as it was uploaded: hashed, sealed under its own key in the store, never altered."""

    __tablename__ = "statement_file"
    id: Mapped[IdKey]
    kind: Mapped[SourceKind] = mapped_column(text_enum(SourceKind))
    name: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    size_bytes: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    file_key: Mapped[str] = mapped_column(EncryptedText)
    mapping_id: Mapped[UUID | None] = mapped_column(ForeignKey("statement_mapping.id"))
    taken_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    taken_at: Mapped[datetime]

    __table_args__ = (
        one_of("kind", SourceKind),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        CheckConstraint("size_bytes > 0", name="size_bytes"),
    )


class BankStatement(Root):
    """One statement, proven: opening balance and lines make the closing balance.

    number, sequence: as the bank counts, where it does; both days count; entry_count: lines that
    it states, also those that an earlier statement brought; left_out: lines that were not booked.
    """

    __tablename__ = "bank_statement"
    id: Mapped[IdKey]
    file_id: Mapped[UUID] = mapped_column(ForeignKey("statement_file.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("statement_source.id"))
    number: Mapped[str]
    sequence: Mapped[int | None]
    pages: Mapped[int] = mapped_column(SmallInteger)
    opening_minor: Mapped[int]
    closing_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    from_on: Mapped[date]
    to_on: Mapped[date]
    entry_count: Mapped[int]
    left_out: Mapped[int]
    variant: Mapped[str]
    taken_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("from_on <= to_on", name="days"),
        Index("ix_bank_statement_source_id", "source_id", "from_on", "id"),
        Index("ix_bank_statement_file_id", "file_id"),
    )

    @property
    def opening(self) -> Money:
        """The balance before its first line."""
        return Money(self.opening_minor, self.currency)

    @property
    def closing(self) -> Money:
        """The balance after its last line."""
        return Money(self.closing_minor, self.currency)


class StatementEntry(Root):
    """One booked line of an account, whichever statement brought it first.

    natural_id: `be_…`, the same for the same line in each file, and what the ledger posts it
    under; occurrence: counts lines that read alike; tokens: words that may name something of
    ours; payer_hash: a keyed hash of who paid; details: what names people, encrypted.
    """

    __tablename__ = "statement_entry"
    id: Mapped[IdKey]
    source_id: Mapped[UUID] = mapped_column(ForeignKey("statement_source.id"))
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("bank_statement.id"))
    natural_id: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[str]
    occurrence: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    booked_on: Mapped[date]
    value_on: Mapped[date | None]
    bank_reference: Mapped[str]
    end_to_end: Mapped[str]
    payment_id: Mapped[str]
    code: Mapped[str]
    reversal: Mapped[bool]
    return_reason: Mapped[str]
    charges_minor: Mapped[int | None]
    tokens: Mapped[list[str]]
    payer_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    details: Mapped[str | None] = mapped_column(EncryptedText)
    line: Mapped[int]
    taken_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("source_id", "fingerprint", "occurrence"),
        CheckConstraint("occurrence >= 1", name="occurrence"),
        Index("ix_statement_entry_source_id", "source_id", "booked_on", "id"),
        Index("ix_statement_entry_bank_reference", "bank_reference"),
        Index("ix_statement_entry_end_to_end", "end_to_end"),
        Index("ix_statement_entry_payment_id", "payment_id"),
        Index("ix_statement_entry_statement_id", "statement_id", "id"),
    )

    @property
    def amount(self) -> Money:
        """What the balance moved by; negative when money left."""
        return Money(self.amount_minor, self.currency)
