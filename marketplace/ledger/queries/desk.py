"""What the finance desk looks up: accounts by pattern, whole accounts, postings by source."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import TransactionId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.queries.balances import balance
from marketplace.ledger.queries.statements import PAGE, PAGE_MAX, EntryLine
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.money import Money, zero

_BATCH = 1_000
SEARCH_MAX = 120


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its balance now, on its own side. owner_id: the lab, job or specialist."""

    code: str
    kind: AccountKind
    owner_id: UUID | None
    balance: Money


def accounts(
    session: Session,
    viewer: Actor,
    *,
    search: str = "",
    kind: AccountKind | None = None,
    after: str = "",
    limit: int = PAGE,
) -> list[AccountRow]:
    """Accounts by code, those after the code `after`.

    search: a part of the code; with `*`, which stands for anything, the whole of it.
    """
    viewer.require("finance.view")
    page = select(LedgerAccount).where(LedgerAccount.code > after).order_by(LedgerAccount.code)
    if kind is not None:
        page = page.where(LedgerAccount.kind == kind)
    if search:
        page = page.where(matching(search))
    rows = session.scalars(page.limit(min(limit, PAGE_MAX))).all()
    return [AccountRow(row.code, row.kind, row.owner_id, _balance(session, row)) for row in rows]


def matching(search: str) -> ColumnElement[bool]:
    """That an account's code has a part, or with `*` is like the whole."""
    return LedgerAccount.code.ilike(_pattern(search[:SEARCH_MAX]), escape="\\")


def _pattern(search: str) -> str:
    plain = search.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return plain.replace("*", "%") if "*" in plain else f"%{plain}%"


def _balance(session: Session, account: LedgerAccount) -> Money:
    if account.balance is None:  # One of the few accounts without a cache.
        return balance(session, account.code)
    return Money(account.balance, account.currency)


def every_entry(session: Session, viewer: Actor, code: str) -> Iterator[EntryLine]:
    """All entries of an account, oldest first, as one moment sees them; a batch is held at a time.

    Nothing for an unknown code.
    """
    viewer.require("finance.view")
    rows = (
        select(
            LedgerTransaction,
            LedgerEntry.leg,
            (LedgerAccount.side * LedgerEntry.amount).label("amount"),
            LedgerAccount.currency,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerAccount.code == code)
        .order_by(LedgerEntry.transaction_id, LedgerEntry.leg)
    )
    running = zero(code.rpartition(":")[2])
    for header, leg, minor, currency in session.execute(
        rows, execution_options={"yield_per": _BATCH}
    ):
        amount = Money(minor, currency)
        running = running + amount
        yield EntryLine.of(header, leg, amount, running)


def postings_of(
    session: Session, viewer: Actor, kind: SourceKind, source_ids: Collection[str]
) -> dict[str, TransactionId]:
    """The transactions that were posted for these sources under one rule, by source id."""
    viewer.require("finance.view")
    if not source_ids:
        return {}
    rows = session.execute(
        select(LedgerTransaction.source_id, LedgerTransaction.id).where(
            LedgerTransaction.source_kind == kind, LedgerTransaction.source_id.in_(source_ids)
        )
    )
    return {source_id: TransactionId(found) for source_id, found in rows}
