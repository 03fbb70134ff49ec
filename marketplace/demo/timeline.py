"""The calendar of the demonstration: moments before now, and living at one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace import clock


@dataclass(frozen=True, slots=True)
class Timeline:
    """Days and hours counted back from `anchor`, which is now in UTC."""

    anchor: datetime

    def on(self, days_ago: int, hour: int = 0, minute: int = 0) -> datetime:
        """A time of day, so many days before the anchor's day."""
        midnight = self.anchor.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=-days_ago, hours=hour, minutes=minute)

    def hours_ago(self, hours: float) -> datetime:
        """So many hours before the anchor."""
        return self.anchor - timedelta(hours=hours)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Live at `moment` for a while; the clock goes on from there."""
    with clock.shifted(moment - clock.now()):
        yield
