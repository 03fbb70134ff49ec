"""The page /house/ui: every macro in every state; in development only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template

from marketplace.errors import Missing
from marketplace.money import Money
from marketplace.web import filters, plots, settings
from marketplace.web.guards import public

house = Blueprint("house", __name__, url_prefix="/house")

NOON = datetime(2026, 11, 23, 12, 2, 11, tzinfo=UTC)
MATERIAL = """**Atrial fibrillation, 78-year-old, eGFR 38.** Which dose?

Apixaban is reduced to *2.5 mg twice a day* only when **two of three** apply:
age 80 or more, weight 60 kg or less, creatinine 133 µmol/l or more.
She meets none.

| Criterion | Her value | Met |
|---|---|---|
| Age | 78 | no |
| Weight | 71 kg | no |
| Creatinine | 118 µmol/l | no |

> Reduce by label, not by unease.

`5 mg` twice a day, then check again in three months.
"""
RAIL = (
    ("Home", "house", "h"),
    ("Jobs", "briefcase", "j"),
    ("Review", "scale", "r"),
    ("Balance", "wallet", "b"),
    ("Exports", "download", "e"),
    ("Members", "users", "m"),
    ("Settings", "settings", "s"),
)


def usd(minor: int) -> Money:
    """An amount in US dollars."""
    return Money(minor, "USD")


@house.before_request
def in_development_only() -> None:
    """Hide the page where paying people are; raises Missing."""
    if not settings().public_development:
        raise Missing("There is nothing at this address.")


@house.get("/ui")
@public
def look() -> str:
    """Every part, drawn with sample content; no database is asked."""
    return render_template("house/ui.html", frame=frame("lab"), sample=sample())


def frame(audience: str) -> Mapping[str, object]:
    """A frame as pages get it from their audience's context."""
    rail = [
        {"label": label, "href": "#content", "icon": icon, "key": key, "current": at == 1}
        for at, (label, icon, key) in enumerate(RAIL)
    ]
    return {
        "audience": audience,
        "rail": rail,
        "person": "Ines Marković",
        "sandbox": True,
        "sign_out": "#content",
        "organisations": [
            {"label": "Northlight Research", "organisation_id": "1", "current": True},
            {"label": "Halden Lab", "organisation_id": "2", "current": False},
        ],
        "menu": [{"label": "Sign-ins and second factor", "icon": "key", "href": "#content"}],
    }


def sample() -> Mapping[str, object]:
    """Content for the parts."""
    return {
        "spent": usd(4_210_00),
        "budget": usd(7_500_00),
        "amount": usd(45_00),
        "at": NOON,
        "until": NOON + timedelta(days=420),
        "soon": NOON + timedelta(days=23),
        "past": NOON - timedelta(days=12),
        "material": MATERIAL,
        "lines": payout_lines(),
        "earnings": earnings(),
        "skill": skill(),
        "agreement": agreement(),
        "split": plots.share(
            "Where this job's money is", [("Paid", 2900), ("Pending", 1310), ("Reserved", 3290)]
        ),
        "spark": plots.sparkline(
            "claims a day", [3, 5, 4, 8, 9, 7, 11, 14, 12, 15, 13, 17, 16, 19]
        ),
    }


def payout_lines() -> list[Mapping[str, object]]:
    """Four lines of a run, in four states."""
    rows = (
        ("PO-2026-0042/1", "kestrel-47", "transferred", "", 1_180_00, NOON),
        ("PO-2026-0042/2", "heron-12", "held", "The account is restricted.", 940_50, None),
        ("PO-2026-0042/3", "plover-03", "unknown", "Stripe has not answered.", 1_250_00, None),
        ("PO-2026-0042/4", "linnet-88", "paid", "", 839_50, NOON),
    )
    names = ("name", "sub", "state", "reason", "amount", "at")
    return [dict(zip(names, (*row[:4], usd(row[4]), row[5]), strict=True)) for row in rows]


def earnings() -> str:
    """A week of pay in three states."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    paid, payable, pending = (
        (90, 135, 0, 45, 0, 0, 0),
        (0, 45, 90, 90, 45, 0, 0),
        (0, 0, 45, 0, 135, 90, 0),
    )
    columns = [
        plots.Column(*each)
        for each in zip(days, zip(paid, payable, pending, strict=True), strict=True)
    ]
    return plots.bars(
        "Earnings this week", columns, ("Paid", "Payable", "Pending"), words=lambda v: f"${v:,.0f}"
    )


def skill() -> str:
    """A skill with the interval that narrows as work comes in."""
    values = (0.78, 0.81, 0.80, 0.84, 0.86, 0.85, 0.88, 0.89)
    points = [
        plots.Point(
            f"Week {at + 1}", value, value - 0.13 / (at + 1), min(1, value + 0.11 / (at + 1))
        )
        for at, value in enumerate(values)
    ]
    words = filters.percent
    return plots.line("Skill in cardiology", points, words=words, goal=("needed 80 %", 0.8))


def agreement() -> str:
    """Agreement by question, each with its interval."""
    points = [
        plots.Point("Which is better", 0.86, 0.82, 0.89),
        plots.Point("Clinically safe", 0.79, 0.73, 0.84),
        plots.Point("Complete", 0.64, 0.57, 0.71),
        plots.Point("Tone", 0.41, 0.30, 0.52),
    ]
    return plots.intervals(
        "Agreement by question", points, words=lambda v: f"{v:.2f}", measure="Kappa"
    )
