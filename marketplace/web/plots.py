"""Small plots drawn on the server as SVG, each with the table behind it.

No style attributes and no script: classes of parts.css give the colours, so the same thing has
the same colour everywhere. Amounts start at zero; intervals are bands; labels stand at the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from markupsafe import Markup

WIDTH, HEIGHT = 480, 192
LEFT, RIGHT, TOP, BOTTOM = 2, 2, 40, 24
LETTER = 8.0  # The width that one letter of a label may need.
FILLS = ("fill-1", "fill-2", "fill-3")
Words = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a bar plot: its label and one value for each series, stacked from below."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line, with its interval where there is one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def plain(value: float) -> str:
    """The words of a number when a plot is given none."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def bars(
    title: str, columns: Sequence[Column], series: Sequence[str], *, words: Words = plain
) -> Markup:
    """Stacked columns from a zero line; the series are named once, at their colour."""
    rows = [(column.label, *map(words, column.values)) for column in columns]
    if not columns:
        return figure(title, Markup(""), series, rows)
    top = max((sum(column.values) for column in columns), default=0) or 1
    step = (WIDTH - LEFT - RIGHT) / len(columns)
    thick = min(48.0, step * 0.64)
    # Labels that would run into each other are left out, but never the last one.
    every = ceil(max(len(column.label) for column in columns) * LETTER / step)
    parts: list[Markup] = []
    for at, column in enumerate(columns):
        middle = LEFT + step * (at + 0.5)
        parts.extend(_stack(column, middle - thick / 2, thick, top))
        if (len(columns) - 1 - at) % every == 0:
            parts.append(text(column.label, middle, HEIGHT - 8, "middle"))
        if sum(column.values):
            height = sum(column.values) / top * (HEIGHT - TOP - BOTTOM)
            total = words(sum(column.values))
            parts.append(text(total, middle, HEIGHT - BOTTOM - height - 6, "middle", strong=True))
    parts.append(_rule("zero", HEIGHT - BOTTOM))
    parts.extend(_names(series) if len(series) > 1 else ())
    return figure(title, Markup("").join(parts), series, rows)


def _stack(column: Column, left: float, thick: float, top: float) -> list[Markup]:
    parts = []
    foot = float(HEIGHT - BOTTOM)
    for at, value in enumerate(column.values):
        height = value / top * (HEIGHT - TOP - BOTTOM)
        foot -= height
        if height > 0:
            parts.append(
                Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}"/>')
                .format(left, foot, thick, max(height - 1, 0.5), FILLS[at % len(FILLS)])
            )  # fmt: skip
    return parts


def _names(series: Sequence[str]) -> list[Markup]:
    """The names of the series, at the top left, each beside a swatch of its colour."""
    parts, left = [], float(LEFT)
    for at, name in enumerate(series):
        swatch = Markup('<rect x="{:.1f}" y="0" width="9" height="9" rx="2" class="{}"/>')
        parts += [swatch.format(left, FILLS[at % len(FILLS)]), text(name, left + 14, 9, "start")]
        left += 14 + 6.4 * len(name) + 18
    return parts


def line(
    title: str,
    points: Sequence[Point],
    *,
    words: Words = plain,
    goal: tuple[str, float] | None = None,
    zero: bool = False,
    measure: str = "Value",
) -> Markup:
    """A line with its interval as a band, the last value written at its end."""
    rows = [(p.label, words(p.value), _interval(p, words)) for p in points]
    head = (measure, "Interval")
    if not points:
        return figure(title, Markup(""), head, rows)
    lows = [p.value if p.low is None else p.low for p in points]
    highs = [p.value if p.high is None else p.high for p in points]
    bounds = [*lows, *highs, *([goal[1]] if goal else []), *([0.0] if zero else [])]
    y_of = _scale(min(bounds), max(bounds))
    step = (WIDTH - LEFT - 60) / max(len(points) - 1, 1)
    xs = [LEFT + step * at for at in range(len(points))]
    parts = [_rule("axis", HEIGHT - BOTTOM)]
    if any(p.low is not None for p in points):
        band = [*zip(xs, map(y_of, highs), strict=True)]
        band += reversed([*zip(xs, map(y_of, lows), strict=True)])
        parts.append(Markup('<polygon class="band" points="{}"/>').format(path(band)))
    if goal:
        parts += [_rule("goal", y_of(goal[1])), _goal_words(goal[0], y_of(goal[1]))]
    marks = [*zip(xs, (y_of(p.value) for p in points), strict=True)]
    parts.append(Markup('<polyline class="line" points="{}"/>').format(path(marks)))
    parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(*marks[-1]))
    parts.append(text(words(points[-1].value), marks[-1][0] + 10, marks[-1][1] + 4, strong=True))
    parts += _ends(points, xs)
    return figure(title, Markup("").join(parts), head, rows)


