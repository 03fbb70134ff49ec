"""Statements of a month or a year: on the page, as PDF, as CSV."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date

from flask import render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import documents
from marketplace.db import transaction
from marketplace.documents import Json
from marketplace.errors import Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT
from marketplace.payouts import queries
from marketplace.payouts.queries import WHAT_LABELS, Statement
from marketplace.web import settings
from marketplace.web.downloads import Cell, amount, csv_text, download, sent_file
from marketplace.web.filters import money
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists

PDF = "application/pdf"
CSV = "text/csv"
HEAD = ("day", "what", "about", "amount", "balance", "currency", "transaction")
YEARS = range(2020, 2101)


@specialists.get("/earnings/statements")
@needs(Permission.EARNINGS_VIEW)
def pay_statements() -> str:
    """Every month in which something moved, and what counts as paid in each year."""
    with transaction() as session:
        months = queries.statement_months(session, me())
        years = queries.years_of(session, me())
    return render_template("specialists/statements.html", months=months, years=years)


@specialists.get("/earnings/statements/<currency>/<period>")
@needs(Permission.EARNINGS_VIEW)
def pay_statement(currency: str, period: str) -> str:
    """One statement; period: a year such as 2026, or a month such as 2026-11."""
    with transaction() as session:
        statement = _statement(session, currency, period)
    return render_template(
        "specialists/statement.html",
        statement=statement,
        period=period,
        title=_title(statement, period),
        what=WHAT_LABELS,
        zone=settings().book_timezone,
    )


@specialists.get("/earnings/statements/<currency>/<period>/pdf")
@needs(Permission.EARNINGS_VIEW)
def pay_statement_pdf(currency: str, period: str) -> Response:
    """The same as a document."""
    with transaction() as session:
        statement = _statement(session, currency, period)
        name = identity.person_of(session, me()).name
    content = documents.pdf("plain", document(statement, period, name))
    return sent_file(content, f"statement-{currency}-{period}.pdf", PDF)


@specialists.get("/earnings/statements/<currency>/<period>/csv")
@needs(Permission.EARNINGS_VIEW)
def pay_statement_csv(currency: str, period: str) -> Response:
    """Its lines, for a spreadsheet."""
    with transaction() as session:
        statement = _statement(session, currency, period)
        name = f"statement-{currency}-{period}.csv"
        return download(csv_text(HEAD, _rows(statement)), name, CSV)


def _statement(session: Session, currency: str, period: str) -> Statement:
    first, last = days_of(period)
    if currency not in EXPONENT:
        raise Missing("There is no such statement.")
    return queries.statement_of(session, me(), currency, first=first, last=last)


def days_of(period: str) -> tuple[date, date]:
    """The first and the last day of `2026` or `2026-11`; Missing for anything else."""
    year, _, month = period.partition("-")
    plain = year.isascii() and year.isdigit() and len(year) == 4 and int(year) in YEARS
    if plain and not month and period == year:
        return date(int(year), 1, 1), date(int(year), 12, 31)
    if plain and len(month) == 2 and month.isascii() and month.isdigit() and 1 <= int(month) <= 12:
        days = calendar.monthrange(int(year), int(month))[1]
        return date(int(year), int(month), 1), date(int(year), int(month), days)
    raise Missing("There is no such statement.")


def _title(statement: Statement, period: str) -> str:
    return f"Statement, {statement.first:%B %Y}" if "-" in period else f"Statement of {period}"


def _rows(statement: Statement) -> Iterable[list[Cell]]:
    for line in statement.lines:
        yield [
            line.on.isoformat(), line.what, line.about, amount(line.amount),
            amount(line.balance), statement.currency, str(line.transaction_id),
        ]  # fmt: skip


def document(statement: Statement, period: str, name: str) -> dict[str, Json]:
    """A statement as the facts of a document; every figure as it is printed."""
    right = {"align": "right"}
    moves: list[Json] = [
        [f"{line.on:%d %b %Y}", line.what, line.about, money(line.amount), money(line.balance)]
        for line in statement.lines
    ]
    sums: list[Json] = [["At the beginning", money(statement.opening)]]
    sums += [[what, money(of)] for what, of in statement.sums]
    sums.append(["At the end", money(statement.closing)])
    paid: list[Json] = [
        [f"{each.on:%d %b %Y}", WHAT_LABELS[each.what], money(each.amount)]
        for each in statement.paid
    ]
    totals: list[Json] = [
        [f"{each.year}, paid by {each.payer}{words}", money(of)]
        for each in statement.totals
        for words, of in (("", each.paid), (", withheld for tax", each.withheld),
                          (", counts as paid", each.gross))
    ]  # fmt: skip
    return {
        "title": _title(statement, period),
        "issuer": settings().public_url,
        "footer": f"{name}. Days of the book, {settings().book_timezone}.",
        "parts": [
            {"heading": "In short", "columns": [], "rows": [], "sums": sums},
            {
                "heading": "Every movement",
                "text": "Pending, available, held and on its way, together.",
                "columns": [{"title": "Day"}, {"title": "What", "width": "wide"},
                            {"title": "About", "width": "wide"}, {"title": "Amount", **right},
                            {"title": "Balance", **right}],
                "rows": moves,
            },
            {
                "heading": "Paid, as tax offices count it",
                "text": "By the day on which money left to you, less what came back.",
                "columns": [{"title": "Day"}, {"title": "What", "width": "wide"},
                            {"title": "Amount", **right}],
                "rows": paid,
                "sums": totals,
            },
        ],
    }  # fmt: skip
