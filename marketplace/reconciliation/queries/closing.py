"""Months of the book as they are closed: their states, roll-forwards, late items and packs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ledger.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPeriod,
    LedgerTransaction,
)
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.ledger.rules.chart import control_account
from marketplace.money import Money, zero
from marketplace.reconciliation.models import BreakProposal, MonthClose, MonthReopening
from marketplace.reconciliation.rules.breaks import Decision
from marketplace.reconciliation.rules.closing import last_day

PAGE = 120
CLOSES_MAX = 1_000
LATE_MAX = 500
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the book. state: of the ledger; close: the newest of its closes, if any."""

    first: date
    state: str
    close: MonthClose | None
    reopened: int


@dataclass(frozen=True, slots=True)
class Rolled:
    """One account, or all of a kind, over a month; debits positive throughout."""

    code: str
    kind: AccountKind
    opening: Money
    debits: Money
    credits: Money

    @property
    def closing(self) -> Money:
        """What it has as the month ends."""
        return self.opening + self.debits - self.credits


@dataclass(frozen=True, slots=True)
class LateItem:
    """A transaction that took effect in a later month than it happened in."""

    transaction_id: UUID
    source_kind: SourceKind
    source_id: str
    happened_on: date
    effective_on: date
    amount: Money


def months(session: Session, viewer: Actor) -> list[Month]:
    """Every month of the book, the newest first, with its newest close."""
    viewer.require(Permission.FINANCE_VIEW)
    # The last of each month stays in the mapping.
    newest = (
        select(MonthClose).order_by(MonthClose.month.desc(), MonthClose.round).limit(CLOSES_MAX)
    )
    closes = {close.month: close for close in session.scalars(newest)}
    marks = session.execute(
        select(MonthReopening.month, func.count())
        .where(MonthReopening.approved_at.is_not(None))
        .group_by(MonthReopening.month)
    )
    reopened = {month: number for month, number in marks}  # noqa: C416 - rows are no pairs to mypy.
    rows = select(LedgerPeriod.month, LedgerPeriod.state)
    rows = rows.order_by(LedgerPeriod.month.desc()).limit(PAGE)
    return [
        Month(first, state.value, closes.get(first), reopened.get(first, 0))
        for first, state in session.execute(rows)
    ]


def state_of(session: Session, month: date) -> str | None:
    """The ledger's word for a month; None for one that nothing was posted in."""
    found = session.scalar(select(LedgerPeriod.state).where(LedgerPeriod.month == month))
    return None if found is None else found.value


def is_closed(session: Session, on: date) -> bool:
    """Whether the month of a day takes no postings."""
    return state_of(session, on.replace(day=1)) == "closed"


def closes_of(session: Session, viewer: Actor, month: date) -> list[MonthClose]:
    """All closes of a month, the newest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(MonthClose).where(MonthClose.month == month)
    return list(session.scalars(rows.order_by(MonthClose.round.desc()).limit(PAGE)))


def reopenings_of(session: Session, viewer: Actor, month: date) -> list[MonthReopening]:
    """Everything that was asked and approved to open a month again, the newest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(MonthReopening).where(MonthReopening.month == month)
    return list(session.scalars(rows.order_by(MonthReopening.id.desc()).limit(PAGE)))


def close_of(session: Session, viewer: Actor, month: date, round_: int | None = None) -> MonthClose:
    """One close of a month, the newest for None; Missing where there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(MonthClose).where(MonthClose.month == month)
    if round_ is not None:
        rows = rows.where(MonthClose.round == round_)
    found = session.scalars(rows.order_by(MonthClose.round.desc()).limit(1)).first()
    if found is None:
        raise Missing("This month was never closed.")
    return found


def head_of(session: Session, month: date) -> tuple[int, bytes]:
    """The number and the link of the last numbered transaction in effect by a month's end; the
    number that bounds what a close tells.
    """
    row = session.execute(
        select(LedgerTransaction.number, LedgerTransaction.chain_hash)
        .where(
            LedgerTransaction.effective_on <= last_day(month),
            LedgerTransaction.number.is_not(None),
        )
        .order_by(LedgerTransaction.number.desc())
        .limit(1)
    ).first()
    return (0, b"") if row is None else (row.number, bytes(row.chain_hash))


def unnumbered_by(session: Session, month: date) -> int:
    """How many transactions in effect by a month's end wait for their numbers."""
    rows = select(func.count()).where(
        LedgerTransaction.number.is_(None), LedgerTransaction.effective_on <= last_day(month)
    )
    return session.scalar(rows) or 0


_ROLLED = text(
    """
    SELECT a.code, a.kind, a.currency,
           coalesce(sum(e.amount) FILTER (WHERE t.effective_on < :first), 0) AS opening,
           coalesce(sum(e.amount) FILTER (WHERE t.effective_on >= :first AND e.amount > 0), 0)
             AS debits,
           coalesce(-sum(e.amount) FILTER (WHERE t.effective_on >= :first AND e.amount < 0), 0)
             AS credits
    FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account a ON a.id = e.account_id
    WHERE t.effective_on <= :last AND t.number <= :number
    GROUP BY a.code, a.kind, a.currency ORDER BY a.code COLLATE "C\""""
)


