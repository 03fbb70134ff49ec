"""A bank's CSV export, read by a mapping that finance staff keep for each account; pure.

No two banks agree, so nothing is guessed when money is read: the mapping says what each column
means, and `preview` shows the first rows as they would be read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from marketplace.money import EXPONENT, Money
from marketplace.reconciliation.rules.statements import (
    ENTRIES_MAX,
    ParsedEntry,
    ParsedStatement,
    StatementRefused,
    checked_size,
    proven,
)

ENCODINGS = ("utf-8", "cp1252", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
CELL_MAX = 4_000
COLUMNS_MAX = 200
ROWS_SHOWN = 10


class DateOrder(StrEnum):
    """In which order day, month and year stand."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What the columns of one bank's export mean; names are those of its header row.

    Exactly one way to write amounts: `amount` alone with a sign, `amount` with `sign` and the
    words that mark money leaving (`debit_words`), or `credit` and `debit`. `balance`: the running
    balance after each row, which proves the file; without it the two balances are typed in.
    """

    booked_on: str
    amount: str = ""
    credit: str = ""
    debit: str = ""
    sign: str = ""
    debit_words: tuple[str, ...] = ()
    balance: str = ""
    value_on: str = ""
    currency: str = ""
    account: str = ""
    reference: str = ""
    end_to_end: str = ""
    counterparty: str = ""
    counterparty_account: str = ""
    text: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal_mark: str = "."
    date_order: DateOrder = DateOrder.YMD
    skip_lines: int = 0
    newest_first: bool = False

    def __post_init__(self) -> None:
        ways = [bool(self.amount), bool(self.credit or self.debit)]
        if sum(ways) != 1 or (self.sign and not self.amount):
            raise StatementRefused(
                "Name one column with signed amounts, or one for money in and one for money out."
            )
        if self.sign and not self.debit_words:
            raise StatementRefused(
                f"Say which words in “{self.sign}” mark money leaving, such as D or Debit."
            )
        if not self.booked_on:
            raise StatementRefused("Name the column with the booking date.")
        plain = self.delimiter in DELIMITERS and self.encoding in ENCODINGS
        if not plain or self.decimal_mark not in {".", ","} or not 0 <= self.skip_lines <= 100:
            raise StatementRefused("Delimiter, encoding, decimal mark or lines to skip are wrong.")

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> ColumnMapping:
        """The mapping that `as_json` wrote; StatementRefused for anything else."""
        known = {name: value for name, value in stored.items() if name in cls.__slots__}
        for name in ("debit_words", "text"):
            known[name] = tuple(known.get(name) or ())
        try:
            known["date_order"] = DateOrder(known.get("date_order", DateOrder.YMD))
            return cls(**known)
        except (TypeError, ValueError):
            raise StatementRefused("The mapping is not complete; save it again.") from None

    def as_json(self) -> dict[str, Any]:
        """The mapping as plain data, for keeping."""
        made: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return made | {
            "debit_words": list(self.debit_words),
            "text": list(self.text),
            "date_order": self.date_order.value,
        }

    def columns(self) -> list[str]:
        """Every column that the mapping names."""
        named = [self.booked_on, self.amount, self.credit, self.debit, self.sign, self.balance]
        named += [self.value_on, self.currency, self.account, self.reference, self.end_to_end]
        named += [self.counterparty, self.counterparty_account, *self.text]
        return [name for name in named if name]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file. entries: how they would be read; fault: why they cannot be."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    entries: tuple[ParsedEntry, ...] = ()
    fault: str = ""
    guessed: Mapping[str, str] = field(default_factory=dict)


def decoded(content: bytes, encoding: str) -> str:
    """The text; StatementRefused where the bytes are of another encoding."""
    try:
        return checked_size(content).decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except (UnicodeDecodeError, UnicodeError):
        raise StatementRefused(
            f"The file is not written in {encoding}. Choose another encoding in its mapping."
        ) from None


def guessed_form(content: bytes) -> tuple[str, str]:
    """Encoding and delimiter that fit, for a first preview; people confirm them."""
    encoding = "utf-8"
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    else:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            encoding = "cp1252"
    lines = decoded(content, encoding).splitlines()[:20]
    counts = {mark: sorted(line.count(mark) for line in lines) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: counts[mark][len(counts[mark]) // 2] if lines else 0)
    return encoding, best


def preview(content: bytes, mapping: ColumnMapping | None = None, currency: str = "USD") -> Preview:
    """The first rows, as they stand and, with a mapping, as they would be read."""
    encoding, delimiter = guessed_form(content)
    if mapping is not None:
        encoding, delimiter = mapping.encoding, mapping.delimiter
    skip = mapping.skip_lines if mapping else 0
    rows = _rows(decoded(content, encoding), delimiter, skip)
    first = [cells for _, cells in _first(rows, ROWS_SHOWN + 1)]
    header, shown = (first[0], first[1:]) if first else ((), [])
    found = Preview(header, tuple(shown), guessed={"encoding": encoding, "delimiter": delimiter})
    if mapping is None:
        return found
    try:
        entries = tuple(_first(_entries(content, mapping, currency), ROWS_SHOWN))
    except StatementRefused as refused:
        return Preview(header, tuple(shown), (), refused.message, found.guessed)
    return Preview(header, tuple(shown), tuple(row.entry for row in entries), "", found.guessed)


def _first(rows: Iterator[Any], count: int) -> list[Any]:
    return [row for row, _ in zip(rows, range(count), strict=False)]


def _rows(text: str, delimiter: str, skip: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each row that is not empty, with its line's number, from the header on."""
    lines = text.splitlines(keepends=True)[skip:]
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if len(cells) > COLUMNS_MAX or any(len(cell) > CELL_MAX for cell in cells):
                raise StatementRefused("The row is too long.", line=reader.line_num + skip)
            if any(cell.strip() for cell in cells):
                yield reader.line_num + skip, tuple(cell.strip() for cell in cells)
    except csv.Error as broken:
        raise StatementRefused(
            f"The row cannot be read ({broken}). Choose the delimiter that the bank uses.",
            line=reader.line_num + skip,
        ) from None


