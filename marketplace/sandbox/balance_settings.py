"""Balance settings: when a balance is paid out, and what stays on it."""

from __future__ import annotations

from marketplace.sandbox import balance, events, payouts, schedules
from marketplace.sandbox.currencies import KNOWN
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx

URL = "/v1/balance_settings"
INTERVALS = ("daily", "manual", "weekly", "monthly")
WEEK = schedules.DAYS[:5]


def retrieve(tx: Tx, params: Params) -> Body:
    """GET /v1/balance_settings"""
    params.done()
    return _shown(tx, schedules.settings_of(tx))


def update(tx: Tx, params: Params) -> Body:
    """POST /v1/balance_settings: the schedule of payouts, and the least that stays."""
    settings = schedules.settings_of(tx, lock=True)
    payments = params.nested("payments")
    wanted = payments.nested("payouts")
    _read_schedule(wanted.nested("schedule"), settings["schedule"])
    if wanted.has("statement_descriptor"):
        settings["statement_descriptor"] = wanted.text("statement_descriptor", most=22)
    least = wanted.nested("minimum_balance_by_currency")
    for currency in sorted(KNOWN):
        if least.has(currency):
            amount = least.whole(currency, least=0) if least.text(currency) else None
            settings["minimum"].pop(currency, None)
            if amount:
                settings["minimum"][currency] = amount
    debit = payments.flag("debit_negative_balances")
    if debit is not None:
        settings["debit_negative_balances"] = debit
    payments.accept("settlement_timing")
    params.done()
    before = _shown(tx, schedules.settings_of(tx))
    schedules.save_settings(tx, settings)
    if settings["schedule"]["interval"] != "manual":
        for row in balance.amounts(tx):
            payouts.plan(tx, row["currency"], tx.now)
    after = _shown(tx, settings)
    events.announce(tx, "balance_settings.updated", after, before=before)
    return after


def _read_schedule(asked: Params, schedule: Body) -> None:
    interval = asked.text("interval", choices=INTERVALS)
    if interval is None:
        return
    schedule.clear()
    schedule["interval"] = interval
    if interval == "weekly":
        days = asked.texts("weekly_payout_days") or ["monday"]
        if not set(days) <= set(WEEK):
            raise ApiError("weekly_payout_days are days from monday to friday.")
        schedule["weekly_payout_days"] = days
    if interval == "monthly":
        days = asked.texts("monthly_payout_days") or ["1"]
        schedule["monthly_payout_days"] = [int(day) for day in days if day.isdigit()]


def _shown(tx: Tx, settings: Body) -> Body:
    account = tx.acting_for("").find("account", tx.account)
    enabled = account is None or account["payouts_enabled"]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": settings["debit_negative_balances"],
            "payouts": {
                # Null, as the documentation has it, would break the SDK of this version.
                "automatic_transfer_rules_by_currency": {},
                "minimum_balance_by_currency": settings["minimum"] or None,
                "schedule": settings["schedule"],
                "statement_descriptor": settings["statement_descriptor"],
                "status": "enabled" if enabled else "disabled",
            },
            "settlement_timing": {"delay_days": 2},
        },
    }


ROUTES = (Route("GET", URL, retrieve), Route("POST", URL, update))
