"""Statements of an account, one for each day with movements, each proving itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from psycopg import sql

from marketplace.sandbox.bank import camt053, delimited, mt940
from marketplace.sandbox.bank.form import Booked, Statement
from marketplace.sandbox.bank.lines import account_number
from marketplace.sandbox.store import Row, Tx


@dataclass(frozen=True)
class Format:
    """A format of statements: how to write it, its file's ending and its media type."""

    write: Callable[[Sequence[Statement]], str]
    ending: str
    media_type: str


FORMATS = {
    "camt053": Format(camt053.write, "xml", "application/xml"),
    "mt940": Format(mt940.write, "sta", "text/plain"),
    "csv": Format(delimited.write, "csv", "text/csv"),
}


def statements(
    tx: Tx, account: str, currency: str, since: date | None = None, until: date | None = None
) -> list[Statement]:
    """The statements of the days from `since` through `until`, each day's whole."""
    rows = tx.rows(
        sql.SQL(
            "SELECT * FROM sandbox_bank_lines WHERE account = %s AND currency = %s"
            " AND booked_on <= coalesce(%s::date, 'infinity'::date) ORDER BY booked_on, number"
        ),
        (account, currency, until),
    )
    found: list[Statement] = []
    balance = 0
    for number, (day, group) in enumerate(groupby(rows, lambda row: row["booked_on"]), start=1):
        lines = tuple(_booked(row) for row in group)
        closing = balance + sum(line.amount for line in lines)
        if since is None or day >= since:
            name = account_number(account, currency)
            found.append(Statement(name, currency, number, day, balance, closing, lines))
        balance = closing
    return found


def _booked(row: Row) -> Booked:
    return Booked(
        number=row["number"],
        amount=row["amount"],
        booked_on=row["booked_on"],
        value_on=row["value_on"],
        kind=row["kind"],
        reference=row["reference"],
        counterparty=row["counterparty"],
        charges=row["charges"],
    )


def balance_of(tx: Tx, account: str, currency: str) -> int:
    """What the bank says is on the account, in minor units."""
    rows = tx.rows(
        sql.SQL(
            "SELECT coalesce(sum(amount), 0)::bigint AS held FROM sandbox_bank_lines"
            " WHERE account = %s AND currency = %s"
        ),
        (account, currency),
    )
    return int(rows[0]["held"])


def render(found: Sequence[Statement], kind: str) -> bytes:
    """The statements in one file of a format."""
    return FORMATS[kind].write(found).encode()
