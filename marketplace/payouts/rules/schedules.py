"""When a run is drafted by itself: each week or month, at eight in the book's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

AT = time(8)


class Every(StrEnum):
    """How often a run is drafted."""

    WEEK = "week"
    MONTH = "month"


def next_draft(every: Every, on_day: int, zone: str, after: datetime) -> datetime:
    """The first eight o'clock of such a day strictly after a moment; aware UTC.

    on_day: 1 (Monday) to 7 of a week, 1 to 28 of a month; zone: the book's, in IANA's name. Where
    a change of the clocks leaves out eight o'clock, the moment as if it had not is taken.
    """
    day = after.astimezone(ZoneInfo(zone)).date()
    while True:
        if _falls(every, on_day, day):
            at = datetime.combine(day, AT, ZoneInfo(zone)).astimezone(UTC)
            if at > after:
                return at
        day += timedelta(days=1)


def _falls(every: Every, on_day: int, day: date) -> bool:
    return (day.isoweekday() if every is Every.WEEK else day.day) == on_day
