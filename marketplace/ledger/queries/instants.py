"""Every account's balance at any instant, or as any book day ends, without reading the book.

Each turnover row keeps what its account had as its day ended; so the balance of a day is one
index look-up for each account, and only what was posted on the asked day itself, and what is not
numbered yet, is summed from entries.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ledger.models import (
    Basis,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    LedgerTurnover,
)
from marketplace.ledger.rules.accounts import currency_of
from marketplace.money import Money, zero


def raw_balances(
    *columns: Any, at: datetime | None = None, on: date | None = None, code: str | None = None
) -> Select[Any]:
    """Select the columns of accounts, and `raw`, their sums of entries (debits positive).

    at: an aware instant, a transaction counts from its `posted_at` on; on: the end of a book day,
    a transaction counts from its `effective_on` on; neither: now. code: this account alone.
    Accounts that were not used by then are left out.
    """
    closing = _closings(at, on).lateral("kept")
    recent = _recent(at, on)
    raw = func.coalesce(closing.c.closing, 0) + func.coalesce(recent.c.amount, 0)
    found = (
        select(*columns, raw.label("raw"))
        .select_from(LedgerAccount)
        .join(closing, true(), isouter=True)
        .join(recent, recent.c.account_id == LedgerAccount.id, isouter=True)
        .where(or_(closing.c.closing.is_not(None), recent.c.amount.is_not(None)))
    )
    return found if code is None else found.where(LedgerAccount.code == code)


def _closings(at: datetime | None, on: date | None) -> Select[int]:
    """What an account had as its last day before the asked one ended."""
    kept = select(LedgerTurnover.closing).where(LedgerTurnover.account_id == LedgerAccount.id)
    if on is not None:
        kept = kept.where(LedgerTurnover.basis == Basis.EFFECTIVE, LedgerTurnover.on_day <= on)
    else:
        kept = kept.where(LedgerTurnover.basis == Basis.POSTED)
        if at is not None:
            kept = kept.where(LedgerTurnover.on_day < at.astimezone(UTC).date())
    return kept.order_by(LedgerTurnover.on_day.desc()).limit(1).correlate(LedgerAccount)


def _recent(at: datetime | None, on: date | None) -> Subquery:
    """What the turnovers do not have: the asked day itself, and what is not numbered yet.

    Of all accounts, even where one is asked for: a planner that sees the account would rather read
    all of its entries than those of a day, and the platform's accounts have the most.
    """
    unnumbered = LedgerTransaction.number.is_(None)
    if on is not None:
        return _summed(_entries(unnumbered, LedgerTransaction.effective_on <= on))
    if at is None:
        return _summed(_entries(unnumbered))
    moment = at.astimezone(UTC)
    until = LedgerTransaction.posted_at <= moment
    midnight = datetime.combine(moment.date(), time(), UTC)
    today = LedgerTransaction.posted_at >= midnight
    numbered = LedgerTransaction.number.is_not(None)
    return _summed(_entries(numbered, today, until), _entries(unnumbered, until))


def _entries(*conditions: ColumnElement[bool]) -> Select[UUID, int]:
    return (
        select(LedgerEntry.account_id, LedgerEntry.amount)
        .select_from(LedgerTransaction)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(*conditions)
    )


def _summed(*parts: Select[UUID, int]) -> Subquery:
    both = union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()
    return (
        select(both.c.account_id, func.sum(both.c.amount).label("amount"))
        .group_by(both.c.account_id)
        .subquery("recent")
    )


def raw_balance(
    session: Session, code: str, *, at: datetime | None = None, on: date | None = None
) -> tuple[Money, int]:
    """One account's sum of entries, debits positive, and its side; nothing for an unused one."""
    row = session.execute(raw_balances(LedgerAccount.side, at=at, on=on, code=code)).first()
    currency = currency_of(code)
    return (zero(currency), 1) if row is None else (Money(int(row.raw), currency), row.side)


def balance_at(
    session: Session,
    viewer: Actor,
    code: str,
    at: datetime | None = None,
    *,
    on: date | None = None,
) -> Money:
    """An account's balance on its own side, at an instant or as a book day ended."""
    viewer.require("finance.view")
    raw, side = raw_balance(session, code, at=at, on=on)
    return raw * side
