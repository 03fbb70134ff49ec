"""A check of the auditor's file by other means than wrote it, where `bean-check` is not there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

SHOWN_MAX = 20
_OPEN = re.compile(r"(\d{4}-\d\d-\d\d) open (\S+) ([A-Z]{3})")
_BALANCE = re.compile(r"(\d{4}-\d\d-\d\d) balance (\S+) (-?[0-9.]+) ~ 0 ([A-Z]{3})")
_HEAD = re.compile(r"(\d{4}-\d\d-\d\d) \* \"")
_LEG = re.compile(r"  ([A-Z][A-Za-z0-9-]*(?::[A-Za-z0-9_-]+)+)  (-?[0-9.]+) ([A-Z]{3})")


def complaints(lines: Iterable[str]) -> list[str]:
    """What is wrong with a Beancount file, a sentence each, at most 20; empty for a sound one.

    Each account is opened once, with its currency; each transaction sums to zero in each currency,
    without tolerance; each assertion holds as its day begins.
    """
    reading = _Reading()
    for line in lines:
        reading.take(line)
    return reading.end()[:SHOWN_MAX]


class _Reading:
    """The book as the file tells it."""

    def __init__(self) -> None:
        self._currency: dict[str, str] = {}
        self._moved: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._asserted: list[tuple[str, str, Decimal]] = []
        self._said: list[str] = []
        self._day, self._legs = "", list[tuple[Decimal, str]]()

    def take(self, line: str) -> None:
        """Read one line."""
        if leg := _LEG.fullmatch(line):
            self._leg(*leg.groups())
        elif head := _HEAD.match(line):
            self._end_transaction()
            self._day = head[1]
        elif opened := _OPEN.fullmatch(line):
            if opened[2] in self._currency:
                self._said.append(f"{opened[2]} is opened twice.")
            self._currency[opened[2]] = opened[3]
        elif asserted := _BALANCE.fullmatch(line):
            self._asserted.append((asserted[1], asserted[2], Decimal(asserted[3])))

    def _leg(self, account: str, figure: str, currency: str) -> None:
        amount = Decimal(figure)
        if self._currency.get(account) != currency:
            self._said.append(f"{account} is not open for {currency} on {self._day}.")
        self._legs.append((amount, currency))
        self._moved[account][self._day] += amount

    def _end_transaction(self) -> None:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for amount, currency in self._legs:
            sums[currency] += amount
        for currency, rest in sums.items():
            if rest:
                self._said.append(f"A transaction of {self._day} is {rest} {currency} out.")
        self._legs = []

    def end(self) -> list[str]:
        """What was found, with the assertions tried on all that was read."""
        self._end_transaction()
        for day, account, stated in self._asserted:
            moved = self._moved.get(account, {})
            have = sum((amount for on, amount in moved.items() if on < day), Decimal())
            if have != stated:
                self._said.append(
                    f"As {day} begins, {account} has {have}; its statement says {stated}."
                )
        return self._said
