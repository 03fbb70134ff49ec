"""How things went: cover of what is owed day by day, an account month by month, and what stands
before, after and against a transaction. Read from turnovers, never from the whole book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Date, cast, func, select, union_all
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ledger.models import (
    Basis,
    LedgerAccount,
    LedgerDay,
    LedgerEntry,
    LedgerTransaction,
    LedgerTurnover,
)
from marketplace.ledger.queries.instants import raw_balance
from marketplace.ledger.queries.months import month_after
from marketplace.ledger.queries.position import CASH, OWED, STEMS, MoneyByState
from marketplace.money import Money


@dataclass(frozen=True, slots=True)
class CoverDay:
    """Invariant 13 as a UTC day ended, or now for the last. cash: with what disputes took."""

    on_day: date
    cash: Money
    owed: Money

    @property
    def cover(self) -> Money:
        """What is left once everybody is paid."""
        return self.cash - self.owed


def cover_by_day(
    session: Session, viewer: Actor, now: Mapping[str, MoneyByState], at: datetime, days: int = 30
) -> dict[str, list[CoverDay]]:
    """The last `days` days by currency, oldest first; each ends where `now` is.

    now: money by state at the moment `at`; what each day moved is taken off it, day by day back.
    """
    viewer.require("finance.view")
    today = at.astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    cash_stems = [stem for name in (*CASH, "disputed") for stem in STEMS[name]]
    owed_stems = [stem for name in OWED for stem in STEMS[name]]
    moved = _moved(session, [*cash_stems, *owed_stems], first)
    found = {}
    for currency, each in now.items():
        cash, owed = each.cash + each.disputed, each.owed
        course = []
        for back in range(days):
            day = today - timedelta(days=back)
            course.append(CoverDay(day, cash, owed))
            for stem, minor in moved.get((currency, day), {}).items():
                if stem in cash_stems:
                    cash = cash - Money(minor, currency)
                else:
                    owed = owed + Money(minor, currency)
        found[currency] = course[::-1]
    return found


def _moved(
    session: Session, stems: list[str], first: date
) -> dict[tuple[str, date], dict[str, int]]:
    """Raw sums by currency and UTC day, then by control account, from a day on."""
    kept = (
        select(LedgerAccount.stem, LedgerAccount.currency, LedgerTurnover.on_day)
        .add_columns(LedgerTurnover.amount)
        .join(LedgerTurnover, LedgerTurnover.account_id == LedgerAccount.id)
        .where(LedgerTurnover.basis == Basis.POSTED, LedgerTurnover.on_day >= first)
    )
    # What the sequencer has not numbered yet is in no turnover.
    posted_on = cast(func.timezone("UTC", LedgerTransaction.posted_at), Date)
    fresh = (
        select(LedgerAccount.stem, LedgerAccount.currency, posted_on, LedgerEntry.amount)
        .select_from(LedgerTransaction)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.number.is_(None))
        .where(LedgerTransaction.posted_at >= datetime.combine(first, time(), UTC))
    )
    both = union_all(kept, fresh).subquery()
    stem, currency, day, amount = both.c
    rows = session.execute(
        select(stem, currency, day, func.sum(amount))
        .where(stem.in_(stems))
        .group_by(stem, currency, day)
    )
    found: dict[tuple[str, date], dict[str, int]] = defaultdict(dict)
    for name, code, on_day, minor in rows:
        found[code, on_day][name] = int(minor)
    return found


@dataclass(frozen=True, slots=True)
class AccountMonth:
    """An account in a month, on its own side; entries: how many of them there are."""

    first: date
    opening: Money
    movement: Money
    closing: Money
    entries: int

    @property
    def last(self) -> date:
        """The last day of the month."""
        return month_after(self.first) - timedelta(days=1)


def account_months(
    session: Session, viewer: Actor, code: str, *, limit: int = 12
) -> list[AccountMonth]:
    """The months in which an account moved, by `effective_on`, newest first."""
    viewer.require("finance.view")
    closing, side = raw_balance(session, code)
    wanted = select(LedgerAccount.id).where(LedgerAccount.code == code).scalar_subquery()
    turnovers = select(LedgerTurnover.on_day, LedgerTurnover.amount, LedgerTurnover.entry_count)
    turnovers = turnovers.where(LedgerTurnover.account_id == wanted)
    kept = turnovers.where(LedgerTurnover.basis == Basis.EFFECTIVE)
    fresh = (
        select(LedgerTransaction.effective_on, LedgerEntry.amount, 1)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(LedgerTransaction.number.is_(None), LedgerEntry.account_id == wanted)
    )
    both = union_all(kept, fresh).subquery()
    day, amount, count = both.c
    month = cast(func.date_trunc("month", day), Date)
    rows = session.execute(
        select(month, func.sum(amount), func.sum(count))
        .group_by(month)
        .order_by(month.desc())
        .limit(limit)
    )
    found = []
    for first, minor, entries in rows:
        movement = Money(int(minor), closing.currency)
        opening = closing - movement
        found.append(
            AccountMonth(first, opening * side, movement * side, closing * side, int(entries))
        )
        closing = opening
    return found


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands around a transaction. reversed_by: what took it back; former, following: in the
    chain; day: the head that covers it, None until its day is sealed."""

    reversed_by: UUID | None
    former: UUID | None
    following: UUID | None
    day: LedgerDay | None


def neighbours(session: Session, viewer: Actor, header: LedgerTransaction) -> Neighbours:
    """What took a transaction back, and its place in the chain."""
    viewer.require("finance.view")
    of = select(LedgerTransaction.id)
    back = session.scalar(of.where(LedgerTransaction.reverses_id == header.id))
    number = header.number
    if number is None:
        return Neighbours(back, None, None, None)
    former = session.scalar(of.where(LedgerTransaction.number == number - 1))
    following = session.scalar(of.where(LedgerTransaction.number == number + 1))
    heads = select(LedgerDay).where(LedgerDay.last_number >= number)
    day = session.scalar(heads.order_by(LedgerDay.last_number).limit(1))
    return Neighbours(back, former, following, day)
