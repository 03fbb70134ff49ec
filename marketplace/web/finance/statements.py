"""Statements: the accounts that send them, the files, and how each line was matched."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields, validate
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.ledger.service import book_today
from marketplace.money import EXPONENT, Money, parse_money
from marketplace.reconciliation import background, service
from marketplace.reconciliation.queries import breaks as break_queries
from marketplace.reconciliation.queries import uploads as queries
from marketplace.reconciliation.rules.closing import month_of
from marketplace.reconciliation.rules.statements import SourceKind
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_uploads

TEMPLATE = "finance/statements.html"
PAGE = 50
KINDS = {
    SourceKind.CAMT053: "camt.053 (XML)",
    SourceKind.MT940: "MT940",
    SourceKind.CSV: "CSV, by the account’s mapping",  # noqa: RUF001 - people read this.
    SourceKind.STRIPE_BALANCE: "Stripe’s report of its balance (CSV)",  # noqa: RUF001
}
HOLDS = {"client_funds": "Client funds", "operating": "Our own operating money"}
STAGES = {
    "S5": "Stripe’s payout",  # noqa: RUF001
    "S6": "a wire and what it pays",
}


class SourceForm(Form):
    """An account of ours that sends statements."""

    kind = fields.Enum(SourceKind, by_value=True, required=True)
    account = fields.String(required=True, validate=validate.Length(min=1, max=80))
    currency = fields.String(required=True, validate=validate.OneOf(sorted(EXPONENT)))
    holds = fields.String(required=True, validate=validate.OneOf(HOLDS))
    name = fields.String(load_default="", validate=validate.Length(max=120))


class UploadForm(Form):
    """What the file is; the two balances are for CSV files without a running one."""

    kind = fields.Enum(SourceKind, by_value=True, required=True)
    source_id = fields.String(load_default="")
    opening = fields.String(load_default="")
    closing = fields.String(load_default="")


@finance.get("/statements")
@needs(Permission.FINANCE_VIEW)
def list_statements() -> str:
    """Accounts, what they sent, and the form that takes the next file."""
    return render_template(TEMPLATE, **_facts())


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    asked = request.args.get("month", "")
    month = month_of(asked) if asked else book_today().replace(day=1)
    with transaction() as session:
        sources = queries.sources(session, me())
        rows = queries.statements(session, me(), after, PAGE + 1)
        counts = queries.matched_by_statement(session, me(), [row.id for row in rows])
        gaps = service.completeness(session, month)
        mapped = {
            source.id
            for source in sources
            if source.kind is SourceKind.CSV and queries.newest_mapping(session, me(), source.id)
        }
        compared = break_queries.last_look(session, me())
    return {
        "sources": sources,
        "by_id": {source.id: source for source in sources},
        "mapped": mapped,
        "rows": rows[:PAGE],
        "last": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "counts": counts,
        "gaps": gaps,
        "month": month,
        "compared": compared,
        "kinds": KINDS,
        "holds": HOLDS,
        "currencies": sorted(EXPONENT),
    }


@finance.post("/statement-sources")
@needs(Permission.RECONCILIATION_WORK)
def add_source() -> Response:
    """Add an account of ours."""
    try:
        asked = load(SourceForm)
        with transaction() as session:
            source = service.add_source(session, me(), **asked)
    except Faulty as error:
        return refill(TEMPLATE, error, **_facts())
    flash(f"{source.name} is added. Upload its statements now.", "good")
    if source.kind is SourceKind.CSV:
        return redirect(url_for("finance.show_mapping", source_id=source.id), code=303)
    return redirect(url_for("finance.list_statements"), code=303)


@finance.post("/statements")
@takes_uploads
@needs(Permission.RECONCILIATION_WORK)
def take_statement() -> Response:
    """Take a file: read whole, proven, kept; then compare everything with it."""
    try:
        taken = _taken()
    except Faulty as error:
        return refill(TEMPLATE, error, **_facts())
    except Conflict as refused:
        page = render_template(TEMPLATE, **_facts() | {"refused": refused.message})
        return Response(page, 409, mimetype="text/html")
    if taken.again:
        flash("This very file was taken before. Nothing changed.", "watch")
    else:
        known = f", {taken.entries_known:,} of them known before" if taken.entries_known else ""
        lines = taken.entries_new + taken.entries_known
        flash(f"The file is proven and kept: {lines:,} lines{known}.", "good")
        background.compare_all(me())
    if len(taken.statement_ids) == 1:
        path = url_for("finance.show_statement", statement_id=taken.statement_ids[0])
        return redirect(path, code=303)
    return redirect(url_for("finance.list_statements"), code=303)


def _taken() -> service.Taken:
    asked = load(UploadForm)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Faulty("There is no file.", [Fault("/file", "Choose the bank’s file.")])  # noqa: RUF001
    source_id = parse_id(asked["source_id"])
    opening, closing = _balances(source_id, asked)
    return background.take_statement(
        me(),
        sent.stream.read(),
        kind=asked["kind"],
        name=sent.filename,
        source_id=source_id,
        opening=opening,
        closing=closing,
    )


def _balances(source_id: UUID | None, asked: dict[str, Any]) -> tuple[Money | None, Money | None]:
    if source_id is None:
        return None, None
    with transaction() as session:
        currency = queries.source_of(session, me(), source_id).currency
    opening, closing = (
        parse_money(asked[name], currency, pointer=f"/{name}") if asked[name].strip() else None
        for name in ("opening", "closing")
    )
    return opening, closing


@finance.get("/statements/<uuid:statement_id>")
@needs(Permission.FINANCE_VIEW)
def show_statement(statement_id: UUID) -> str:
    """One statement: what was proven, and each line with its match and the evidence for it."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        view = queries.statement_view(session, me(), statement_id)
        rows = queries.entries(session, me(), statement_id, after, PAGE + 1)
        brought = queries.matched_by_statement(session, me(), [statement_id])
        waiting = break_queries.breaks(
            session, me(), break_queries.Wanted(source=view.source.break_source), limit=PAGE
        )
    return render_template(
        "finance/statement.html",
        view=view,
        rows=rows[:PAGE],
        last=rows[PAGE - 1].entry.id if len(rows) > PAGE else None,
        brought=brought.get(statement_id, (0, 0))[0],
        waiting=waiting,
        by_key={row.key: row for row in waiting},
        kinds=KINDS,
        stages=STAGES,
    )


@finance.post("/reconciliations")
@needs(Permission.RECONCILIATION_WORK)
def compare_now() -> Response:
    """Compare the book with everything that Stripe and the banks have said."""
    made = background.compare_all(me())
    standing = sum(made.breaks.values())
    flash(
        "Compared. Nothing differs." if not standing else f"Compared: {standing:,} breaks stand.",
        "watch" if standing else "good",
    )
    return redirect(url_for("finance.list_breaks"), code=303)
