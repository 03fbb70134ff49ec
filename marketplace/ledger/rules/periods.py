"""The life of a month of the book."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class PeriodState(StrEnum):
    """What a month takes: everything while open or reopened; what two people decided, and what
    fees were for, while it is closing; nothing once it is closed."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    REOPENED = "reopened"


NEXT_PERIOD: Mapping[PeriodState, frozenset[PeriodState]] = {
    PeriodState.OPEN: frozenset({PeriodState.CLOSING, PeriodState.CLOSED}),
    PeriodState.CLOSING: frozenset({PeriodState.OPEN, PeriodState.CLOSED}),
    PeriodState.CLOSED: frozenset({PeriodState.REOPENED}),
    PeriodState.REOPENED: frozenset({PeriodState.CLOSING, PeriodState.CLOSED}),
}
