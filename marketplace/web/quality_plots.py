"""Plots of quality: intervals on one scale, and lines over what lies across; see `plots`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from marketplace.web.plots import Words, figure, path, plain, rect, text

# Narrow, so that the letters stay readable where a phone draws it smaller.
WIDTH, EDGE = 360, 6
ROW, FOOT = 44, 20
TOP, BOTTOM, LEFT, RIGHT, TALL = 14, 34, 4, 52, 210
LETTERS_APART = 13
LETTER = 6.2  # The width that one letter of a name needs.
TONES = ("tone-1", "tone-2", "tone-3")


@dataclass(frozen=True, slots=True)
class Dot:
    """One value with its interval; note: what it stands on, such as `24 items`."""

    label: str
    note: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """One place of a line; label: what lies across, in words."""

    across: float
    value: float
    label: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Marks that belong together, from left to right."""

    name: str
    marks: Sequence[Mark]


def dots(
    title: str,
    rows: Sequence[Dot],
    *,
    words: Words = plain,
    measure: str = "Value",
    ticks: Sequence[float] = (0, 0.5, 1),
) -> Markup:
    """A row for each value: its words above, below them its interval and its dot on one scale.

    The scale ends at 1 and begins at 0, or at -1 where a value lies below 0.
    """
    least = min((r.value if r.low is None else r.low for r in rows), default=0.0)
    start = -1.0 if least < 0 else 0.0

    def x_of(value: float) -> float:
        share = (min(max(value, start), 1.0) - start) / (1 - start)
        return EDGE + (WIDTH - 2 * EDGE) * share

    parts: list[Markup] = []
    foot = ROW * len(rows)
    for at in sorted({start, *ticks}):
        anchor = "start" if at == start else "end" if at == 1 else "middle"
        parts += [_upright(x_of(at), 24, foot), text(words(at), x_of(at), foot + 14, anchor)]
    for at, row in enumerate(rows):
        parts += _dot(row, ROW * at, words, x_of)
    numbers = [
        (f"{r.label}, {r.note}", words(r.value), _between(r.low, r.high, words)) for r in rows
    ]
    return figure(
        title, Markup("").join(parts), (measure, "90 % interval"), numbers,
        width=WIDTH, height=foot + FOOT, kind="plot slim",
    )  # fmt: skip


def _dot(row: Dot, top: float, words: Words, place: Callable[[float], float]) -> list[Markup]:
    y = top + 30
    parts = [
        text(row.label, EDGE, top + 14, strong=True),
        text(f"{words(row.value)} \u00b7 {row.note}", WIDTH - EDGE, top + 14, "end"),
        rect("track", EDGE, y - 3, WIDTH - 2 * EDGE, 6),
    ]
    if row.low is not None and row.high is not None:
        left, right = place(row.low), place(row.high)
        parts.append(rect("fill-2", left, y - 3, max(right - left, 1), 6))
    circle = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="5"/>')
    return [*parts, circle.format(place(row.value), y)]


def _between(low: float | None, high: float | None, words: Words) -> str:
    return "\u2013" if low is None or high is None else f"{words(low)} to {words(high)}"


def _upright(x: float, top: float, bottom: float) -> Markup:
    drawing = Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>')
    return drawing.format(x, top, bottom)


def curves(
    title: str,
    lines: Sequence[Line],
    *,
    words: Words = plain,
    measure: str = "Value",
    across: str = "",
    goal: tuple[str, float] | None = None,
    whole: bool = False,
) -> Markup:
    """Lines over a common scale, each named at its end, with their intervals as bands.

    across: what lies across, in words; goal: a dashed line with its words; whole: the scale runs
    from 0 to 1, whatever the values.
    """
    marks = [mark for line in lines for mark in line.marks]
    numbers = [
        (f"{line.name}, {mark.label}" if len(lines) > 1 else mark.label, words(mark.value),
         _between(mark.low, mark.high, words))
        for line in lines
        for mark in line.marks
    ]  # fmt: skip
    head = (measure, "90 % interval")
    if not marks:
        return figure(title, Markup(""), head, [])
    place = _scales(marks, goal, whole=whole)
    parts = [_level("axis", TALL - BOTTOM)]
    for tick in (0.0, 0.5, 1.0) if whole else ():
        _, y = place(marks[0].across, tick)
        parts += [_level("axis", y), text(words(tick), LEFT, y - 4)]
    if goal is not None:
        _, y = place(marks[0].across, goal[1])
        parts += [_level("goal", y), text(goal[0], WIDTH - RIGHT + 6, y + 14, "end")]
    for at, line in enumerate(lines):
        parts += _drawn(line, TONES[at % len(TONES)], place)
    parts += _named(lines, place, words)
    parts += _across(marks, across, place)
    return figure(
        title, Markup("").join(parts), head, numbers, width=WIDTH, height=TALL, kind="plot slim"
    )


