"""Earnings: what is pending and clears when, what is available, held, on its way and paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template, request
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.ledger import queries as ledger
from marketplace.money import EXPONENT, Money, zero
from marketplace.payouts import queries as payouts
from marketplace.payouts.rules import BANK_LABELS, LINE_LABELS
from marketplace.payouts.rules.pay_holds import REASON_ADVICE, REASON_LABELS
from marketplace.payouts.service import tax
from marketplace.review.models import Accrual
from marketplace.specialists import queries as credentials
from marketplace.web import pay_words
from marketplace.web.filters import reader_zone
from marketplace.web.guards import me, needs
from marketplace.web.specialists import places, week
from marketplace.web.specialists.blueprint import specialists

PAGE = 25
PAYOUTS_SHOWN = 10
DAYS_SHOWN = 30
# How each state of a payout line is drawn: the nearest state that the macros know.
DRAWN = {
    "draft": "draft",
    "approved": "waiting",
    "submitting": "sending",
    "transferred": "paid",
    "rejected": "returned",
    "unknown": "unknown",
    "cancelled": "cancelled",
    "bank_pending": "sending",
    "bank_paid": "paid",
    "bank_failed": "returned",
    "reversed": "reversed",
}


@dataclass(frozen=True, slots=True)
class ClearingDay:
    """Pay that clears on one day of its owner's calendar."""

    on: date
    amount: Money
    count: int


@specialists.get("/earnings")
@needs(Permission.EARNINGS_VIEW)
def earnings() -> str:
    """The money, where it is and when it comes."""
    return render_template("specialists/earnings.html", **facts())


@specialists.get("/earnings/tasks/<uuid:accrual_id>")
@needs(Permission.EARNINGS_VIEW)
def task_earning(accrual_id: UUID) -> str:
    """One task's pay, step by step."""
    with transaction() as session:
        task = payouts.task_pay_of(session, me(), accrual_id)
    return render_template(
        "specialists/earnings_task.html",
        task=task,
        steps=pay_words.steps_of(task),
        drawn=pay_words.DRAWN,
    )


def facts() -> dict[str, Any]:
    """What the page of earnings shows; also after a faulty form of the payee."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        balances = ledger.specialist_balances(session, me().person())
        tasks = payouts.task_pay(session, me(), after=after, limit=PAGE + 1)
        profile = credentials.profile_of(session, me(), me().person())
        currency = profile.payout_currency if profile else "USD"
        holds = payouts.own_pay_holds(session, me())
        shown = {
            "balances": balances,
            "weeks": [] if after else week.plots_of(session, me(), balances),
            "calendars": [] if after else calendars(session, me(), balances),
            "lines": payouts.payouts_of(session, me(), limit=PAYOUTS_SHOWN),
            "payee": payouts.payee_of(session, me()),
            "held_because": payouts.own_hold(session, me()),
            "holds": holds,
            "paid_this_year": _this_year(session, me()),
            "next_runs": {
                code: payouts.next_run_at(session, code) for code in {currency, *balances}
            },
            "taxes": pay_words.tax_words(tax.own_standings(session, me())),
            # Pay to another name than the papers' is held, so that is the name to begin with.
            "name": (profile.legal_name if profile else None)
            or identity.person_of(session, me()).name,
        }
    rows = tasks[:PAGE]
    return shown | {
        "tasks": rows,
        "steps": {task.accrual.id: pay_words.steps_of(task) for task in rows},
        "after": after,
        "last": rows[-1].accrual.id if len(tasks) > PAGE else None,
        "country": profile.country if profile else "",
        "currency": currency,
        "countries": [("", "Choose a country"), *places.countries()],
        "currencies": [(code, code) for code in sorted(EXPONENT)],
        "minimums": {code: payouts.minimum_of(code) for code in {currency, *balances}},
        "labels": LINE_LABELS,
        "bank_labels": BANK_LABELS,
        "drawn": DRAWN,
        "task_drawn": pay_words.DRAWN,
        "reasons": REASON_LABELS,
        "advice": REASON_ADVICE,
    }


def calendars(
    session: Session, viewer: Actor, balances: Mapping[str, object]
) -> list[tuple[str, list[ClearingDay]]]:
    """For each currency, the days on which pay clears, in the reader's own zone."""
    zone = ZoneInfo(reader_zone())
    found = []
    for currency in balances:
        days = clearing_days(payouts.clearing(session, viewer, currency), currency, zone)
        if days:
            found.append((currency, days[:DAYS_SHOWN]))
    return found


def clearing_days(pending: Sequence[Accrual], currency: str, zone: ZoneInfo) -> list[ClearingDay]:
    """Pending pay summed by the day on which it clears."""
    sums: dict[date, tuple[Money, int]] = {}
    for each in pending:
        day = each.clears_at.astimezone(zone).date()
        amount, count = sums.get(day, (zero(currency), 0))
        sums[day] = (amount + each.amount, count + 1)
    return [ClearingDay(day, amount, count) for day, (amount, count) in sorted(sums.items())]


def _this_year(session: Session, viewer: Actor) -> dict[str, Money]:
    now: datetime = clock.now()
    sums: dict[str, Money] = {}
    for total in payouts.years_of(session, viewer):
        if total.year == now.year:
            sums[total.currency] = sums.get(total.currency, zero(total.currency)) + total.paid
    return sums
