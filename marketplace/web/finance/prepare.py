"""A new payout run: filters, and a preview of who is in it, who is not and why, and the money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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
from marketplace.payouts import background, queries, service
from marketplace.payouts.queries import Filters
from marketplace.payouts.rules import BelowMinimum
from marketplace.payouts.service import Preview
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.desk import minimum_of
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs

SHOWN = 50
USUAL = "USD"
TEMPLATE = "finance/prepare.html"


class RunForm(Form):
    """Whom to pay: everybody with at least `minimum` available in one currency, by the filters."""

    currency = fields.String(
        required=True, validate=validate.OneOf(sorted(EXPONENT), error="Choose a currency.")
    )
    minimum = fields.String(required=True, error_messages={"required": "Write an amount."})
    country = fields.String(load_default="")
    without = fields.List(fields.String(), load_default=list)


@dataclass(frozen=True, slots=True)
class Cover:
    """Whether the money is there. at_stripe: None where Stripe gave no answer."""

    at_stripe: Money | None
    waiting: Money
    wanted: Money

    @property
    def missing(self) -> Money | None:
        """How much is to be put into the balance first, or None."""
        if self.at_stripe is None:
            return None
        short = self.wanted + self.waiting - self.at_stripe
        return short if short.minor > 0 else None


@finance.get("/payout-runs/new")
@needs(Permission.PAYOUTS_PREPARE)
def new_run() -> str | Response:
    """Who would be in a run, and who would not and why, before it is made."""
    asked = {
        "currency": request.args.get("currency") or _first_currency(),
        "minimum": request.args.get("minimum"),
        "country": request.args.get("country", ""),
        "without": request.args.getlist("without"),
    }
    try:
        return render_template(TEMPLATE, **_preview(asked), message="")
    except Faulty as error:
        return refill(TEMPLATE, error, **_preview({"currency": USUAL}))


@finance.post("/payout-runs")
@needs(Permission.PAYOUTS_PREPARE)
def prepare() -> Response:
    """Make the run; what each line pays is set aside in the book."""
    try:
        asked = load(RunForm)
        with transaction() as session:
            run = service.prepare_run(
                session, me(), minimum=_minimum(asked), filters=_filters(asked)
            )
    except Faulty as error:
        return refill(TEMPLATE, error, **_preview({"currency": USUAL}))
    except BelowMinimum as nobody:
        page = render_template(TEMPLATE, **_preview(asked), message=nobody.message)
        return Response(page, 409, mimetype="text/html")
    return redirect(url_for("finance.show_run", run_id=run.id), code=303)


def _minimum(asked: Mapping[str, Any]) -> Money:
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


def _filters(asked: Mapping[str, Any]) -> Filters:
    """Whom a form limits the run to; Faulty for a country that cannot be one."""
    country = str(asked.get("country") or "").strip().upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        advice = "Write two letters, such as DE, or leave it empty."
        raise Faulty("There is no such country.", [Fault("/country", advice)])
    # The button that makes the run says them in one field.
    named = [part for field in asked.get("without") or [] for part in field.split(",")]
    without = {found for one in named if (found := parse_id(one))}
    return Filters(without=frozenset(without), country=country or None)


def _preview(asked: Mapping[str, Any]) -> dict[str, Any]:
    least, filters = _minimum(asked), _filters(asked)
    at_stripe = background.funds_at_stripe(least.currency)
    with transaction() as session:
        seen = service.preview_run(session, me(), minimum=least, filters=filters)
        waiting = queries.reserved_total(session, me(), least.currency)
        groups = queries.groups(session, me(), minimum=least, filters=filters)
        unpayable = queries.unpayable(session, me(), minimum=least, filters=filters, limit=SHOWN)
        left_out = _people_left_out(session, least, filters)
        return {
            "least": least,
            "seen": seen,
            "parts": seen.parts[:SHOWN],
            "refused": seen.refused[:SHOWN],
            "cover": Cover(at_stripe, waiting, seen.total),
            "cannot": [one for one in groups if one.reason is not None],
            "unpayable": unpayable,
            "left_out": left_out,
            "filters": filters,
            "fields": _fields(least, filters),
            "names": shown.names_of(session, _people(seen, unpayable, left_out)),
            "tail": shown.tail,
            "currencies": _currencies(session),
        }


def _people_left_out(session: Session, least: Money, filters: Filters) -> list[queries.Payable]:
    """Those whom the preparer has taken out by hand, who could be paid."""
    if not filters.without:
        return []
    taken = Filters(only=filters.without)
    return queries.payable(session, me(), minimum=least, filters=taken, limit=SHOWN)


def _people(
    seen: Preview, unpayable: list[queries.Unpayable], left_out: list[queries.Payable]
) -> set[UUID]:
    paid = {part.row.specialist_id for part in seen.parts[:SHOWN]}
    refused = {row.specialist_id for row, _ in seen.refused[:SHOWN]}
    others = {one.specialist_id for one in unpayable} | {one.specialist_id for one in left_out}
    return {*paid, *refused, *others}


def _fields(least: Money, filters: Filters) -> dict[str, str]:
    """What the button that makes the run says: exactly what the page shows."""
    found = {"currency": least.currency, "minimum": str(least.decimal())}
    if filters.country:
        found["country"] = filters.country
    if filters.without:
        found["without"] = ",".join(sorted(str(one) for one in filters.without))
    return found


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
