"""One account: its balance at any instant, its months, its entries; one transaction; files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import TransactionId
from marketplace.ledger import queries as ledger
from marketplace.ledger.queries import EntryLine
from marketplace.ledger.rules import AccountKind, SourceKind, side_of
from marketplace.money import Money
from marketplace.web.finance import moments, shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.files import Cell, amount, csv_text, download
from marketplace.web.forms import refill
from marketplace.web.guards import me, needs

PAGE = 100
ENTRY_HEAD = (
    "number", "effective_on", "posted_at", "transaction_id", "source_kind", "source_id",
    "balance_transaction_id", "currency", "debit", "credit", "balance",
)  # fmt: skip
TEMPLATE = "finance/account.html"
KIND_OF: Mapping[str, AccountKind] = {
    "A:": AccountKind.ASSET,
    "L:": AccountKind.LIABILITY,
    "I:": AccountKind.INCOME,
    "E:": AccountKind.EXPENSE,
    "X:": AccountKind.TRADING,
    "C:A:": AccountKind.CUSTODY_ASSET,
    "C:L:": AccountKind.CUSTODY_LIABILITY,
}
# Facts of a posting that hold a hash of what was laid before two people.
EVIDENCE = "evidence_sha256"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with its figure in one of the two columns, and the accounts against it."""

    line: EntryLine
    debit: Money | None
    credit: Money | None
    against: Sequence[shown.Named] = ()


def in_columns(line: EntryLine, side: int, against: Sequence[shown.Named] = ()) -> Entry:
    """An entry of an account whose balance is positive on `side`."""
    raw = line.amount * side
    if raw.minor > 0:
        return Entry(line, raw, None, against)
    return Entry(line, None, -raw, against)


def side_of_code(code: str) -> int:
    """DEBIT or CREDIT, by the letters that the code begins with."""
    return side_of(KIND_OF.get(code[:4] if code.startswith("C:") else code[:2], AccountKind.ASSET))


@finance.get("/accounts/<path:code>")
@needs(Permission.FINANCE_VIEW)
def show_account(code: str) -> str | Response:
    """An account: its balance now or at an instant, its months, its entries, newest first."""
    try:
        at = moments.parse_moment(request.args.get("at", ""))
    except Faulty as error:
        return refill(TEMPLATE, error, **_account(code, None))
    return render_template(TEMPLATE, **_account(code, at))


def _account(code: str, at: datetime | None) -> dict[str, Any]:
    after = request.args.get("after", "").replace("\0", "")
    side = side_of_code(code)
    with transaction() as session:
        found = ledger.entries_of(session, me(), code, after, PAGE + 1)
        now = ledger.balance(session, code)
        then = ledger.balance_at(session, me(), code, at) if at else None
        months = ledger.account_months(session, me(), code)
        rows = found[:PAGE]
        legs = ledger.counter_accounts(session, me(), {row.transaction_id for row in rows})
        codes = {other for some in legs.values() for other, _ in some}
        names = shown.owner_names(session, {code, *codes})
    entries = [
        in_columns(row, side, against(code, row.amount * side, legs[row.transaction_id], names))
        for row in rows
    ]
    return {
        "account": shown.named(code, names),
        "side": side,
        "balance": now,
        "at": at,
        "at_typed": moments.as_typed(at),
        "usual": moments.usual(),
        "then": then,
        "months": months,
        "entries": entries,
        "page_debit": sum((each.debit for each in entries if each.debit), now * 0),
        "page_credit": sum((each.credit for each in entries if each.credit), now * 0),
        "last": found[PAGE - 1].cursor if len(found) > PAGE else None,
        "sources": shown.SOURCES,
        "of_lines": shown.OF_LINES,
        "tail": shown.tail,
    }


def against(
    code: str, raw: Money, legs: Sequence[tuple[str, int]], names: Mapping[UUID, str]
) -> list[shown.Named]:
    """The accounts on the other side of an entry, or all others where there is none there."""
    others = [(other, minor) for other, minor in legs if other != code]
    facing = [other for other, minor in others if (minor > 0) != (raw.minor > 0)]
    codes = facing or [other for other, _ in others]
    return [shown.named(other, names) for other in dict.fromkeys(codes)]


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
        around = ledger.neighbours(session, me(), view.header)
        names = shown.owner_names(session, [code for code, _ in view.legs])
        signers = shown.names_of(session, shown.ids_in(view.header.facts.values()))
    return render_template(
        "finance/transaction.html",
        header=view.header,
        around=around,
        source_href=source_href(view.header.source_kind, view.header.source_id),
        names={str(one): name for one, name in signers.items()},
        legs=[(shown.named(code, names), figure) for code, figure in view.legs],
        sums=sums_of([figure for _, figure in view.legs]),
        sources=shown.SOURCES,
        evidence=view.header.facts.get(EVIDENCE),
    )


def source_href(kind: SourceKind, source_id: str) -> str:
    """Where what a transaction was posted for is shown: its payout line, or all that names it."""
    if kind in shown.OF_LINES:
        return url_for("finance.show_line", line_id=source_id)
    if kind is SourceKind.ACCEPT:
        source_id = source_id.partition(":")[0]
    return url_for("finance.search", q=source_id)


def sums_of(legs: list[Money]) -> dict[str, Money]:
    """What the debits of each currency come to; the credits come to the same."""
    sums: dict[str, Money] = {}
    for leg in legs:
        if leg.minor > 0:
            sums[leg.currency] = sums.get(leg.currency, leg * 0) + leg
    return sums