@dataclass(frozen=True, slots=True)
class _Row:
    entry: ParsedEntry
    balance: Money | None
    account: str


def _entries(content: bytes, mapping: ColumnMapping, currency: str) -> Iterator[_Row]:
    rows = _rows(decoded(content, mapping.encoding), mapping.delimiter, mapping.skip_lines)
    line, header = next(rows, (1, ()))
    missing = [name for name in mapping.columns() if name not in header]
    if missing:
        raise StatementRefused(
            f"There is no column “{missing[0]}”; the columns are {', '.join(header)[:300]}. "
            "Choose the bank's export that this mapping was made for, or save a new mapping.",
            line=line,
        )
    twice = [name for name in mapping.columns() if header.count(name) > 1]
    if twice:
        raise StatementRefused(f"Two columns are called “{twice[0]}”.", line=line)
    for number, cells in rows:
        if len(cells) != len(header):
            raise StatementRefused(
                f"The row has {len(cells)} columns and the header {len(header)}. Export the file "
                "again and upload it unchanged.",
                line=number,
            )
        yield _row(dict(zip(header, cells, strict=True)), mapping, currency, number)


def _row(cells: Mapping[str, str], mapping: ColumnMapping, currency: str, line: int) -> _Row:
    stated = cells.get(mapping.currency, "").upper() if mapping.currency else currency
    if stated != currency:
        raise StatementRefused(
            f"The row is in {stated or 'no currency'} and the account is in {currency}.",
            line=line,
            place=f"column “{mapping.currency}”",
        )
    value = cells.get(mapping.value_on, "") if mapping.value_on else ""
    entry = ParsedEntry(
        amount=_amount_of(cells, mapping, currency, line),
        booked_on=_day(cells[mapping.booked_on], mapping, line, mapping.booked_on),
        value_on=_day(value, mapping, line, mapping.value_on) if value else None,
        bank_reference=cells.get(mapping.reference, ""),
        end_to_end=cells.get(mapping.end_to_end, ""),
        counterparty=cells.get(mapping.counterparty, ""),
        counterparty_account=cells.get(mapping.counterparty_account, ""),
        text=" ".join(cells[name] for name in mapping.text if cells[name]),
        line=line,
    )
    balance = None
    if mapping.balance:
        balance = _money(cells[mapping.balance], mapping, currency, line, mapping.balance)
    return _Row(entry, balance, cells.get(mapping.account, "") if mapping.account else "")


def _amount_of(cells: Mapping[str, str], mapping: ColumnMapping, currency: str, line: int) -> Money:
    if mapping.amount:
        amount = _money(cells[mapping.amount], mapping, currency, line, mapping.amount)
        if not mapping.sign:
            return amount
        leaves = cells[mapping.sign].lower() in {word.lower() for word in mapping.debit_words}
        if amount.minor < 0:
            raise StatementRefused("The amount has a sign beside its mark.", line=line)
        return -amount if leaves else amount
    written = {name: cells[name] for name in (mapping.credit, mapping.debit) if name}
    filled = {name: text for name, text in written.items() if text and not _is_nothing(text)}
    if len(filled) != 1:
        raise StatementRefused(
            "The row must have an amount in exactly one of the columns for money in and out.",
            line=line,
        )
    ((name, text),) = filled.items()
    amount = _money(text, mapping, currency, line, name)
    # Some banks write money out as a negative figure in its own column.
    return -Money(abs(amount.minor), currency) if name == mapping.debit else amount


