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
from marketplace.ledger.rules.periods import PeriodState
from marketplace.ledger.rules.postings import ENDS

_SIDE = (
    "side = CASE WHEN kind IN ('asset', 'expense', 'trading', 'custody_asset') THEN 1 ELSE -1 END"
)
_OWNED = (
    "floor OR NOT (split_part(code, ':', 1) = 'C' OR split_part(code, ':', 1) = 'L' "
    "AND split_part(code, ':', 2) IN ('lab', 'job', 'spec', 'tax_withheld', 'unapplied', "
    "'refund_inflight') OR split_part(code, ':', 1) = 'A' "
    "AND split_part(code, ':', 2) = 'receivable')"
)
_KIND_OF_CODE = (
    "kind IS NOT DISTINCT FROM CASE WHEN code LIKE 'C:A:%' THEN 'custody_asset'"
    " WHEN code LIKE 'C:L:%' THEN 'custody_liability' WHEN code LIKE 'A:%' THEN 'asset'"
    " WHEN code LIKE 'L:%' THEN 'liability' WHEN code LIKE 'I:%' THEN 'income'"
    " WHEN code LIKE 'E:%' THEN 'expense' WHEN code LIKE 'X:%' THEN 'trading' END"
)
_TWO_PEOPLE = (
    "source_kind NOT IN ('adjustment', 'write_off', 'tax_remitted')"
    " OR (coalesce(facts ->> 'proposed_by', '') <> '' AND coalesce(facts ->> 'approved_by', '')"
    " <> '' AND facts ->> 'proposed_by' <> facts ->> 'approved_by')"
)
_EVIDENCE = (
    "source_kind <> 'adjustment' OR (coalesce(facts ->> 'evidence_sha256', '')"
    " ~ '^[0-9a-f]{64}$' AND coalesce(facts ->> 'reason', '') <> '')"
)
_HELD_BY = (
    "source_kind NOT IN ('hold', 'unhold') OR (coalesce(facts ->> 'reason', '') <> ''"
    " AND coalesce(facts ->> 'owner_person_id', '') <> '')"
)


class Basis(StrEnum):
    """The calendar that a turnover is counted by: the UTC day of posting, or the book's day."""

    POSTED = "posted"
    EFFECTIVE = "effective"


def _one_end(name: str, kinds: tuple[SourceKind, ...]) -> Index:
    listed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return Index(
        f"uq_ledger_transaction_{name}",
        "source_id",
        unique=True,
        postgresql_where=text(f"source_kind IN ({listed})"),
    )


class LedgerAccount(Root):
    """One account. balance: minor units on its own side, kept by a trigger; NULL without floor.

    stem: the control account that it is one of, such as `L:lab:available`; a trigger writes it.
    """

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
    stem: Mapped[str] = mapped_column(index=True)

    __table_args__ = (
        one_of("kind", AccountKind),
        CheckConstraint(_SIDE, name="side"),
        CheckConstraint(_OWNED, name="owned_has_floor"),
        CheckConstraint(_KIND_OF_CODE, name="kind_of_code"),
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


class LedgerPeriodMark(Root):
    """One step in the life of a month, kept for ever; nth: counts from 1 in its month.

    person_id: who did it, None for the system; second_person_id, reason: who agreed to reopen it,
    and why.
    """

    __tablename__ = "ledger_period_mark"
    month: Mapped[date] = mapped_column(ForeignKey("ledger_period.month"), primary_key=True)
    nth: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    step: Mapped[PeriodState] = mapped_column(text_enum(PeriodState))
    at: Mapped[datetime]
    person_id: Mapped[UUID | None]
    second_person_id: Mapped[UUID | None]
    reason: Mapped[str]

    __table_args__ = (
        one_of("step", PeriodState),
        CheckConstraint(
            "step <> 'reopened' OR (person_id IS NOT NULL AND second_person_id IS NOT NULL"
            " AND person_id <> second_person_id AND reason <> '')",
            name="reopened_by_two",
        ),
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
        CheckConstraint(_TWO_PEOPLE, name="two_people"),
        CheckConstraint(_EVIDENCE, name="evidence"),
        CheckConstraint(_HELD_BY, name="held_by_somebody"),
        *(_one_end(name, kinds) for name, kinds in ENDS.items()),
        Index("ix_ledger_transaction_unnumbered", "id", postgresql_where=text("number IS NULL")),
        Index("ix_ledger_transaction_posted_at", "posted_at", postgresql_using="brin"),
        Index("ix_ledger_transaction_effective_on", "effective_on"),
        Index(
            "ix_ledger_transaction_facts",
            text("jsonb_path_query_array(facts, '$.*')"),
            postgresql_using="gin",
            postgresql_where=text("facts <> '{}'"),
        ),
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
        Index("ix_ledger_entry_amount", "amount"),
    )


class LedgerTurnover(Root):
    """What an account's numbered entries of one day sum to; a trigger keeps it as they are
    numbered. basis: which day, that of `posted_at` in UTC or `effective_on`; amount: minor units,
    debits positive; closing: the sum of all amounts up to the end of that day.
    """

    __tablename__ = "ledger_turnover"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    basis: Mapped[Basis] = mapped_column(text_enum(Basis), primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[int]
    entry_count: Mapped[int]
    closing: Mapped[int]

    __table_args__ = (
        one_of("basis", Basis),
        Index("ix_ledger_turnover_on_day", "basis", "on_day"),
    )


class LedgerDay(Root):
    """The head of the chain as a UTC day had ended: what was numbered since the head before.

    last_number, chain_hash: of the last transaction; debits: minor units by currency, as much as
    the credits; day_hash: the link of this row to the row before.
    """

    __tablename__ = "ledger_day"
    on_day: Mapped[date] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(unique=True)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)
    transaction_count: Mapped[int]
    entry_count: Mapped[int]
    debits: Mapped[dict[str, int]] = mapped_column(JSONB)
    sealed_at: Mapped[datetime]
    day_hash: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("transaction_count > 0", name="not_empty"),
        CheckConstraint("octet_length(day_hash) = 32", name="day_hash"),
    )
