"""What the pages of a lab's money show alike: their tabs, currencies, months and plots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask import request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing import queries
from marketplace.billing.rules.invoices import month_after
from marketplace.errors import Missing
from marketplace.ids import OrganisationId
from marketplace.money import EXPONENT, Money, zero
from marketplace.web import plots, settings
from marketplace.web.filters import money
from marketplace.web.guards import me
from marketplace.web.labs.builder import CURRENCIES

DAYS_SHOWN = 14
USUAL = "USD"
MONTHS_SHOWN = 24
PAGES = (
    ("Balance", "lab_balance.show"),
    ("Movements", "lab_statements.movements"),
    ("Statements", "lab_statements.listing"),
    ("Invoices", "lab_invoices.listing"),
    ("Bank transfer", "lab_invoices.transfer"),
    ("Billing details", "lab_invoices.details"),
    ("Refunds", "lab_refunds.listing"),
    ("Disputes", "lab_refunds.disputes"),
    ("Automatic", "lab_limits.automatic"),
    ("Limits", "lab_limits.show_limits"),
)


def tabs(here: str) -> list[tuple[str, str, bool, None]]:
    """The pages of money, for `ui.tabs`; here: the endpoint that is shown."""
    return [(words, url_for(endpoint), endpoint == here, None) for words, endpoint in PAGES]


def today() -> date:
    """The book's day."""
    return clock.book_day(clock.now(), settings().book_timezone)


def currency_asked(session: Session) -> tuple[str, list[str]]:
    """The currency of the address, or the first one used; and all that the lab has used."""
    used = queries.currencies_of(session, OrganisationId(me().organisation())) or [USUAL]
    asked = request.args.get("currency", "").upper()
    usual = USUAL if USUAL in used else used[0]
    return (asked if asked in EXPONENT else usual), used


def month_of(text: str) -> date:
    """The first day of a month such as `2026-11`; Missing for any other text or a month to come."""
    try:
        month = date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        month = None
    if month is None or month > today() or month.year < 2000:
        raise Missing("There is no such month.")
    return month


def months(first: date | None) -> list[date]:
    """The months from `first` to this one, newest first; this one alone for None."""
    month, last = (first or today()).replace(day=1), today().replace(day=1)
    found = [month]
    while month < last:
        month = month_after(month)
        found.append(month)
    return found[::-1][:MONTHS_SHOWN]


def currencies() -> Sequence[tuple[str, str]]:
    """Currencies to choose from."""
    return [(code, code) for code in CURRENCIES]


def spend_plot(session: Session, currency: str) -> Markup | None:
    """What was spent on each of the last days; None where nothing was."""
    since, until = today() - timedelta(days=DAYS_SHOWN - 1), today() + timedelta(days=1)
    lab = OrganisationId(me().organisation())
    spent = dict(queries.used_by_day(session, lab, currency, since, until))
    if not spent:
        return None
    columns = [
        plots.Column(f"{day.day}.", [float(spent.get(day, zero(currency)).decimal())])
        for day in (since + timedelta(days=at) for at in range(DAYS_SHOWN))
    ]
    return plots.bars(
        f"Spent on work in the last {DAYS_SHOWN} days, {currency}", columns, ["Spent"], words=short
    )


def short(amount: float) -> str:
    """An amount in as few letters as a column has room for: `950`, `1.2k`."""
    if not amount:
        return ""
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if abs(amount) >= size:
            return f"{amount / size:.1f}{letter}"
    return f"{amount:.0f}" if amount >= 10 else f"{amount:.2f}"


def low_hint(session: Session, currency: str, available: Money) -> str:
    """A sentence where what is free would not last a week of what the last week took."""
    lab = OrganisationId(me().organisation())
    week = queries.used_by_day(
        session, lab, currency, today() - timedelta(days=6), today() + timedelta(days=1)
    )
    spent = sum(amount.minor for _, amount in week)
    if spent <= 0 or available.minor >= spent:
        return ""
    return (
        f"The last seven days took {money(Money(spent, currency))}, and {money(available)} "
        "are free for new jobs."
    )
