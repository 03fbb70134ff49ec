"""When a balance is paid out: on which days, and what stays."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from marketplace.sandbox.store import Body, Tx

KIND = "balance_settings"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLATFORM: Body = {
    "schedule": {"interval": "manual"},
    "statement_descriptor": None,
    "minimum": {},
    "debit_negative_balances": True,
}


def settings_of(tx: Tx, *, lock: bool = False) -> Body:
    """The acting account's settings; the platform's balance is paid out by hand at first."""
    platform = tx.acting_for("")
    if not tx.account:
        stored = platform.find(KIND, KIND, lock=lock)
        return copy.deepcopy(stored["_settings"] if stored else _PLATFORM)
    payouts = platform.need("account", tx.account, lock=lock)["settings"]["payouts"]
    return {
        "schedule": {
            name: value for name, value in payouts["schedule"].items() if name != "delay_days"
        },
        "statement_descriptor": payouts["statement_descriptor"],
        "minimum": payouts.get("_minimum", {}),
        "debit_negative_balances": payouts["debit_negative_balances"],
    }


def save_settings(tx: Tx, settings: Body) -> None:
    """Keep the acting account's settings."""
    platform = tx.acting_for("")
    if tx.account:
        account = platform.need("account", tx.account, lock=True)
        payouts = account["settings"]["payouts"]
        payouts["schedule"] = {"delay_days": 2, **settings["schedule"]}
        payouts["statement_descriptor"] = settings["statement_descriptor"]
        payouts["debit_negative_balances"] = settings["debit_negative_balances"]
        payouts["_minimum"] = settings["minimum"]
        platform.save(account)
        return
    body = {"id": KIND, "object": KIND, "created": tx.now, "_settings": settings}
    if platform.find(KIND, KIND, lock=True):
        platform.save(body)
    else:
        platform.insert(body)


def is_due(schedule: Body, at: int) -> bool:
    """Whether automatic payouts leave on the day of a virtual time."""
    day = datetime.fromtimestamp(at, UTC)
    interval = schedule["interval"]
    if interval == "weekly":
        wanted = schedule.get("weekly_payout_days") or [schedule.get("weekly_anchor", "monday")]
        return DAYS[day.weekday()] in wanted
    if interval == "monthly":
        return day.day in (schedule.get("monthly_payout_days") or [1])
    return bool(interval == "daily")
