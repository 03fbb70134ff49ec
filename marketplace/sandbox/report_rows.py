"""The rows of reports, as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from marketplace.sandbox.bank.form import signed
from marketplace.sandbox.store import Body, Row, Tx, public

_ITEMIZED = (
    "balance_transaction_id",
    "created_utc",
    "created",
    "available_on_utc",
    "available_on",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
)
_MORE = ("type", "exchange_rate", "automatic_payout_id", "automatic_payout_effective_at")


@dataclass(frozen=True)
class Type:
    """A type of report: its title, the columns it has by default, and others to ask for."""

    title: str
    columns: tuple[str, ...]
    more: tuple[str, ...] = ()
    by_payout: bool = False

    @property
    def all_columns(self) -> tuple[str, ...]:
        return (*self.columns, *self.more)


TYPES = {
    "balance.summary.1": Type(
        "Balance summary", ("category", "description", "net_amount", "currency")
    ),
    "balance_change_from_activity.itemized.3": Type(
        "Itemized balance change from activity", _ITEMIZED, _MORE
    ),
    "payout_reconciliation.itemized.5": Type(
        "Itemized payout reconciliation",
        ("automatic_payout_id", "automatic_payout_effective_at", *_ITEMIZED),
        ("type", "exchange_rate"),
        by_payout=True,
    ),
}
# A payout is where activity went, not activity itself.
_NOT_ACTIVITY = ("payout", "payout_reversal")


@dataclass(frozen=True)
class Wish:
    """What a run asks for; times in epoch seconds, from the first until before the second."""

    interval_start: int | None
    interval_end: int | None
    columns: list[str] | None
    connected_account: str | None
    currency: str | None
    payout: str | None
    reporting_category: str | None


def content(tx: Tx, kind: str, wish: Wish) -> str:
    """The CSV of a report about the acting account."""
    if kind.startswith("balance.summary"):
        return _csv(TYPES[kind].columns, _summary(tx, wish))
    columns = tuple(wish.columns or TYPES[kind].columns)
    by_payout = TYPES[kind].by_payout
    rows = _lines(tx, wish, by_payout=by_payout)
    return _csv(columns, ([_cell(row, column) for column in columns] for row in rows))


def _csv(columns: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return made.getvalue()


def _lines(tx: Tx, wish: Wish, *, by_payout: bool) -> list[Row]:
    wanted = [sql.SQL("t.account = %s")]
    values: list[object] = [tx.account]

    def where(condition: str, value: object | None) -> None:
        if value is not None:
            wanted.append(sql.SQL(condition))
            values.append(value)

    if by_payout:
        wanted.append(sql.SQL("t.payout IS NOT NULL"))
        where("t.payout = %s", wish.payout)
        where("(p.body->>'created')::bigint >= %s", wish.interval_start)
        where("(p.body->>'created')::bigint < %s", wish.interval_end)
    else:
        wanted.append(sql.SQL("t.body->>'reporting_category' <> ALL(%s)"))
        values.append(list(_NOT_ACTIVITY))
        where("t.created >= %s", wish.interval_start)
        where("t.created < %s", wish.interval_end)
    where("t.currency = %s", wish.currency)
    where("t.body->>'reporting_category' = %s", wish.reporting_category)
    statement = sql.SQL(
        "SELECT t.*, (p.body->>'arrival_date')::bigint AS effective_at"
        " FROM sandbox_balance_transactions t LEFT JOIN sandbox_objects p ON p.id = t.payout"
        " WHERE {} ORDER BY t.serial"
    ).format(sql.SQL(" AND ").join(wanted))
    return tx.rows(statement, values)


def _cell(row: Row, column: str) -> str:
    body, currency = row["body"], row["currency"]
    if column in {"gross", "fee", "net"}:
        return signed(body["amount" if column == "gross" else column], currency)
    if column.startswith(("created", "available_on")):
        return _moment(row[column.removesuffix("_utc")])
    if column == "automatic_payout_effective_at":
        return _moment(row["effective_at"]) if row["effective_at"] else ""
    names = {
        "balance_transaction_id": "id",
        "source_id": "source",
        "automatic_payout_id": "payout",
    }
    name = names.get(column, column)
    value = row["payout"] if name == "payout" else body.get(name)
    return "" if value is None else str(value)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def _summary(tx: Tx, wish: Wish) -> list[list[str]]:
    """Starting balance, activity, payouts and ending balance, for each currency."""
    rows = tx.rows(
        sql.SQL(
            "SELECT currency, net, created, body->>'reporting_category' AS category"
            " FROM sandbox_balance_transactions WHERE account = %s AND created < %s"
        ),
        (tx.account, wish.interval_end),
    )
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        here = sums.setdefault(row["currency"], Counter())
        if row["created"] < (wish.interval_start or 0):
            here["starting_balance"] += row["net"]
        elif row["category"] in _NOT_ACTIVITY:
            here["payouts"] += row["net"]
        else:
            here["activity"] += row["net"]
        here["ending_balance"] += row["net"]
    words = {
        "starting_balance": "Starting balance",
        "activity": "Balance change from activity",
        "payouts": "Total payouts",
        "ending_balance": "Ending balance",
    }
    return [
        [name, title, signed(here[name], currency), currency]
        for currency, here in sorted(sums.items())
        if wish.currency in {None, currency}
        for name, title in words.items()
    ]


def store_file(tx: Tx, text: str, name: str) -> Body:
    """Keep a report's file; the file object."""
    made: Body = tx.insert(
        {
            "id": tx.new_id("file_"),
            "object": "file",
            "created": tx.now,
            "expires_at": None,
            "filename": name,
            "links": {"object": "list", "data": [], "has_more": False, "url": "/v1/file_links"},
            "purpose": "finance_report_run",
            "size": len(text.encode()),
            "title": f"FinanceReportRun {name.removesuffix('.csv')}",
            "type": "csv",
            "url": None,
        }
    )
    tx.run(sql.SQL("INSERT INTO sandbox_files VALUES (%s, %s)"), (made["id"], text))
    return public(made)


def file_content(tx: Tx, file_id: str) -> str:
    """A file's text."""
    rows = tx.rows(sql.SQL("SELECT content FROM sandbox_files WHERE id = %s"), (file_id,))
    return str(rows[0]["content"])
