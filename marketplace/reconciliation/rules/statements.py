"""What a bank's statement says, and the proof that it is whole; pure.

Each format has its own reader; all of them make a `ParsedStatement`, which is believed only after
`proven`: opening balance, plus every booked line, is the closing balance, to the cent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from marketplace.errors import Fault, Faulty
from marketplace.money import Money, total

FILE_BYTES_MAX = 32 * 1024 * 1024
ENTRIES_MAX = 200_000


class StatementRefused(Faulty):
    """A statement file that cannot be believed; nothing of it was stored.

    The message is a sentence that says what is wrong and what to do; the fault's pointer names
    the place in the file, such as `/line/12`.
    """

    code = "statement_refused"

    def __init__(self, message: str, *, line: int | None = None, place: str = "") -> None:
        where = f"Line {line}{f', {place}' if place else ''}: " if line else ""
        pointer = f"/line/{line}" if line else "/file"
        super().__init__(f"{where}{message}", [Fault(pointer, f"{where}{message}")])


class SourceKind(StrEnum):
    """Where a statement comes from, and in which form."""

    CAMT053 = "camt053"
    MT940 = "mt940"
    CSV = "csv"
    STRIPE_BALANCE = "stripe_balance"
    STRIPE_API = "stripe_api"


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """One booked line. amount: negative when money leaves the account.

    bank_reference: the bank's own name for it; end_to_end: the payer's or payee's reference that
    travels with the payment; code: the bank's transaction code; reversal: it takes back an earlier
    line; return_reason: why a payment came back; charges: what the bank kept of it, for
    information, since the amount is what the balance moved by; line: where it stands in the file.
    """

    amount: Money
    booked_on: date
    value_on: date | None = None
    bank_reference: str = ""
    end_to_end: str = ""
    payment_id: str = ""
    code: str = ""
    reversal: bool = False
    return_reason: str = ""
    charges: Money | None = None
    counterparty: str = ""
    counterparty_account: str = ""
    text: str = ""
    line: int = 0

    @property
    def fingerprint(self) -> str:
        """What makes two lines the same, whichever file they came in; hexadecimal SHA-256.

        The bank's own reference says it, with day and amount. Without one, all that a bank
        repeats faithfully does.
        """
        parts = [self.booked_on.isoformat(), str(self.amount.minor), self.amount.currency]
        if self.bank_reference:
            parts += ["ref", self.bank_reference]
        else:
            words = " ".join(self.text.split())
            parts += ["text", self.end_to_end, self.payment_id, self.counterparty_account, words]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One statement of one account. number: its name at the bank; sequence: its place in the
    year's or the account's row of statements, None where the bank gives none; both days count.
    """

    account: str
    opening: Money
    closing: Money
    from_on: date
    to_on: date
    entries: tuple[ParsedEntry, ...]
    number: str = ""
    sequence: int | None = None
    pages: int = 1
    left_out: int = 0
    variant: str = field(default="", compare=False)

    @property
    def currency(self) -> str:
        """The account's currency."""
        return self.opening.currency


def account_key(account: str) -> str:
    """An account's number without what people put between its parts."""
    return "".join(char for char in account.upper() if char.isalnum())


def proven(statement: ParsedStatement) -> ParsedStatement:
    """The statement, if opening balance and lines make the closing balance; StatementRefused."""
    currency = statement.currency
    name = f"Statement {statement.number}" if statement.number else "The statement"
    if statement.closing.currency != currency:
        raise StatementRefused(
            f"{name} opens in {currency} and closes in {statement.closing.currency}. A statement "
            "has one currency; ask the bank for the file of one account."
        )
    for entry in statement.entries:
        if entry.amount.currency != currency:
            raise StatementRefused(
                f"An amount is in {entry.amount.currency} and the account is in {currency}. Ask "
                "the bank for a statement with amounts in the account's currency.",
                line=entry.line or None,
            )
        if entry.booked_on > statement.to_on or entry.booked_on < statement.from_on:
            raise StatementRefused(
                f"It is booked on {entry.booked_on} and {name[0].lower()}{name[1:]} covers "
                f"{statement.from_on} to {statement.to_on}. Ask the bank for the file again.",
                line=entry.line or None,
            )
    moved = total((entry.amount for entry in statement.entries), currency)
    if statement.opening + moved != statement.closing:
        short = statement.closing - statement.opening - moved
        raise StatementRefused(
            f"{name} opens with {statement.opening}, its {len(statement.entries)} lines sum to "
            f"{moved}, and it closes with {statement.closing}: {short} is not explained. Nothing "
            "was stored; ask the bank for the whole file and upload it unchanged."
        )
    return statement


def all_proven(statements: Sequence[ParsedStatement]) -> tuple[ParsedStatement, ...]:
    """Every statement of a file, proven; StatementRefused for a file without any."""
    if not statements:
        raise StatementRefused("There is no statement in this file. Choose the bank's export.")
    if sum(len(each.entries) for each in statements) > ENTRIES_MAX:
        raise StatementRefused(
            f"This file has more than {ENTRIES_MAX:,} lines. Ask the bank for one file a month."
        )
    return tuple(proven(each) for each in statements)


def checked_size(content: bytes) -> bytes:
    """The content, if it is a file that we read; StatementRefused for none and for too much."""
    if not content:
        raise StatementRefused("The file is empty. Export it again and upload it unchanged.")
    if len(content) > FILE_BYTES_MAX:
        mebibytes = FILE_BYTES_MAX // (1024 * 1024)
        raise StatementRefused(
            f"The file is larger than {mebibytes} MiB. Ask the bank for one file a month."
        )
    return content
