"""Moments that people ask for: `2026-10-31`, `2026-10-31T18:00`, or with a zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from marketplace import clock
from marketplace.errors import Fault, Faulty
from marketplace.web import settings
from marketplace.web.filters import reader_zone

YEARS = range(2000, 2101)
ADVICE = "Write a day such as 2026-10-31, or a day and a time such as 2026-10-31T18:00."


def parse_moment(text: str) -> datetime | None:
    """The moment that the text means, None for no text.

    A day means its end in the book's zone; a time without a zone is in the reader's.
    Raises Faulty at /at.
    """
    plain = text.strip()
    if not plain:
        return None
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        raise Faulty("This is not a moment.", [Fault("/at", ADVICE)]) from None
    if found.year not in YEARS:
        # At the ends of the calendar a zone's offset leads out of it.
        told = f"Write a moment from {YEARS[0]} to {YEARS[-1]}."
        raise Faulty("No book is that old or that young.", [Fault("/at", told)])
    if len(plain) == 10:
        return end_of(found)
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(reader_zone()))


def parse_day(text: str, pointer: str = "/on") -> date | None:
    """The day of the book that the text means, None for no text. Raises Faulty at the pointer."""
    plain = text.strip()
    if not plain:
        return None
    try:
        found = date.fromisoformat(plain)
    except ValueError:
        told = "Write a day such as 2026-10-31."
        raise Faulty("This is not a day.", [Fault(pointer, told)]) from None
    if found.year not in YEARS:
        told = f"Write a day from {YEARS[0]} to {YEARS[-1]}."
        raise Faulty("No book is that old or that young.", [Fault(pointer, told)])
    return found


def end_of(day: datetime) -> datetime:
    """The last instant of a day in the book's zone."""
    following = datetime.combine(day.date() + timedelta(days=1), time(), _book())
    return following - timedelta(microseconds=1)


def usual() -> list[tuple[str, str]]:
    """(words, text) of the moments that are asked for most."""
    today = clock.now().astimezone(_book())
    yesterday = today - timedelta(days=1)
    last_month = today.replace(day=1) - timedelta(days=1)
    return [
        ("End of yesterday", f"{yesterday:%Y-%m-%d}"),
        (f"End of {last_month:%B}", f"{last_month:%Y-%m-%d}"),
    ]


def as_typed(at: datetime | None) -> str:
    """The moment as a field for day and time shows it, in the reader's zone."""
    if at is None:
        return ""
    return at.astimezone(ZoneInfo(reader_zone())).strftime("%Y-%m-%dT%H:%M:%S")


def _book() -> ZoneInfo:
    return ZoneInfo(settings().book_timezone)