def _is_nothing(text: str) -> bool:
    return not text.strip("0., -")


def _money(text: str, mapping: ColumnMapping, currency: str, line: int, column: str) -> Money:
    other = "," if mapping.decimal_mark == "." else "."
    plain = re.sub(r"[\s\u00a0\u202f'\u2019]", "", text)
    plain = plain.removesuffix(currency).removeprefix(currency)
    negative = plain.startswith(("-", "(")) or plain.endswith("-")
    plain = plain.strip("+-()")
    mark = re.escape(mapping.decimal_mark)
    if not re.fullmatch(rf"(\d{{1,3}}({re.escape(other)}\d{{3}})+|\d{{1,15}})({mark}\d+)?", plain):
        raise StatementRefused(
            f"“{text[:30]}” is no amount with “{mapping.decimal_mark}” before the decimals.",
            line=line,
            place=f"column “{column}”",
        )
    figure = Decimal(plain.replace(other, "").replace(mapping.decimal_mark, "."))
    minor = figure.scaleb(EXPONENT[currency])
    if minor != minor.to_integral_value():
        raise StatementRefused(
            f"“{text[:30]}” has more decimals than {currency}, which has {EXPONENT[currency]}.",
            line=line,
            place=f"column “{column}”",
        )
    return Money(-int(minor) if negative else int(minor), currency)


def _day(text: str, mapping: ColumnMapping, line: int, column: str) -> date:
    found = re.match(r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})(?:$|[T ])", text)
    packed = re.match(r"(\d{4})(\d{2})(\d{2})$", text)
    parts = found or packed
    try:
        if parts is None:
            raise ValueError
        one, two, three = (int(part) for part in parts.groups())
        order = DateOrder.YMD if packed else mapping.date_order
        if order is DateOrder.YMD:
            return date(one, two, three)
        year = three + 2000 if three < 100 else three
        return date(year, two, one) if order is DateOrder.DMY else date(year, one, two)
    except ValueError:
        raise StatementRefused(
            f"“{text[:30]}” is no day in the order {'-'.join(mapping.date_order.value)}.",
            line=line,
            place=f"column “{column}”",
        ) from None


def read(
    content: bytes,
    mapping: ColumnMapping,
    *,
    account: str,
    currency: str,
    opening: Money | None = None,
    closing: Money | None = None,
) -> ParsedStatement:
    """The file's statement, proven by its running balance or by the two balances given.

    account and currency: the source's, which the file's own columns must agree with.
    """
    rows = list(_first(_entries(content, mapping, currency), ENTRIES_MAX + 1))
    if not rows:
        raise StatementRefused("There is no row below the header. Choose the bank's export.")
    if mapping.newest_first:
        rows.reverse()
    for row in rows:
        if row.account and _plain(row.account) != _plain(account):
            raise StatementRefused(
                f"The row is of account {row.account} and this is for {account}.",
                line=row.entry.line,
            )
    opening, closing = _balances(rows, opening, closing)
    booked = [row.entry.booked_on for row in rows]
    return proven(
        ParsedStatement(
            account=account,
            opening=opening,
            closing=closing,
            from_on=min(booked),
            to_on=max(booked),
            entries=tuple(row.entry for row in rows),
            variant="csv",
        )
    )


def _plain(account: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", account.upper())


def _balances(
    rows: Sequence[_Row], opening: Money | None, closing: Money | None
) -> tuple[Money, Money]:
    """The two balances: as typed in, else as the running balance says, each row proven."""
    running = rows[0].balance
    if running is None:
        if opening is None or closing is None:
            raise StatementRefused(
                "This bank's export has no running balance. Type in the opening and the closing "
                "balance that the bank shows, so that the file can be proven whole."
            )
        return opening, closing
    before = running - rows[0].entry.amount
    running = before
    for row in rows:
        running = running + row.entry.amount
        if row.balance != running:
            raise StatementRefused(
                f"The balance after this row is {row.balance} and should be {running}: a row is "
                "missing, was changed, or the rows stand in another order than the mapping says.",
                line=row.entry.line,
            )
    for typed, found, name in ((opening, before, "opening"), (closing, running, "closing")):
        if typed is not None and typed != found:
            raise StatementRefused(
                f"You typed {typed} as the {name} balance and the file says {found}."
            )
    return before, running
