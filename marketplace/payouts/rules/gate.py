"""When nothing may be sent: until what a restored database lacks has been looked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

FRESH = timedelta(minutes=10)
# How far before the newest attempt that we know transfers are compared: longer than any key lives.
OVERLAP = timedelta(hours=26)


class GateState(StrEnum):
    """Whether lines are sent."""

    OPEN = "open"
    CLOSED = "closed"


def comparison_due(seen: datetime | None, stored: datetime | None, now: datetime) -> bool:
    """Whether transfers must be compared before the next line is sent.

    seen: when they were, as this process last read it from the database, None for a process that
    has just begun; stored: what the database says now. A stored time before the seen one means
    that the database was restored.
    """
    if seen is None or stored is None or stored < seen:
        return True
    return now >= stored + FRESH