def rolled(session: Session, month: date, number_max: int) -> Iterator[Rolled]:
    """Each account that was ever used by a month's end, over the month, by code.

    number_max: the head of the close, so that what is posted later changes nothing.
    """
    bounds = {"first": month, "last": last_day(month), "number": number_max}
    for row in session.execute(_ROLLED, bounds, execution_options={"yield_per": _BATCH}):
        yield Rolled(
            row.code,
            AccountKind(row.kind),
            *(Money(int(part), row.currency) for part in (row.opening, row.debits, row.credits)),
        )


def by_control_account(rows: Sequence[Rolled]) -> list[Rolled]:
    """The roll-forward of each kind of account and currency."""
    sums: dict[str, Rolled] = {}
    for row in rows:
        currency = row.opening.currency
        code = f"{control_account(row.code)}:{currency}"
        nothing = zero(currency)
        had = sums.get(code, Rolled(code, row.kind, nothing, nothing, nothing))
        sums[code] = Rolled(
            code,
            row.kind,
            had.opening + row.opening,
            had.debits + row.debits,
            had.credits + row.credits,
        )
    return [sums[code] for code in sorted(sums)]


def entries_of_month(session: Session, month: date, number_max: int) -> Iterator[Any]:
    """Every entry in effect in a month, in the order of its chain."""
    rows = (
        select(
            LedgerTransaction.number,
            LedgerTransaction.id,
            LedgerTransaction.source_kind,
            LedgerTransaction.source_id,
            LedgerTransaction.balance_transaction_id,
            LedgerTransaction.happened_on,
            LedgerTransaction.effective_on,
            LedgerTransaction.posted_at,
            LedgerEntry.leg,
            LedgerAccount.code,
            LedgerEntry.amount,
            LedgerEntry.currency,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.effective_on.between(month, last_day(month)),
            LedgerTransaction.number <= number_max,
        )
        .order_by(LedgerTransaction.number, LedgerEntry.leg)
    )
    return iter(session.execute(rows, execution_options={"yield_per": _BATCH}))


def late_items(session: Session, viewer: Actor, month: date) -> list[LateItem]:
    """What happened in a month and took effect later, since the month was closed by then, and
    what took effect in it and had happened before; in the order of their days.
    """
    viewer.require(Permission.FINANCE_VIEW)
    first, last = month, last_day(month)
    here = LedgerTransaction.effective_on.between(first, last)
    happened_here = LedgerTransaction.happened_on.between(first, last)
    moved = func.date_trunc("month", LedgerTransaction.happened_on) < func.date_trunc(
        "month", LedgerTransaction.effective_on
    )
    rows = session.execute(
        select(
            LedgerTransaction.id,
            LedgerTransaction.source_kind,
            LedgerTransaction.source_id,
            LedgerTransaction.happened_on,
            LedgerTransaction.effective_on,
            func.max(LedgerEntry.amount),
            func.max(LedgerEntry.currency),
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(here | happened_here, LedgerTransaction.happened_on < LedgerTransaction.effective_on)
        .where(moved)
        .group_by(LedgerTransaction.id)
        .order_by(LedgerTransaction.happened_on, LedgerTransaction.id)
        .limit(LATE_MAX)
    )
    return [
        LateItem(UUID(str(id_)), kind, source, happened, effective, Money(int(minor), currency))
        for id_, kind, source, happened, effective, minor, currency in rows
    ]


@dataclass(frozen=True, slots=True)
class Suspense:
    """A suspense account that is not empty. carried: how much of it approved proposals posted."""

    code: str
    balance: Money
    carried: Money


def suspense(session: Session, month: date) -> list[Suspense]:
    """Suspense accounts that have something as a month ends; credits positive."""
    approved = select(BreakProposal.transaction_id).where(
        BreakProposal.decision == Decision.APPROVED, BreakProposal.transaction_id.is_not(None)
    )
    rows = session.execute(
        select(
            LedgerAccount.code,
            LedgerAccount.currency,
            -func.sum(LedgerEntry.amount),
            func.coalesce(
                -func.sum(LedgerEntry.amount).filter(LedgerTransaction.id.in_(approved)), 0
            ),
        )
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerAccount.code.startswith("L:suspense:"),
            LedgerTransaction.effective_on <= last_day(month),
        )
        .group_by(LedgerAccount.code, LedgerAccount.currency)
        .order_by(LedgerAccount.code)
    )
    found = [
        Suspense(code, Money(int(balance), currency), Money(int(carried), currency))
        for code, currency, balance, carried in rows
    ]
    return [one for one in found if one.balance]


def packs_wanted(session: Session, before: datetime, limit: int = 20) -> list[UUID]:
    """Closes from before a moment whose pack is not made yet."""
    rows = select(MonthClose.id).where(
        MonthClose.pack_reference.is_(None), MonthClose.closed_at < before
    )
    return list(session.scalars(rows.order_by(MonthClose.id).limit(limit)))