def _goal_words(words: str, y: float) -> Markup:
    """Under the dashed line, at the right, where the line's own last value seldom is."""
    return text(words, WIDTH - RIGHT, y + 14, "end")


def _ends(points: Sequence[Point], xs: Sequence[float]) -> list[Markup]:
    first = text(points[0].label, xs[0], HEIGHT - 8, "start")
    if len(points) == 1:
        return [first]
    return [first, text(points[-1].label, xs[-1], HEIGHT - 8, "middle")]


def _interval(point: Point, words: Words) -> str:
    if point.low is None or point.high is None:
        return "\u2013"
    return f"{words(point.low)} to {words(point.high)}"


def _scale(low: float, high: float) -> Callable[[float], float]:
    """From a value to a height on the page; a flat line runs through the middle."""
    room = HEIGHT - TOP - BOTTOM - 8
    if high == low:
        return lambda _value: TOP + room / 2
    return lambda value: TOP + room * (1 - (value - low) / (high - low))


def intervals(
    title: str, points: Sequence[Point], *, words: Words = plain, measure: str = "Value"
) -> Markup:
    """One row for each point: its name, its interval as a bar, its value, on a scale of 0 to 1."""
    row, left, right = 30, 150, 56
    height = row * len(points) + 4
    across = WIDTH - left - right
    parts: list[Markup] = []
    for at, point in enumerate(points):
        y = row * at + row / 2
        low = point.value if point.low is None else point.low
        high = point.value if point.high is None else point.high
        parts += [
            text(point.label, 0, y + 4),
            rect("track", left, y - 3, across, 6),
            rect("fill-3", left + across * low, y - 3, max(across * (high - low), 1), 6),
            Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(
                left + across * point.value, y
            ),
            text(words(point.value), WIDTH, y + 4, "end", strong=True),
        ]
    rows = [(p.label, words(p.value), _interval(p, words)) for p in points]
    return figure(title, Markup("").join(parts), (measure, "Interval"), rows, height=height)


def sparkline(label: str, values: Sequence[float]) -> Markup:
    """A line the size of a word; `label` says in words what it shows."""
    if len(values) < 2:
        return Markup('<span class="quiet">{}</span>').format(label)
    low, high = min(values), max(values)
    spread = (high - low) or 1
    step = 92 / (len(values) - 1)
    marks = [(2 + step * at, 21 - 18 * (v - low) / spread) for at, v in enumerate(values)]
    drawing = Markup(
        '<span class="spark plot"><svg viewBox="0 0 96 24" role="img" aria-label="{}">'
        '<polyline class="line" points="{}"/></svg></span>'
    )
    return drawing.format(label, path(marks))


def share(title: str, parts: Sequence[tuple[str, float]], *, words: Words = plain) -> Markup:
    """One bar split into named parts, each labelled under its own stretch."""
    whole = sum(value for _, value in parts) or 1
    drawn: list[Markup] = []
    left = 0.0
    for at, (name, value) in enumerate(parts):
        wide = WIDTH * value / whole
        if wide > 0:
            drawn.append(rect(FILLS[at % len(FILLS)], left, 0, max(wide - 2, 1), 14))
        if wide > 60:
            drawn += [
                text(name, left, 32),
                text(words(value), left, 48, strong=True),
            ]
        left += wide
    rows = [(name, words(value)) for name, value in parts]
    return figure(title, Markup("").join(drawn), ("Amount",), rows, height=54)


