"""Months of the book, and the list of what must be so before one is closed."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from marketplace.errors import Conflict, Denied, Missing

_MONTH = re.compile(r"(\d{4})-(\d\d)")


class CheckCode(StrEnum):
    """One thing that must be so before a month is closed."""

    OVER = "over"
    SOURCES = "sources"
    BREAKS = "breaks"
    UNKNOWN = "unknown"
    SUSPENSE = "suspense"
    INVARIANTS = "invariants"
    BEANCOUNT = "beancount"
    NUMBERED = "numbered"


CHECK_LABELS = {
    CheckCode.OVER: "The month is over",
    CheckCode.SOURCES: "All sources are complete",
    CheckCode.BREAKS: "No high break is undecided",
    CheckCode.UNKNOWN: "No payout line is unknown",
    CheckCode.SUSPENSE: "Suspense is zero, or carried by approved breaks",
    CheckCode.INVARIANTS: "The book’s invariants hold",  # noqa: RUF001 - people read this.
    CheckCode.BEANCOUNT: "The auditor’s file is accepted",  # noqa: RUF001
    CheckCode.NUMBERED: "Every transaction is numbered and chained",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist. missing: a sentence for each thing in the way; said: what was
    looked at, in a few words.
    """

    code: CheckCode
    said: str
    missing: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is in the way."""
        return not self.missing

    @property
    def label(self) -> str:
        """What must be so."""
        return CHECK_LABELS[self.code]

    def as_json(self) -> dict[str, Any]:
        """As the close keeps it."""
        return asdict(self) | {"missing": list(self.missing), "label": self.label, "ok": self.ok}


class NotReady(Conflict):
    """The month cannot be closed yet; checks: the lines of the checklist that are in the way."""

    code = "month_not_ready"

    def __init__(self, checks: list[Check]) -> None:
        first = "; ".join(check.missing[0].rstrip(".") for check in checks)
        super().__init__(f"The month cannot be closed yet: {first}.")
        self.checks = checks


class OwnReopening(Denied):
    """Who asked to open a month again does not approve it."""

    code = "own_reopening"


def month_of(text: str) -> date:
    """The first day of a month written as `2026-10`; Missing for what is no month."""
    found = _MONTH.fullmatch(text)
    if found is not None and 1 <= int(found[2]) <= 12 and 2000 <= int(found[1]) <= 2100:
        return date(int(found[1]), int(found[2]), 1)
    raise Missing("There is no such month. Write it as in 2026-10.")


def last_day(month: date) -> date:
    """The last day of a month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
