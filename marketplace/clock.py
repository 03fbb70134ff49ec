"""The one clock: aware UTC, and the book's calendar for effective dates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_shift = timedelta(0)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC) + _shift


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Live `by` later (or earlier) for a while; shifts add up. For tests and demonstrations."""
    global _shift  # noqa: PLW0603 - one process has one clock.
    before = _shift
    _shift = before + by
    try:
        yield
    finally:
        _shift = before


@cache
def zones() -> frozenset[str]:
    """All IANA zones that the system knows; read once, since each reading walks its folders."""
    return frozenset(available_timezones())


def book_day(at: datetime, zone: str) -> date:
    """The calendar day of `at` in the book's zone (an IANA name); it decides `effective_on`."""
    return at.astimezone(ZoneInfo(zone)).date()