def path(marks: Sequence[tuple[float, float]]) -> str:
    """The `points` of a line through these places."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in marks)


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """A bar with rounded corners, of the colour that its class gives."""
    drawing = Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3"/>'
    )
    return drawing.format(kind, x, y, width, height)


def _rule(kind: str, y: float) -> Markup:
    drawing = Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
    return drawing.format(kind, LEFT, WIDTH - RIGHT, y, y)


def text(words: str, x: float, y: float, anchor: str = "start", *, strong: bool = False) -> Markup:
    """A label; anchor: which of its ends stands at x."""
    drawing = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>')
    return drawing.format(x, y, anchor, Markup(' class="strong"') if strong else "", words)


def figure(
    title: str,
    drawing: Markup,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    height: int = HEIGHT,
    width: int = WIDTH,
    kind: str = "plot",
) -> Markup:
    """The figure: caption, drawing (hidden from readers of screens) and the table behind it."""
    if not rows:
        return Markup(
            '<figure class="plot"><figcaption>{}</figcaption>'
            '<p class="quiet">Nothing to draw yet.</p></figure>'
        ).format(title)
    cells = Markup("").join(
        Markup("<tr><th scope='row'>{}</th>{}</tr>").format(
            row[0], Markup("").join(Markup('<td class="number">{}</td>').format(c) for c in row[1:])
        )
        for row in rows
    )
    names = Markup("").join(
        Markup('<th scope="col" class="number">{}</th>').format(n) for n in head
    )
    return Markup(
        '<figure class="{kind}"><figcaption>{title}</figcaption>'
        '<svg viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{drawing}</svg>'
        '<details><summary>{title}: the numbers</summary><table class="table keep"><thead><tr>'
        "<td></td>{names}</tr></thead><tbody>{cells}</tbody></table></details></figure>"
    ).format(
        kind=kind, title=title, width=width, height=height, drawing=drawing, names=names,
        cells=cells,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A value with its interval, and the mark that it can hardly pass."""

    label: str
    value: float
    low: float | None
    high: float | None
    ceiling: float | None


def ceilings(
    title: str, rows: Sequence[Ceiling], *, words: Words = plain, low: float = 0.0
) -> Markup:
    """One row for each value: its interval as a bar, its dot, and an upright line at its ceiling.

    low: where the scale begins; it ends at 1. What lies beyond is drawn at the end.
    """
    row, left, right = 34, 170, 56
    across = WIDTH - left - right

    def x_of(value: float) -> float:
        return left + across * (min(max(value, low), 1) - low) / (1 - low)

    parts: list[Markup] = []
    for at, each in enumerate(rows):
        y = row * at + row / 2
        parts += [text(each.label, 0, y + 4), rect("track", left, y - 3, across, 6)]
        if each.low is not None and each.high is not None:
            wide = max(x_of(each.high) - x_of(each.low), 1)
            parts.append(rect("fill-3", x_of(each.low), y - 3, wide, 6))
        if each.ceiling is not None:
            upright = Markup('<rect class="ink" x="{:.1f}" y="{:.1f}" width="3" height="20"/>')
            parts.append(upright.format(x_of(each.ceiling) - 1.5, y - 10))
        dot = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="5"/>')
        parts += [dot.format(x_of(each.value), y), text(words(each.value), WIDTH, y + 4, "end")]
    table = [
        (e.label, words(e.value), _interval(Point("", e.value, e.low, e.high), words),
         "\u2013" if e.ceiling is None else words(e.ceiling))
        for e in rows
    ]  # fmt: skip
    head = ("Judge and experts", "Interval", "Experts")
    return figure(title, Markup("").join(parts), head, table, height=row * len(rows) + 4)


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was so, of n cases that were said to be so with this confidence."""

    said: float
    found: float
    low: float
    high: float
    n: int


def reliability(title: str, points: Sequence[Share]) -> Markup:
    """A reliability diagram: what was said across, what was found upward, even on the diagonal."""
    side, left, foot = 200.0, 40.0, 24.0
    rows = [
        (f"{p.said:.2f}", f"{p.found:.0%}", f"{p.low:.0%} to {p.high:.0%}", f"{p.n:,}")
        for p in points
    ]

    def place(across: float, up: float) -> tuple[float, float]:
        return left + side * across, 8 + side * (1 - up)

    start, end = place(0, 0), place(1, 1)
    diagonal = Markup('<line class="goal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    axis = Markup('<line class="axis" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    parts = [
        axis.format(*start, end[0], start[1]),
        axis.format(*start, start[0], end[1]),
        diagonal.format(*start, *end),
        text("0", left - 8, start[1] + 4, "end"),
        text("1", left - 8, end[1] + 4, "end"),
        text("confidence", end[0], start[1] + 16, "end"),
        text("right", end[0] + 10, end[1] + 4),
    ]
    for each in points:
        x, _ = place(each.said, 0)
        (_, top), (_, bottom) = place(0, each.high), place(0, each.low)
        parts.append(rect("fill-3", x - 2, top, 4, max(bottom - top, 1)))
        dot = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4.5"/>')
        parts.append(dot.format(*place(each.said, each.found)))
    head = ("Right", "Interval", "Verdicts")
    return figure(title, Markup("").join(parts), head, rows, height=int(side + foot + 12))
