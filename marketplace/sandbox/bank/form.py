"""What a statement holds, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from marketplace.sandbox.currencies import exponent


@dataclass(frozen=True)
class Booked:
    """One line as booked; amount and charges in minor units."""

    number: int
    amount: int
    booked_on: date
    value_on: date
    kind: str
    reference: str
    counterparty: str
    charges: int

    @property
    def bank_reference(self) -> str:
        """The bank's own reference of the line."""
        return f"SBX{self.number:010d}"


@dataclass(frozen=True)
class Statement:
    """One day of one account; opening plus lines is closing."""

    account: str
    currency: str
    number: int
    on: date
    opening: int
    closing: int
    lines: tuple[Booked, ...]


def figure(amount: int, currency: str, point: str = ".") -> str:
    """The amount without its sign, in whole units with the currency's decimal places."""
    return f"{Decimal(abs(amount)).scaleb(-exponent(currency)):f}".replace(".", point)


def signed(amount: int, currency: str) -> str:
    """The amount with its sign."""
    return ("-" if amount < 0 else "") + figure(amount, currency)
