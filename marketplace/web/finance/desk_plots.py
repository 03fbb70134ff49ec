"""The desk's plots: cash against what is owed, and days since each source was reconciled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from babel.dates import format_date
from markupsafe import Markup

from marketplace.ledger.queries import CoverDay
from marketplace.money import Money
from marketplace.reconciliation.queries.standing import Reached
from marketplace.web import plots
from marketplace.web.filters import LOCALE, money

HEAD = ("Cash", "Owed", "Cover")
ROOM = 92  # What the last figures need at the right.
GAP = 14.0  # Two labels closer than this would run into each other.
ROW = 30


def cover_plot(course: Sequence[CoverDay]) -> Markup:
    """Cash and what is owed as two lines from a zero baseline, day by day."""
    currency = course[-1].cash.currency
    title = f"Cash against what is owed, in {currency}, {len(course)} days"
    rows = [
        (short(each.on_day), money(each.cash), money(each.owed), money(each.cover, sign=True))
        for each in course
    ]
    lows = [min(each.cash.minor, each.owed.minor, 0) for each in course]
    highs = [max(each.cash.minor, each.owed.minor, 1) for each in course]
    low, high = min(lows), max(highs)
    room = plots.HEIGHT - plots.TOP - plots.BOTTOM
    step = (plots.WIDTH - plots.LEFT - ROOM) / max(len(course) - 1, 1)

    def y_of(minor: int) -> float:
        return plots.TOP + room * (1 - (minor - low) / (high - low))

    cash = [(plots.LEFT + step * at, y_of(each.cash.minor)) for at, each in enumerate(course)]
    owed = [(plots.LEFT + step * at, y_of(each.owed.minor)) for at, each in enumerate(course)]
    line = Markup('<polyline class="{}" points="{}"/>')
    parts = [
        _level("zero", y_of(0)),
        line.format("line tone-3", plots.path(owed)),
        line.format("line", plots.path(cash)),
        *_ends(cash[-1], owed[-1], course[-1]),
        plots.text(short(course[0].on_day), plots.LEFT, plots.HEIGHT - 8),
        plots.text("now", cash[-1][0], plots.HEIGHT - 8, "middle"),
    ]
    return plots.figure(title, Markup("").join(parts), HEAD, rows)


def _level(kind: str, y: float) -> Markup:
    drawing = Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
    return drawing.format(kind, plots.LEFT, plots.WIDTH - ROOM, y, y)


def _ends(cash: tuple[float, float], owed: tuple[float, float], last: CoverDay) -> list[Markup]:
    """The last figures beside the ends of their lines, moved apart where they would touch."""
    at_cash, at_owed = cash[1] + 4, owed[1] + 4
    if abs(at_cash - at_owed) < GAP:
        middle = (at_cash + at_owed) / 2
        up = at_cash <= at_owed
        at_cash = middle + (-GAP / 2 if up else GAP / 2)
        at_owed = middle + (GAP / 2 if up else -GAP / 2)
    beside = cash[0] + 8
    return [
        plots.text(f"Cash {_rounded(last.cash)}", beside, at_cash, strong=True),
        plots.text(f"Owed {_rounded(last.owed)}", beside, at_owed),
    ]


def _rounded(amount: Money) -> str:
    """Whole units are enough for a label; the table behind has every cent."""
    return money(amount).partition(".")[0]


def reached_plot(sources: Sequence[Reached], today: date) -> Markup:
    """A bar for each source: days since the last day that is reconciled in full."""
    known = [(each, (today - each.through).days) for each in sources if each.through]
    rows = [(each.name, str(days), short(each.through or today)) for each, days in known]
    most = max((days for _, days in known), default=0) or 1
    left, room = 150, plots.WIDTH - 150 - 60
    parts: list[Markup] = []
    for at, (each, days) in enumerate(known):
        y = ROW * at + ROW / 2
        wide = max(room * days / most, 2)
        parts += [
            plots.text(_cut(each.name), 0, y + 4),
            plots.rect("fill-1" if days > 1 else "fill-2", left, y - 7, wide, 14),
            plots.text("today" if days < 1 else f"{days} d", left + wide + 8, y + 4, strong=True),
        ]
    head = ("Days", "Reconciled to")
    title = "Days since the last reconciled day"
    return plots.figure(title, Markup("").join(parts), head, rows, height=ROW * len(known) or ROW)


def _cut(name: str) -> str:
    return name if len(name) < 24 else f"{name[:22]}\u2026"


def short(on: date) -> str:
    """`3 Nov`, as the plots write days."""
    return str(format_date(on, "d MMM", locale=LOCALE))
