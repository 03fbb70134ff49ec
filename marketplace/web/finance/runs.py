"""Payout runs: all of them, and a new one with a preview of who is in it."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.ledger import queries as ledger
from marketplace.money import EXPONENT, Money, parse_money
from marketplace.payouts import queries, service
from marketplace.payouts.rules import RUN_LABELS, BelowMinimum, RunState
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.desk import ended_of, minimum_of
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs

PAGE = 50
USUAL = "USD"


class RunForm(Form):
    """Whom to pay: everybody with at least `minimum` available in one currency."""

    currency = fields.String(
        required=True, validate=validate.OneOf(sorted(EXPONENT), error="Choose a currency.")
    )
    minimum = fields.String(required=True, error_messages={"required": "Write an amount."})


@finance.get("/payout-runs")
@needs(Permission.FINANCE_VIEW)
def list_runs() -> str:
    """Payout runs, newest first, of one state or all."""
    states = {each.value: each for each in RunState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.runs(session, me(), state=state, after=after, limit=PAGE + 1)
        rows = [(run, ended_of(session, run)) for run in found[:PAGE]]
        signers = {one for run, _ in rows for one in (run.prepared_by, run.approved_by) if one}
        names = shown.names_of(session, signers)
    last = rows[-1][0].id if len(found) > PAGE else None
    return render_template(
        "finance/runs.html", rows=rows, names=names, state=state, labels=RUN_LABELS, last=last
    )


@finance.get("/payout-runs/new")
@needs(Permission.PAYOUTS_PREPARE)
def new_run() -> str | Response:
    """Who would be in a run, and who would not and why, before it is made."""
    asked = {
        "currency": request.args.get("currency") or _first_currency(),
        "minimum": request.args.get("minimum"),
    }
    try:
        return render_template("finance/prepare.html", **_preview(asked), message="")
    except Faulty as error:
        return refill("finance/prepare.html", error, **_preview({"currency": USUAL}))


@finance.post("/payout-runs")
@needs(Permission.PAYOUTS_PREPARE)
def prepare() -> Response:
    """Make the run; what each line pays is set aside in the book."""
    try:
        asked = load(RunForm)
        with transaction() as session:
            run = service.prepare_run(session, me(), minimum=_minimum(asked))
    except Faulty as error:
        return refill("finance/prepare.html", error, **_preview({"currency": USUAL}))
    except BelowMinimum as nobody:
        page = render_template("finance/prepare.html", **_preview(asked), message=nobody.message)
        return Response(page, 409, mimetype="text/html")
    return redirect(url_for("finance.show_run", run_id=run.id), code=303)


def _minimum(asked: dict[str, Any]) -> Money:
    """What a form calls worth a payout; Faulty for less than the smallest coin."""
    currency = asked["currency"]
    if currency not in EXPONENT:
        raise Faulty("There is no such currency.", [Fault("/currency", "Choose a currency.")])
    if not asked.get("minimum"):
        return minimum_of(currency)
    least = parse_money(asked["minimum"], currency, pointer="/minimum")
    if least.minor < 1:
        advice = "Write an amount above zero."
        raise Faulty("The minimum is not an amount.", [Fault("/minimum", advice)])
    return least


def _preview(asked: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        least = _minimum(asked)
        groups = queries.groups(session, me(), minimum=least)
        payable = queries.payable(session, me(), minimum=least, limit=PAGE)
        unpayable = queries.unpayable(session, me(), minimum=least, limit=PAGE)
        people = {*(one.specialist_id for one in payable), *(u.specialist_id for u in unpayable)}
        return {
            "least": least,
            "can": next((one for one in groups if one.reason is None), None),
            "cannot": [one for one in groups if one.reason is not None],
            "payable": payable,
            "unpayable": unpayable,
            "names": shown.names_of(session, people),
            "tail": shown.tail,
            "currencies": _currencies(session),
        }


def _currencies(session: Session) -> list[tuple[str, str]]:
    """Currencies in which the book has anything, or the usual one."""
    used = list(ledger.money_by_state(session, me())) or [USUAL]
    return [(code, code) for code in used]


def _first_currency() -> str:
    """The usual currency where specialists have any of it, else one that they have."""
    with transaction() as session:
        by_state = ledger.money_by_state(session, me())
    to_pay = [currency for currency, each in by_state.items() if each.available]
    return USUAL if USUAL in to_pay or not to_pay else to_pay[0]
