"""Entries of the whole book that fit some conditions, a page at a time, and what they come to.

Every figure of the finance desk links to a selection; its sum is the figure, to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import TransactionId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.queries.desk import matching
from marketplace.ledger.queries.statements import PAGE, PAGE_MAX, cursor_of
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.money import Money

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries; what is left empty takes all.

    stems: control accounts, such as `L:lab:available`; code: a part of a code, or with `*` the
    whole of it; owner_id: a lab, job or specialist; since, until: days of `effective_on`, both
    included; source: the rule that they were posted under.
    """

    stems: tuple[str, ...] = ()
    code: str = ""
    kind: AccountKind | None = None
    owner_id: UUID | None = None
    currency: str = ""
    source: SourceKind | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class SelectedEntry:
    """One entry. raw: debits positive; side: where its account is positive; cursor: goes on."""

    transaction_id: TransactionId
    source_kind: SourceKind
    source_id: str
    balance_transaction_id: str | None
    effective_on: date
    posted_at: datetime
    number: int | None
    code: str
    side: int
    raw: Money
    cursor: str


@dataclass(frozen=True, slots=True)
class SelectionTotal:
    """All selected entries of one currency. side: that of all their accounts, or 0 for both."""

    count: int
    debit: Money
    credit: Money
    side: int

    @property
    def net(self) -> Money:
        """The sum on the accounts' own side; debits less credits where they have both."""
        raw = self.debit - self.credit
        return -raw if self.side < 0 else raw


def selected_entries(
    session: Session,
    viewer: Actor,
    wanted: Selection,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> list[SelectedEntry]:
    """The entries, newest first, after a line's cursor."""
    viewer.require("finance.view")
    page = _rows(wanted).order_by(LedgerEntry.transaction_id.desc(), LedgerEntry.leg.desc())
    mark = cursor_of(after)
    if mark is not None:
        page = page.where(tuple_(LedgerEntry.transaction_id, LedgerEntry.leg) < mark)
    rows = session.execute(page.limit(min(limit, PAGE_MAX)))
    return [_entry(row) for row in rows]


def every_selected(session: Session, viewer: Actor, wanted: Selection) -> Iterator[SelectedEntry]:
    """All the entries, newest first, as one moment sees them; a batch is held at a time."""
    viewer.require("finance.view")
    rows = _rows(wanted).order_by(LedgerEntry.transaction_id.desc(), LedgerEntry.leg.desc())
    for row in session.execute(rows, execution_options={"yield_per": _BATCH}):
        yield _entry(row)


def selection_totals(
    session: Session, viewer: Actor, wanted: Selection
) -> dict[str, SelectionTotal]:
    """What all the entries come to, by currency, in the order of the codes."""
    viewer.require("finance.view")
    amount = LedgerEntry.amount
    totals = _where(
        select(
            LedgerAccount.currency,
            func.count(),
            func.coalesce(func.sum(amount).filter(amount > 0), 0),
            func.coalesce(-func.sum(amount).filter(amount < 0), 0),
            func.min(LedgerAccount.side),
            func.max(LedgerAccount.side),
        ),
        wanted,
    )
    rows = session.execute(totals.group_by(LedgerAccount.currency).order_by(LedgerAccount.currency))
    return {
        currency: SelectionTotal(
            count,
            Money(int(debit), currency),
            Money(int(credit), currency),
            least if least == most else 0,
        )
        for currency, count, debit, credit, least, most in rows
    }


def counter_accounts(
    session: Session, viewer: Actor, ids: Collection[UUID]
) -> dict[UUID, Sequence[tuple[str, int]]]:
    """The legs of transactions as (account code, raw minor units), in their order, by id."""
    viewer.require("finance.view")
    found: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    if ids:
        rows = session.execute(
            select(LedgerEntry.transaction_id, LedgerAccount.code, LedgerEntry.amount)
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .where(LedgerEntry.transaction_id.in_(ids))
            .order_by(LedgerEntry.transaction_id, LedgerEntry.leg)
        )
        for owner, code, minor in rows:
            found[owner].append((code, minor))
    return dict(found)


def _rows(wanted: Selection) -> Any:
    account = (LedgerAccount.code, LedgerAccount.side, LedgerAccount.currency)
    entry = (LedgerEntry.leg, LedgerEntry.amount)
    return _where(select(LedgerTransaction, *entry, *account), wanted, headers=True)


def _where(rows: Any, wanted: Selection, *, headers: bool = False) -> Any:
    """Joined as far as the conditions ask for; sums of whole accounts need no headers."""
    rows = rows.select_from(LedgerEntry)
    rows = rows.join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
    of_headers = _of_headers(wanted)
    if headers or of_headers:
        rows = rows.join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
    return rows.where(*of_headers, *_of_accounts(wanted))


def _of_headers(wanted: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.source is not None:
        found.append(LedgerTransaction.source_kind == wanted.source)
    if wanted.since is not None:
        found.append(LedgerTransaction.effective_on >= wanted.since)
    if wanted.until is not None:
        found.append(LedgerTransaction.effective_on <= wanted.until)
    return found


def _of_accounts(wanted: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.stems:
        found.append(LedgerAccount.stem.in_(wanted.stems))
    if wanted.code:
        found.append(matching(wanted.code))
    if wanted.kind is not None:
        found.append(LedgerAccount.kind == wanted.kind)
    if wanted.owner_id is not None:
        found.append(LedgerAccount.owner_id == wanted.owner_id)
    if wanted.currency:
        found.append(LedgerAccount.currency == wanted.currency)
    return found


def _entry(row: Any) -> SelectedEntry:
    header, leg, minor, code, side, currency = row
    return SelectedEntry(
        transaction_id=TransactionId(header.id),
        source_kind=header.source_kind,
        source_id=header.source_id,
        balance_transaction_id=header.balance_transaction_id,
        effective_on=header.effective_on,
        posted_at=header.posted_at,
        number=header.number,
        code=code,
        side=side,
        raw=Money(minor, currency),
        cursor=f"{header.id}:{leg}",
    )
