"""The trial balance: now, at a moment, as a book day ended, and beside how it was then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.ledger.queries import TrialRow
from marketplace.money import Money
from marketplace.web.finance import moments, shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.files import Cell, amount, csv_text, download
from marketplace.web.forms import refill
from marketplace.web.guards import me, needs

PAGE = 100
ROWS_READ = 1_000
TRIAL_HEAD = ("code", "kind", "currency", "debit", "credit")
COMPARED_HEAD = (*TRIAL_HEAD, "debit_then", "credit_then", "change")
TEMPLATE = "finance/trial_balance.html"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which trial balance. at: a moment of posting; on: a book day; than: the book day that it is
    compared with."""

    at: datetime | None = None
    on: date | None = None
    than: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An account's line, beside what it was then. change: of its raw sum, debits positive."""

    row: TrialRow
    then: TrialRow | None
    change: Money


def asked() -> Asked:
    """The days and moments of the address; Faulty for what is none."""
    return Asked(
        moments.parse_moment(request.args.get("at", "")),
        moments.parse_day(request.args.get("on", "")),
        moments.parse_day(request.args.get("than", ""), pointer="/than"),
    )


@finance.get("/trial-balance")
@needs(Permission.FINANCE_VIEW)
def trial_balance() -> str | Response:
    """Every account's balance at a moment in two columns, and sums that must be equal."""
    try:
        return render_template(TEMPLATE, **_trial(asked()))
    except Faulty as error:
        return refill(TEMPLATE, error, **_trial(Asked()))


def _trial(each: Asked) -> dict[str, Any]:
    after = request.args.get("after", "").replace("\0", "")
    with transaction() as session:
        found = _lines(session, each, after, PAGE + 1)
        totals = ledger.trial_totals(session, me(), each.at, on=each.on)
        then = ledger.trial_totals(session, me(), on=each.than) if each.than else {}
        names = shown.owner_names(session, [line.row.code for line in found])
    return {
        "at": each.at,
        "on": each.on,
        "than": each.than,
        "at_typed": moments.as_typed(each.at),
        "usual": moments.usual(),
        "rows": [(line, shown.named(line.row.code, names)) for line in found[:PAGE]],
        "last": found[PAGE - 1].row.code if len(found) > PAGE else None,
        "totals": totals,
        "then_totals": then,
        "kinds": shown.KINDS,
        "one_day": timedelta(days=1),
    }


def _lines(session: Session, each: Asked, after: str, limit: int) -> list[Line]:
    """Accounts that were used by either day, by code."""
    rows = ledger.trial_balance(session, me(), each.at, on=each.on, after=after, limit=limit)
    if each.than is None:
        return [Line(row, None, row.raw) for row in rows]
    others = ledger.trial_balance(session, me(), on=each.than, after=after, limit=limit)
    now = {row.code: row for row in rows}
    then = {row.code: row for row in others}
    return [compared(now.get(code), then.get(code)) for code in sorted({*now, *then})[:limit]]


def compared(now: TrialRow | None, then: TrialRow | None) -> Line:
    """One account on two days; on one of them it may not have been used yet."""
    either = now or then
    if either is None:
        raise LookupError("An account is there on one of the days.")
    nothing = either.raw * 0
    row = now or TrialRow(either.code, either.kind, nothing, either.side)
    return Line(row, then, row.raw - (then.raw if then else nothing))


@finance.get("/trial-balance.csv")
@needs(Permission.FINANCE_VIEW)
def trial_balance_csv() -> Response:
    """The whole trial balance as a file, beside that of the other day where one is asked for."""
    each = asked()
    at = each.at or clock.now()
    moment = f"{each.on:%Y-%m-%d}" if each.on else f"{at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"
    head = COMPARED_HEAD if each.than else TRIAL_HEAD
    with transaction() as session:
        rows = csv_text(head, _cells(session, Asked(at, each.on, each.than)))
        return download(rows, f"trial-balance-{moment}.csv", "text/csv")


def _cells(session: Session, each: Asked) -> Iterator[tuple[Cell, ...]]:
    after: str | None = ""
    while after is not None:
        lines = _lines(session, each, after, ROWS_READ)
        for line in lines:
            row, then = line.row, line.then
            figures = amount(row.debit), amount(row.credit)
            plain = (row.code, row.kind.value, row.currency, *figures)
            if each.than is None:
                yield plain
            else:
                debit, credit = (then.debit, then.credit) if then else (None, None)
                yield (*plain, amount(debit), amount(credit), amount(line.change))
        after = lines[-1].row.code if len(lines) == ROWS_READ else None
