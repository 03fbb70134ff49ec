"""Earnings: what is pending, payable, on its way and paid, accrual by accrual."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import AccrualId, parse_id
from marketplace.ledger import queries as ledger
from marketplace.money import EXPONENT, Money
from marketplace.payouts import queries as payouts
from marketplace.payouts.rules import LINE_LABELS
from marketplace.review import queries as review
from marketplace.specialists import queries as credentials
from marketplace.web import settings
from marketplace.web.guards import me, needs
from marketplace.web.specialists import places, week
from marketplace.web.specialists.blueprint import specialists

PAGE = 25
PAYOUTS_SHOWN = 10
# How each state of a payout line is drawn: the nearest state that the macros know.
DRAWN = {
    "draft": "draft",
    "approved": "waiting",
    "submitting": "sending",
    "transferred": "paid",
    "rejected": "returned",
    "unknown": "unknown",
    "cancelled": "cancelled",
}


@specialists.get("/earnings")
@needs(Permission.EARNINGS_VIEW)
def earnings() -> str:
    """The money, where it is and when it comes."""
    return render_template("specialists/earnings.html", **facts())


def facts() -> dict[str, Any]:
    """What the page of earnings shows; also after a faulty form of the payee."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        balances = ledger.specialist_balances(session, me().person())
        found = review.earnings_of(
            session, me(), after=AccrualId(after) if after else None, limit=PAGE + 1
        )
        profile = credentials.profile_of(session, me(), me().person())
        shown = {
            "balances": balances,
            "weeks": [] if after else week.plots_of(session, me(), balances),
            "lines": payouts.payouts_of(session, me(), limit=PAYOUTS_SHOWN),
            "payee": payouts.payee_of(session, me()),
            "held_because": payouts.own_hold(session, me()),
            # Pay to another name than the papers' is held, so that is the name to begin with.
            "name": (profile.legal_name if profile else None)
            or identity.person_of(session, me()).name,
        }
    rows = found[:PAGE]
    currency = profile.payout_currency if profile else "USD"
    minimum = settings().payout_minimum_minor
    return shown | {
        "earned": rows,
        "after": after,
        "last": rows[-1].accrual.id if len(found) > PAGE else None,
        "country": profile.country if profile else "",
        "currency": currency,
        "countries": [("", "Choose a country"), *places.countries()],
        "currencies": [(code, code) for code in sorted(EXPONENT)],
        "minimums": {code: Money(minimum, code) for code in {currency, *balances}},
        "labels": LINE_LABELS,
        "drawn": DRAWN,
    }
