"""The months of the book: how each stands, and what its control accounts did in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ledger.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPeriod,
    LedgerPeriodMark,
    LedgerTransaction,
)
from marketplace.ledger.queries.instants import raw_balances
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.ledger.rules.accounts import side_of
from marketplace.ledger.rules.periods import PeriodState
from marketplace.money import Money, zero

MONTHS_MAX = 240


@dataclass(frozen=True, slots=True)
class Period:
    """A month: its first day, its state, and every step it took, oldest first.

    late: transactions that happened in it and took effect later, since it took no more.
    """

    month: date
    state: PeriodState
    closed_at: datetime | None
    marks: Sequence[LedgerPeriodMark]
    late: int

    @property
    def reopened(self) -> bool:
        """Whether it was ever opened again after it had been closed."""
        return any(mark.step is PeriodState.REOPENED for mark in self.marks)


def period_states(
    session: Session, viewer: Actor, *, before: date | None = None, limit: int = 24
) -> list[Period]:
    """Months of the book, newest first, those before the month `before`."""
    viewer.require("finance.view")
    page = select(LedgerPeriod).order_by(LedgerPeriod.month.desc())
    if before is not None:
        page = page.where(LedgerPeriod.month < before)
    found = session.scalars(page.limit(min(limit, MONTHS_MAX))).all()
    months = [one.month for one in found]
    marks = defaultdict(list)
    for mark in session.scalars(
        select(LedgerPeriodMark)
        .where(LedgerPeriodMark.month.in_(months))
        .order_by(LedgerPeriodMark.month, LedgerPeriodMark.nth)
    ):
        marks[mark.month].append(mark)
    late = _late(session, months)
    return [
        Period(one.month, one.state, one.closed_at, marks[one.month], late.get(one.month, 0))
        for one in found
    ]


def _late(session: Session, months: list[date]) -> dict[date, int]:
    if not months:
        return {}
    month = func.date_trunc("month", LedgerTransaction.happened_on)
    rows = session.execute(
        select(month, func.count())
        .where(
            LedgerTransaction.effective_on > LedgerTransaction.happened_on,
            LedgerTransaction.happened_on >= min(months),
        )
        .group_by(month)
    )
    return {each.date(): count for each, count in rows}


@dataclass(frozen=True, slots=True)
class LatePosting:
    """A transaction that happened in a month which took no more, and took effect later."""

    transaction_id: object
    source_kind: SourceKind
    source_id: str
    happened_on: date
    effective_on: date
    posted_at: datetime


def late_postings(
    session: Session, viewer: Actor, month: date, *, limit: int = 1_000
) -> list[LatePosting]:
    """What happened in a month and is in the book of a later one, oldest first."""
    viewer.require("finance.view")
    first, following = month.replace(day=1), month_after(month)
    rows = session.scalars(
        select(LedgerTransaction)
        .where(
            LedgerTransaction.effective_on > LedgerTransaction.happened_on,
            LedgerTransaction.happened_on >= first,
            LedgerTransaction.happened_on < following,
        )
        .order_by(LedgerTransaction.id)
        .limit(limit)
    )
    return [
        LatePosting(
            row.id,
            row.source_kind,
            row.source_id,
            row.happened_on,
            row.effective_on,
            row.posted_at,
        )
        for row in rows
    ]


def month_after(month: date) -> date:
    """The first day of the month that follows."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


@dataclass(frozen=True, slots=True)
class RollForward:
    """A control account in a month, all amounts on its own side.

    stem: such as `L:lab:available`; movements: by source, those that came to nothing left out.
    """

    stem: str
    kind: AccountKind
    opening: Money
    movements: Mapping[SourceKind, Money]
    closing: Money

    @property
    def ties(self) -> bool:
        """Whether the opening and the movements come to the closing."""
        nothing = zero(self.opening.currency)
        return self.opening + sum(self.movements.values(), nothing) == self.closing


def roll_forward(session: Session, viewer: Actor, month: date) -> list[RollForward]:
    """Opening, movements by source and closing of every control account, by stem and currency.

    By `effective_on`. The closing is read from the turnovers and not made from the rest, so that
    `ties` can fail.
    """
    viewer.require("finance.view")
    first, following = month.replace(day=1), month_after(month)
    opening = _by_stem(session, first - timedelta(days=1))
    closing = _by_stem(session, following - timedelta(days=1))
    moved = _movements(session, first, following)
    found = []
    for key in sorted({*opening, *closing, *moved}):
        stem, currency, kind = key
        side = side_of(AccountKind(kind))
        movements = {
            source: Money(minor * side, currency)
            for source, minor in sorted(moved.get(key, {}).items())
            if minor
        }
        ends = [Money(sums.get(key, 0) * side, currency) for sums in (opening, closing)]
        found.append(RollForward(stem, AccountKind(kind), ends[0], movements, ends[1]))
    return found


_Key = tuple[str, str, str]


def _by_stem(session: Session, on: date) -> dict[_Key, int]:
    each = raw_balances(
        LedgerAccount.stem, LedgerAccount.currency, LedgerAccount.kind, on=on
    ).subquery()
    rows = session.execute(
        select(each.c.stem, each.c.currency, each.c.kind, func.sum(each.c.raw)).group_by(
            each.c.stem, each.c.currency, each.c.kind
        )
    )
    return {(stem, currency, kind.value): int(raw) for stem, currency, kind, raw in rows}


def _movements(session: Session, first: date, following: date) -> dict[_Key, dict[SourceKind, int]]:
    rows = session.execute(
        select(
            LedgerAccount.stem,
            LedgerAccount.currency,
            LedgerAccount.kind,
            LedgerTransaction.source_kind,
            func.sum(LedgerEntry.amount),
        )
        .select_from(LedgerTransaction)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.effective_on >= first, LedgerTransaction.effective_on < following)
        .group_by(
            LedgerAccount.stem,
            LedgerAccount.currency,
            LedgerAccount.kind,
            LedgerTransaction.source_kind,
        )
    )
    found: dict[_Key, dict[SourceKind, int]] = defaultdict(dict)
    for stem, currency, kind, source, minor in rows:
        found[stem, currency, kind.value][source] = int(minor)
    return found
