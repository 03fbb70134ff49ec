"""The book: its trial balance, its accounts, their entries, transactions, and files of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from flask import render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import TransactionId
from marketplace.ledger import queries as ledger
from marketplace.ledger.queries import EntryLine
from marketplace.ledger.rules import AccountKind, side_of
from marketplace.money import Money
from marketplace.reconciliation import queries as statements
from marketplace.web import settings
from marketplace.web.finance import moments, shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.files import Cell, amount, csv_text, download
from marketplace.web.forms import refill
from marketplace.web.guards import me, needs

PAGE = 100
ROWS_READ = 1_000
TRIAL_HEAD = ("code", "kind", "currency", "debit", "credit")
ENTRY_HEAD = (
    "number", "effective_on", "posted_at", "transaction_id", "source_kind", "source_id",
    "balance_transaction_id", "currency", "debit", "credit", "balance",
)  # fmt: skip


def _plain(name: str) -> str:
    """A part of the address, without the NUL that no row could match."""
    return request.args.get(name, "").replace("\0", "")


@finance.get("/trial-balance")
@needs(Permission.FINANCE_VIEW)
def trial_balance() -> str | Response:
    """Every account's balance at a moment in two columns, and sums that must be equal."""
    try:
        at = moments.parse_moment(request.args.get("at", ""))
        on = moments.parse_day(request.args.get("on", ""))
    except Faulty as error:
        return refill("finance/trial_balance.html", error, **_trial(None, None))
    return render_template("finance/trial_balance.html", **_trial(at, on))


def _trial(at: datetime | None, on: date | None) -> dict[str, Any]:
    after = _plain("after")
    with transaction() as session:
        found = ledger.trial_balance(session, me(), at, on=on, after=after, limit=PAGE + 1)
        totals = ledger.trial_totals(session, me(), at, on=on)
        names = shown.owner_names(session, [row.code for row in found])
    return {
        "at": at,
        "on": on,
        "at_typed": moments.as_typed(at),
        "usual": moments.usual(),
        "rows": [(row, shown.named(row.code, names)) for row in found[:PAGE]],
        "last": found[PAGE - 1].code if len(found) > PAGE else None,
        "totals": totals,
        "kinds": shown.KINDS,
    }


@finance.get("/trial-balance.csv")
@needs(Permission.FINANCE_VIEW)
def trial_balance_csv() -> Response:
    """The whole trial balance as a file."""
    at = moments.parse_moment(request.args.get("at", "")) or clock.now()
    on = moments.parse_day(request.args.get("on", ""))
    moment = f"{on:%Y-%m-%d}" if on else f"{at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"
    with transaction() as session:
        rows = csv_text(TRIAL_HEAD, _trial_cells(session, at, on))
        return download(rows, f"trial-balance-{moment}.csv", "text/csv")


def _trial_cells(session: Session, at: datetime, on: date | None) -> Iterator[tuple[Cell, ...]]:
    after: str | None = ""
    while after is not None:
        rows = ledger.trial_balance(session, me(), at, on=on, after=after, limit=ROWS_READ)
        for row in rows:
            figures = amount(row.debit), amount(row.credit)
            yield row.code, row.kind.value, row.currency, *figures
        after = rows[-1].code if len(rows) == ROWS_READ else None


