"""Months of the book: their states, the checklist that fills, the close, its pack, reopening."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ledger.service import book_today
from marketplace.reconciliation import background, service
from marketplace.reconciliation.queries import closing as queries
from marketplace.reconciliation.rules.closing import Check, CheckCode, NotReady, last_day, month_of
from marketplace.web.close_packs import sent_pack
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs

TEMPLATE = "finance/period.html"
STATES = {
    "open": ("open", "Open"),
    "closing": ("queued", "Being closed"),
    "closed": ("closed", "Closed"),
    "reopened": ("reversed", "Open again"),
}


class ReasonForm(Form):
    """Why a closed month shall be opened again."""

    reason = fields.String(load_default="")


@finance.get("/periods")
@needs(Permission.FINANCE_VIEW)
def list_periods() -> str:
    """Every month of the book, the newest first."""
    with transaction() as session:
        months = queries.months(session, me())
        closers = {one.close.closed_by for one in months if one.close}
        names = shown.names_of(session, closers)
    return render_template(
        "finance/periods.html",
        months=months,
        names=names,
        states=STATES,
        this_month=book_today().replace(day=1),
    )


@finance.get("/periods/<month>")
@needs(Permission.FINANCE_VIEW)
def show_period(month: str) -> str:
    """The month as a checklist that fills; with `all=1`, what takes long is checked too."""
    first = month_of(month)
    complaints = background.audited(first) if request.args.get("all") else None
    return render_template(TEMPLATE, **_facts(first, complaints))


def _facts(month: date, complaints: list[str] | None = None) -> dict[str, Any]:
    with transaction() as session:
        state = queries.state_of(session, month) or "open"
        closes = queries.closes_of(session, me(), month)
        reopenings = queries.reopenings_of(session, me(), month)
        closed = state == "closed"
        checks = [] if closed else service.checklist(session, me(), month, complaints)
        late = queries.late_items(session, me(), month)
        people = {close.closed_by for close in closes}
        for one in reopenings:
            people |= {one.asked_by, *([one.approved_by] if one.approved_by else [])}
        names = shown.names_of(session, people)
    asked = next((one for one in reopenings if one.approved_at is None), None)
    may = me().may(Permission.PERIODS_CLOSE)
    return {
        "month": month,
        "last": last_day(month),
        "state": state,
        "look": STATES[state],
        "closes": closes,
        "standing": next((one for one in closes if one.reopened_at is None), None),
        "reopenings": [one for one in reopenings if one.approved_at is not None],
        "asked": asked,
        "checks": checks,
        "green": sum(check.ok for check in checks),
        "whole": complaints is not None,
        "links": {check.code: _link(check, month) for check in checks},
        "may": may,
        "over": month < book_today().replace(day=1),
        "late": late,
        "sources": shown.SOURCES,
        "names": names,
    }


def _link(check: Check, month: date) -> tuple[str, str] | None:
    """Where to mend what is in the way: words and address."""
    name = f"{month:%Y-%m}"
    return {
        CheckCode.SOURCES: ("Statements", url_for("finance.list_statements", month=name)),
        CheckCode.BREAKS: ("High breaks", url_for("finance.list_breaks", severity="high")),
        CheckCode.UNKNOWN: ("Unknown lines", url_for("finance.desk")),
        CheckCode.SUSPENSE: (
            "Suspense accounts",
            url_for("finance.list_accounts", search="L:suspense:"),
        ),
        CheckCode.BEANCOUNT: ("Trial balance", url_for("finance.trial_balance")),
        CheckCode.INVARIANTS: ("Trial balance", url_for("finance.trial_balance")),
    }.get(check.code)


@finance.post("/periods/<month>/close")
@needs(Permission.PERIODS_CLOSE)
def close_period(month: str) -> Response:
    """Check everything, then lock the month."""
    first = month_of(month)
    complaints = background.audited(first)
    try:
        with transaction() as session:
            service.close_month(session, me(), first, complaints)
    except NotReady as refused:
        return _again(first, refused, complaints)
    except Conflict as refused:
        return _again(first, refused)
    flash(f"{first:%B %Y} is closed. Its pack is being made.", "good")
    return _back(first)


@finance.post("/periods/<month>/reopening")
@needs(Permission.PERIODS_CLOSE)
def ask_reopening(month: str) -> Response:
    """Ask to open a closed month again."""
    first = month_of(month)
    try:
        with transaction() as session:
            service.ask_reopening(session, me(), first, load(ReasonForm)["reason"])
    except Faulty as error:
        return refill(TEMPLATE, error, **_facts(first))
    except Conflict as refused:
        return _again(first, refused)
    flash("Asked. Somebody else who closes months must approve it.", "good")
    return _back(first)


@finance.post("/periods/<month>/reopening/approve")
@needs(Permission.PERIODS_CLOSE)
def approve_reopening(month: str) -> Response:
    """Open it again, as somebody else asked."""
    first = month_of(month)
    try:
        with transaction() as session:
            service.approve_reopening(session, me(), first)
    except (Conflict, Denied) as refused:
        return _again(first, refused)
    flash(f"{first:%B %Y} is open again. The mark stays on it.", "watch")
    return _back(first)


def _again(
    month: date, refused: Conflict | Denied, complaints: list[str] | None = None
) -> Response:
    facts = _facts(month, complaints) | {"refused": refused.message}
    status = 409 if isinstance(refused, Conflict) else 403
    return Response(render_template(TEMPLATE, **facts), status, mimetype="text/html")


@finance.get("/periods/<month>/pack")
@needs(Permission.LEDGER_EXPORT)
def download_pack(month: str) -> Response:
    """The pack of the newest close, or of the round that `round` names."""
    asked = request.args.get("round", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else None
    if asked and number is None:
        raise Missing("There is no such close.")
    with transaction() as session:
        close = queries.close_of(session, me(), month_of(month), number)
    return sent_pack(close)


def _back(month: date) -> Response:
    return redirect(url_for("finance.show_period", month=f"{month:%Y-%m}"), code=303)