Place = Callable[[float, float], tuple[float, float]]


def _scales(marks: Sequence[Mark], goal: tuple[str, float] | None, *, whole: bool) -> Place:
    """From what lies across and a value to a place; one value alone stands in the middle."""
    values = [each for m in marks for each in (m.value, m.low, m.high) if each is not None]
    values += [goal[1]] if goal else []
    values += [0.0, 1.0] if whole else []
    low, high = min(values), max(values)
    first, last = min(m.across for m in marks), max(m.across for m in marks)

    def place(across: float, value: float) -> tuple[float, float]:
        room, tall = WIDTH - LEFT - RIGHT - 8, TALL - TOP - BOTTOM - 8
        right = (across - first) / (last - first) if last > first else 0.5
        up = (value - low) / (high - low) if high > low else 0.5
        return LEFT + 4 + room * right, TOP + tall * (1 - up)

    return place


def _drawn(line: Line, tone: str, place: Place) -> list[Markup]:
    told = [m for m in line.marks if m.low is not None and m.high is not None]
    parts: list[Markup] = []
    if len(told) > 1:
        band = [place(m.across, m.high or 0.0) for m in told]
        band += [place(m.across, m.low or 0.0) for m in reversed(told)]
        parts.append(Markup('<polygon class="band" points="{}"/>').format(path(band)))
    elif told:
        x, top = place(told[0].across, told[0].high or 0.0)
        _, foot = place(told[0].across, told[0].low or 0.0)
        parts.append(rect("fill-3", x - 3, top, 6, max(foot - top, 1)))
    places = [place(m.across, m.value) for m in line.marks]
    drawing = Markup('<polyline class="line {}" points="{}"/>').format(tone, path(places))
    dot = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(tone, *places[-1])
    return [*parts, drawing, dot]


def _named(lines: Sequence[Line], place: Place, words: Words) -> list[Markup]:
    """The last value of each line at its end, moved apart where two would run together."""
    ends = [
        (place(line.marks[-1].across, line.marks[-1].value), line) for line in lines if line.marks
    ]
    ends.sort(key=lambda end: end[0][1])
    apart = LETTERS_APART * min(len(lines), 2)
    parts, foot = [], -1.0 * apart
    for (x, y), line in ends:
        foot = max(y + 4, foot + apart)
        parts.append(text(words(line.marks[-1].value), x + 9, foot, strong=True))
        if len(lines) > 1:
            # Under its value, and never beyond the edge of the drawing.
            reach = min(x + 9 + LETTER * len(line.name), float(WIDTH))
            parts.append(text(line.name, reach, foot + LETTERS_APART, "end"))
    return parts


def _across(marks: Sequence[Mark], words: str, place: Place) -> list[Markup]:
    """The words of the first and the last place, and between them what they are."""
    by_place = sorted(marks, key=lambda mark: mark.across)
    first, last = by_place[0], by_place[-1]
    y = TALL - BOTTOM + 14
    if first.across == last.across:
        return [text(first.label, place(first.across, 0)[0], y, "middle")]
    parts = [text(first.label, LEFT, y), text(last.label, WIDTH - RIGHT + 6, y, "end")]
    return [*parts, text(words, (WIDTH - RIGHT) / 2, TALL - 5, "middle")] if words else parts


def _level(kind: str, y: float) -> Markup:
    drawing = Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
    return drawing.format(kind, LEFT, WIDTH - RIGHT + 8, y, y)
