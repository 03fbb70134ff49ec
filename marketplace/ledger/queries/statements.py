"""The trial balance at any instant, and the entries of an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Faulty, Missing
from marketplace.ids import TransactionId, parse_id
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.queries.balances import balance
from marketplace.ledger.queries.instants import raw_balances
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.money import Money, zero

PAGE = 50
PAGE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account. raw: the sum of its entries, debits positive; side: where it is positive."""

    code: str
    kind: AccountKind
    raw: Money
    side: int

    @property
    def currency(self) -> str:
        """The account's currency."""
        return self.raw.currency

    @property
    def balance(self) -> Money:
        """The balance on the account's own side."""
        return self.raw * self.side

    @property
    def debit(self) -> Money | None:
        """The figure in the debit column, or None."""
        return self.raw if self.raw.minor > 0 else None

    @property
    def credit(self) -> Money | None:
        """The figure in the credit column, or None."""
        return -self.raw if self.raw.minor < 0 else None


@dataclass(frozen=True, slots=True)
class TrialTotal:
    """The two columns of one currency; they are equal, or the book is broken."""

    debit: Money
    credit: Money


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry of an account, newest first.

    amount and balance_after are on the account's own side; number is None until the sequencer
    has been; cursor continues the list after this line.
    """

    transaction_id: TransactionId
    source_kind: SourceKind
    source_id: str
    balance_transaction_id: str | None
    happened_on: date
    effective_on: date
    posted_at: datetime
    number: int | None
    amount: Money
    balance_after: Money
    cursor: str

    @classmethod
    def of(cls, header: LedgerTransaction, leg: int, amount: Money, after: Money) -> EntryLine:
        """The line of a leg; amount and after are on the account's own side."""
        return cls(
            transaction_id=TransactionId(header.id),
            source_kind=header.source_kind,
            source_id=header.source_id,
            balance_transaction_id=header.balance_transaction_id,
            happened_on=header.happened_on,
            effective_on=header.effective_on,
            posted_at=header.posted_at,
            number=header.number,
            amount=amount,
            balance_after=after,
            cursor=f"{header.id}:{leg}",
        )


@dataclass(frozen=True, slots=True)
class TransactionView:
    """A transaction with its legs as (account code, amount with debits positive)."""

    header: LedgerTransaction
    legs: Sequence[tuple[str, Money]]


def trial_balance(
    session: Session,
    viewer: Actor,
    at: datetime | None = None,
    *,
    on: date | None = None,
    after: str = "",
    limit: int = PAGE_MAX,
) -> list[TrialRow]:
    """Every account that was used by `at` (now when None), by code; those after code `after`.

    at: aware; a transaction counts from its `posted_at` on. on: instead of it, the end of a book
    day; a transaction counts from its `effective_on` on.
    """
    viewer.require("finance.view")
    columns = (
        LedgerAccount.code,
        LedgerAccount.kind,
        LedgerAccount.currency,
        LedgerAccount.side,
    )
    rows = session.execute(
        raw_balances(*columns, at=at, on=on)
        .where(LedgerAccount.code > after)
        .order_by(LedgerAccount.code)
        .limit(min(limit, PAGE_MAX))
    )
    return [
        TrialRow(row.code, row.kind, Money(int(row.raw), row.currency), row.side) for row in rows
    ]


def trial_totals(
    session: Session, viewer: Actor, at: datetime | None = None, *, on: date | None = None
) -> dict[str, TrialTotal]:
    """The sums of both columns over all accounts, by currency; at, on: as of `trial_balance`."""
    viewer.require("finance.view")
    each = raw_balances(LedgerAccount.currency, at=at, on=on).subquery()
    rows = session.execute(
        select(
            each.c.currency,
            func.coalesce(func.sum(each.c.raw).filter(each.c.raw > 0), 0),
            func.coalesce(func.sum(-each.c.raw).filter(each.c.raw < 0), 0),
        )
        .group_by(each.c.currency)
        .order_by(each.c.currency)
    )
    return {
        currency: TrialTotal(Money(int(debit), currency), Money(int(credit), currency))
        for currency, debit, credit in rows
    }


def entries_of(
    session: Session, viewer: Actor, code: str, after: str | None = None, limit: int = PAGE
) -> list[EntryLine]:
    """An account's entries, newest first, after a line's cursor; Missing for an unknown code."""
    viewer.require("finance.view")
    account = session.execute(
        select(LedgerAccount.id, LedgerAccount.side).where(LedgerAccount.code == code)
    ).first()
    if account is None:
        raise Missing("There is no such account.")
    mark = cursor_of(after)
    key = tuple_(LedgerEntry.transaction_id, LedgerEntry.leg)
    page = (
        select(LedgerTransaction, LedgerEntry.leg, LedgerEntry.amount)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(LedgerEntry.account_id == account.id)
        .order_by(LedgerEntry.transaction_id.desc(), LedgerEntry.leg.desc())
        .limit(min(limit, PAGE_MAX))
    )
    if mark is not None:
        page = page.where(key < mark)
    rows = session.execute(page).all()
    running = balance(session, code) - _newer(session, account, mark, code)
    lines = []
    for header, leg, minor in rows:
        amount = Money(account.side * minor, running.currency)
        lines.append(EntryLine.of(header, leg, amount, running))
        running = running - amount
    return lines


def cursor_of(after: str | None) -> tuple[UUID, int] | None:
    """The transaction and leg that a line's cursor names; Faulty for what is none of ours."""
    if not after:
        return None
    found, _, leg = after.partition(":")
    parsed = parse_id(found)
    if parsed is None or not (leg.isascii() and leg.isdigit() and len(leg) < 5):
        raise Faulty("The cursor is none of ours; start from the first page.")
    return parsed, int(leg)


def _newer(
    session: Session, account: Row[UUID, int], mark: tuple[UUID, int] | None, code: str
) -> Money:
    """What the entries of the pages before sum to, on the account's own side."""
    nothing = zero(code.rpartition(":")[2])
    if mark is None:
        return nothing
    key = tuple_(LedgerEntry.transaction_id, LedgerEntry.leg)
    minor = session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(
            LedgerEntry.account_id == account[0], key >= mark
        )
    )
    return Money(account[1] * int(minor or 0), nothing.currency)


def transaction_view(
    session: Session, viewer: Actor, transaction_id: TransactionId
) -> TransactionView:
    """A transaction with its legs; Missing when there is none."""
    viewer.require("finance.view")
    header = session.get(LedgerTransaction, transaction_id)
    if header is None:
        raise Missing("There is no such transaction.")
    rows = session.execute(
        select(LedgerAccount.code, LedgerEntry.amount, LedgerEntry.currency)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerEntry.transaction_id == transaction_id)
        .order_by(LedgerEntry.leg)
    )
    return TransactionView(
        header, [(code, Money(minor, currency)) for code, minor, currency in rows]
    )