@finance.get("/accounts")
@needs(Permission.FINANCE_VIEW)
def list_accounts() -> str:
    """Accounts by code, found by a part or a pattern of it, and by kind."""
    kind = {each.value: each for each in AccountKind}.get(request.args.get("kind", ""))
    search = _plain("search").strip()
    after = _plain("after")
    with transaction() as session:
        found = ledger.accounts(
            session, me(), search=search, kind=kind, after=after, limit=PAGE + 1
        )
        names = shown.owner_names(session, [row.code for row in found])
    return render_template(
        "finance/accounts.html",
        rows=[(row, shown.named(row.code, names)) for row in found[:PAGE]],
        last=found[PAGE - 1].code if len(found) > PAGE else None,
        search=search,
        kind=kind,
        kinds=shown.KINDS,
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with its figure in one of the two columns."""

    line: EntryLine
    debit: Money | None
    credit: Money | None


def in_columns(line: EntryLine, side: int) -> Entry:
    """An entry of an account whose balance is positive on `side`."""
    raw = line.amount * side
    if raw.minor > 0:
        return Entry(line, raw, None)
    return Entry(line, None, -raw)


def side_of_code(code: str) -> int:
    """DEBIT or CREDIT, by the letters that the code begins with."""
    return side_of(KIND_OF.get(code[:4] if code.startswith("C:") else code[:2], AccountKind.ASSET))


KIND_OF: Mapping[str, AccountKind] = {
    "A:": AccountKind.ASSET,
    "L:": AccountKind.LIABILITY,
    "I:": AccountKind.INCOME,
    "E:": AccountKind.EXPENSE,
    "X:": AccountKind.TRADING,
    "C:A:": AccountKind.CUSTODY_ASSET,
    "C:L:": AccountKind.CUSTODY_LIABILITY,
}


@finance.get("/accounts/<path:code>")
@needs(Permission.FINANCE_VIEW)
def show_account(code: str) -> str:
    """An account's entries, newest first, each with the balance after it."""
    after = _plain("after")
    with transaction() as session:
        found = ledger.entries_of(session, me(), code, after, PAGE + 1)
        now = ledger.balance(session, code)
        names = shown.owner_names(session, [code])
    return render_template(
        "finance/account.html",
        account=shown.named(code, names),
        side=side_of_code(code),
        balance=now,
        entries=[in_columns(line, side_of_code(code)) for line in found[:PAGE]],
        last=found[PAGE - 1].cursor if len(found) > PAGE else None,
        sources=shown.SOURCES,
        of_lines=shown.OF_LINES,
        tail=shown.tail,
    )


@finance.get("/accounts/<path:code>.csv")
@needs(Permission.FINANCE_VIEW)
def account_csv(code: str) -> Response:
    """All entries of an account, oldest first, as a file; Missing for an unknown code."""
    name = "".join(letter if letter.isalnum() else "-" for letter in code)
    with transaction() as session:
        ledger.entries_of(session, me(), code, limit=1)
        rows = csv_text(ENTRY_HEAD, _entry_cells(session, code))
        return download(rows, f"{name}.csv", "text/csv")


def _entry_cells(session: Session, code: str) -> Iterator[tuple[Cell, ...]]:
    side = side_of_code(code)
    for line in ledger.every_entry(session, me(), code):
        entry = in_columns(line, side)
        yield (
            line.number,
            line.effective_on.isoformat(),
            line.posted_at.isoformat(),
            str(line.transaction_id),
            line.source_kind.value,
            line.source_id,
            line.balance_transaction_id,
            line.amount.currency,
            amount(entry.debit),
            amount(entry.credit),
            amount(line.balance_after),
        )


@finance.get("/transactions/<uuid:transaction_id>")
@needs(Permission.FINANCE_VIEW)
def show_transaction(transaction_id: UUID) -> str:
    """A transaction: its legs, what it was posted for, its place in the chain."""
    with transaction() as session:
        view = ledger.transaction_view(session, me(), TransactionId(transaction_id))
        names = shown.owner_names(session, [code for code, _ in view.legs])
    return render_template(
        "finance/transaction.html",
        header=view.header,
        legs=[(shown.named(code, names), figure) for code, figure in view.legs],
        sums=sums_of([figure for _, figure in view.legs]),
        sources=shown.SOURCES,
        of_lines=shown.OF_LINES,
    )


def sums_of(legs: list[Money]) -> dict[str, Money]:
    """What the debits of each currency come to; the credits come to the same."""
    sums: dict[str, Money] = {}
    for leg in legs:
        if leg.minor > 0:
            sums[leg.currency] = sums.get(leg.currency, leg * 0) + leg
    return sums


@finance.get("/ledger.beancount")
@needs(Permission.LEDGER_EXPORT)
def beancount() -> Response:
    """The whole book as a file for `bean-check`, with Stripe's balances as assertions."""
    with transaction() as session:
        assertions = statements.stripe_assertions(session, me(), settings().book_timezone)
        lines = ledger.beancount(session, me(), assertions)
        return download((line + "\n" for line in lines), "ledger.beancount", "text/plain")
