"""Payout runs that are drafted by themselves."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from marshmallow import fields, validate
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT, parse_money
from marketplace.payouts import queries, service
from marketplace.payouts.rules import Every
from marketplace.payouts.service import Planned
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs

TEMPLATE = "finance/schedules.html"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class ScheduleForm(Form):
    """How often a run is drafted, on which day, and for whom."""

    currency = fields.String(
        required=True, validate=validate.OneOf(sorted(EXPONENT), error="Choose a currency.")
    )
    when = fields.String(
        required=True,
        validate=validate.Regexp(r"^(week|month)-[0-9]{1,2}$", error="Choose a day."),
    )
    minimum = fields.String(required=True, error_messages={"required": "Write an amount."})
    country = fields.String(load_default="")


class SwitchForm(Form):
    """Whether a schedule goes on."""

    enabled = fields.Boolean(required=True)


@finance.get("/payout-schedules")
@needs(Permission.FINANCE_VIEW)
def list_schedules() -> str:
    """Every schedule, with its next day and what came of it last."""
    return render_template(TEMPLATE, **_facts())


@finance.post("/payout-schedules")
@needs(Permission.PAYOUTS_PREPARE)
def add_schedule() -> Response:
    """Draft runs from now on; whoever asks is their preparer."""
    try:
        asked = load(ScheduleForm)
        every, _, day = asked["when"].partition("-")
        minimum = parse_money(asked["minimum"], asked["currency"], pointer="/minimum")
        country = asked["country"].strip().upper() or None
        planned = Planned(Every(every), int(day), minimum, country)
        with transaction() as session:
            service.add_schedule(session, me(), planned)
    except Faulty as error:
        return refill(TEMPLATE, error, **_facts())
    flash("Planned. You are the preparer of its runs; somebody else approves each.", "good")
    return redirect(url_for("finance.list_schedules"), code=303)


@finance.post("/payout-schedules/<uuid:schedule_id>")
@needs(Permission.PAYOUTS_PREPARE)
def switch_schedule(schedule_id: UUID) -> Response:
    """Stop a schedule, or let it go on."""
    asked = load(SwitchForm)
    with transaction() as session:
        service.switch_schedule(session, me(), schedule_id, enabled=asked["enabled"])
    flash("It goes on." if asked["enabled"] else "Stopped. Nothing more is drafted by it.")
    return redirect(url_for("finance.list_schedules"), code=303)


def day_words(every: str, on_day: int) -> str:
    """Such as “every Monday” or “on day 15 of each month”."""
    if every == Every.WEEK:
        return f"every {WEEKDAYS[on_day - 1]}"
    return f"on day {on_day} of each month"


def _facts() -> dict[str, object]:
    with transaction() as session:
        rows = queries.schedules(session, me())
        days = [(f"week-{day}", f"Every {WEEKDAYS[day - 1]}") for day in range(1, 8)]
        months = [(f"month-{day}", f"Day {day} of each month") for day in range(1, 29)]
        return {
            "rows": rows,
            "words": day_words,
            "names": shown.names_of(session, {row.owner_id for row in rows}),
            "days": days + months,
            "currencies": [(code, code) for code in sorted(EXPONENT)],
            "usual": queries.minimum_of("USD"),
        }
