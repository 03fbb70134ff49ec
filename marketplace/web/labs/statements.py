"""Every movement of a lab's money, and its statements by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.billing import queries, service
from marketplace.billing.queries import GROUP_LABELS, GROUPS, Movement
from marketplace.billing.rules.invoices import month_after
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId
from marketplace.web import bills
from marketplace.web.downloads import Cell, amount, csv_text, download, sent_file
from marketplace.web.guards import me, needs
from marketplace.web.labs import money_words

statements = Blueprint("lab_statements", __name__, url_prefix="/lab/balance")
PAGE = 100
CSV_HEAD = (
    "day", "posted_at", "kind", "what", "reference", "currency", "amount", "available_change",
    "balance", "transaction_id",
)  # fmt: skip


def cells(moved: Iterable[Movement]) -> Iterator[tuple[Cell, ...]]:
    """Movements as rows of a file."""
    for each in moved:
        yield (
            each.on.isoformat(),
            each.at.isoformat(),
            each.kind.value,
            each.words,
            each.reference,
            each.amount.currency,
            amount(each.amount),
            amount(each.available),
            amount(each.after),
            str(each.transaction_id),
        )


def _span() -> tuple[date, date]:
    text = request.args.get("month") or f"{money_words.today():%Y-%m}"
    month = money_words.month_of(text)
    return month, month_after(month)


@statements.get("/movements")
@needs(Permission.BALANCE_VIEW)
def movements() -> str:
    """A month's movements with the balance after each, narrowed to one kind or all."""
    since, until = _span()
    group = request.args.get("kind", "") if request.args.get("kind") in GROUPS else ""
    asked = request.args.get("after", "")
    place = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    with transaction() as session:
        currency, used = money_words.currency_asked(session)
        rows = queries.movements(
            session, me(), currency, since=since, until=until, group=group, place=place,
            limit=PAGE + 1,
        )  # fmt: skip
        opening = queries.standing(session, me(), currency, since)
        closing = queries.standing(session, me(), currency, until)
        first = queries.first_movement(session, OrganisationId(me().organisation()), currency)
    here = {"month": f"{since:%Y-%m}", "currency": currency, "kind": group or None}
    return render_template(
        "labs/movements.html",
        tabs=money_words.tabs("lab_statements.movements"),
        rows=rows[:PAGE],
        last=rows[PAGE - 1].place if len(rows) > PAGE else None,
        opening=opening,
        closing=closing,
        month=since,
        month_name=bills.month_name,
        months=[(f"{each:%Y-%m}", bills.month_name(each)) for each in money_words.months(first)],
        currency=currency,
        currencies=[(code, code) for code in used],
        group=group,
        groups=[("", "All movements"), *GROUP_LABELS.items()],
        here=here,
    )


@statements.get("/movements.csv")
@needs(Permission.BALANCE_VIEW)
def movements_csv() -> Response:
    """The same as a file, whole."""
    since, until = _span()
    group = request.args.get("kind", "")
    with transaction() as session:
        currency, _ = money_words.currency_asked(session)
        moved = queries.all_movements(
            session, me(), currency, since=since, until=until, group=group
        )
        name = f"movements-{since:%Y-%m}-{currency}.csv"
        return download(csv_text(CSV_HEAD, cells(moved)), name, "text/csv")


@statements.get("/statements")
@needs(Permission.BALANCE_VIEW)
def listing() -> str:
    """The months, each with its opening and closing balance."""
    with transaction() as session:
        currency, used = money_words.currency_asked(session)
        first = queries.first_movement(session, OrganisationId(me().organisation()), currency)
        rows = []
        for month in money_words.months(first) if first else []:
            opening = queries.standing(session, me(), currency, month).total
            closing = queries.standing(session, me(), currency, month_after(month)).total
            rows.append((month, opening, closing))
    return render_template(
        "labs/statements.html",
        tabs=money_words.tabs("lab_statements.listing"),
        rows=rows,
        month_name=bills.month_name,
        this=money_words.today().replace(day=1),
        currency=currency,
        used=used,
    )


def statement_of(session: Session, month: date, currency: str) -> dict[str, Any]:
    """What a month's statement says, for its page, its PDF and its answer in the API."""
    until = month_after(month)
    moved = list(queries.all_movements(session, me(), currency, since=month, until=until))
    return {
        "opening": queries.standing(session, me(), currency, month),
        "closing": queries.standing(session, me(), currency, until),
        "movements": moved,
        "over": until <= money_words.today(),
    }


@statements.get("/statements/<month>")
@needs(Permission.BALANCE_VIEW)
def show(month: str) -> str:
    """A month's statement: opening, every movement, closing."""
    first = money_words.month_of(month)
    with transaction() as session:
        currency, used = money_words.currency_asked(session)
        facts = statement_of(session, first, currency)
    return render_template(
        "labs/statement.html",
        month=first,
        name=bills.month_name(first),
        currency=currency,
        used=used,
        rows=bills.statement_rows(facts["opening"].total, facts["movements"]),
        sums=bills.sums_by_kind(facts["movements"]),
        parts=bills.standing_parts(facts["closing"]),
        opening=facts["opening"],
        closing=facts["closing"],
        over=facts["over"],
    )


@statements.get("/statements/<month>.csv")
@needs(Permission.BALANCE_VIEW)
def show_csv(month: str) -> Response:
    """Every movement of the month, one by one."""
    first = money_words.month_of(month)
    with transaction() as session:
        currency, _ = money_words.currency_asked(session)
        moved = queries.all_movements(
            session, me(), currency, since=first, until=month_after(first)
        )
        name = f"statement-{first:%Y-%m}-{currency}.csv"
        return download(csv_text(CSV_HEAD, cells(moved)), name, "text/csv")


@statements.get("/statements/<month>.pdf")
@needs(Permission.BALANCE_VIEW)
def show_pdf(month: str) -> Response:
    """The statement as a document."""
    first = money_words.month_of(month)
    with transaction() as session:
        currency, _ = money_words.currency_asked(session)
        content = statement_document(session, first, currency)
    return sent_file(content, f"statement-{first:%Y-%m}-{currency}.pdf", "application/pdf")


def statement_document(session: Session, month: date, currency: str) -> bytes:
    """A month's statement as PDF; Missing where the lab has never had that currency."""
    lab = OrganisationId(me().organisation())
    if currency not in queries.currencies_of(session, lab):
        raise Missing("There was no money in this currency.")
    facts = statement_of(session, month, currency)
    return bills.statement_pdf(
        month,
        bills.statement_rows(facts["opening"].total, facts["movements"]),
        opening=facts["opening"],
        closing=facts["closing"],
        moved=bills.sums_by_kind(facts["movements"]),
        parties=(service.seller(), queries.buyer_of(session, me())),
        over=facts["over"],
    )
