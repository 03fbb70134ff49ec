"""Stripe's itemised report of balance changes (CSV): what each day's lines count and sum; pure.

Amounts stand in major units there, unlike everywhere else at Stripe.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from marketplace.money import EXPONENT, Money
from marketplace.reconciliation.rules.statements import StatementRefused, checked_size

ID, CREATED, CURRENCY = "balance_transaction_id", "created_utc", "currency"
GROSS, FEE, NET = "gross", "fee", "net"
NEEDED = (ID, CURRENCY, GROSS, FEE, NET)
LINES_MAX = 2_000_000


@dataclass(slots=True)
class ReportDay:
    """One day of UTC in one currency; amounts in minor units of ISO 4217."""

    on_day: date
    currency: str
    line_count: int = 0
    gross: int = 0
    fee: int = 0
    net: int = 0


def read(content: bytes) -> list[ReportDay]:
    """The report's days, in order; StatementRefused for what is no such report, or says a line
    twice, or whose net is not gross less fee."""
    try:
        text = checked_size(content).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StatementRefused("The report is not UTF-8. Download it again.") from None
    reader = csv.DictReader(text.splitlines(), strict=True)
    created = CREATED if CREATED in (reader.fieldnames or ()) else "created"
    missing = [name for name in (*NEEDED, created) if name not in (reader.fieldnames or ())]
    if missing:
        raise StatementRefused(
            f"There is no column “{missing[0]}”. Choose Stripe's itemised report of balance "
            "changes from activity, with its default columns."
        )
    days: dict[tuple[date, str], ReportDay] = {}
    seen: set[str] = set()
    try:
        for row in reader:
            _add(days, seen, row, created, reader.line_num)
    except csv.Error as broken:
        raise StatementRefused(
            f"The row cannot be read ({broken}). Download the report again.", line=reader.line_num
        ) from None
    if not seen:
        raise StatementRefused("The report has no lines. Choose one that covers some days.")
    return [days[key] for key in sorted(days)]


def _add(
    days: dict[tuple[date, str], ReportDay],
    seen: set[str],
    row: Mapping[str, str | None],
    created: str,
    line: int,
) -> None:
    name, currency = row[ID] or "", (row[CURRENCY] or "").upper()
    if not name or None in row.values() or name in seen or len(seen) >= LINES_MAX:
        raise StatementRefused(
            f"The row of {name or 'no balance transaction'} is cut short, is there twice, or is "
            "one too many. Download the report again.",
            line=line,
        )
    seen.add(name)
    gross, fee, net = (_minor(row[column], currency, column, line) for column in (GROSS, FEE, NET))
    if net != gross - fee:
        raise StatementRefused(f"{name}: net is not gross less fee.", line=line)
    try:
        on = datetime.fromisoformat((row[created] or "").replace(" UTC", "")).date()
    except ValueError:
        raise StatementRefused(f"“{row[created]}” is no moment.", line=line) from None
    day = days.setdefault((on, currency), ReportDay(on, currency))
    day.line_count += 1
    day.gross += gross
    day.fee += fee
    day.net += net


def _minor(text: str | None, currency: str, column: str, line: int) -> int:
    if currency not in EXPONENT:
        raise StatementRefused(f"The currency is {currency or 'not stated'}.", line=line)
    try:
        figure = Decimal(text or "").scaleb(EXPONENT[currency])
        if figure != figure.to_integral_value():
            raise InvalidOperation
        return Money(int(figure), currency).minor
    except (InvalidOperation, ValueError, OverflowError):
        raise StatementRefused(
            f"“{text}” is no amount of {currency}.", line=line, place=f"column “{column}”"
        ) from None
