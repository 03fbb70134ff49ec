"""CSV, as the bank's web page exports it: newest last, one line each, with the running balance."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from marketplace.sandbox.bank.form import Statement, signed

COLUMNS = (
    "Booking date",
    "Value date",
    "Counterparty",
    "Reference",
    "Amount",
    "Currency",
    "Charges",
    "Balance",
    "Bank reference",
)


def write(statements: Sequence[Statement]) -> str:
    """The lines of all days under one header."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(COLUMNS)
    for statement in statements:
        balance = statement.opening
        for line in statement.lines:
            balance += line.amount
            writer.writerow(
                (
                    line.booked_on.isoformat(),
                    line.value_on.isoformat(),
                    line.counterparty,
                    line.reference,
                    signed(line.amount, statement.currency),
                    statement.currency.upper(),
                    signed(line.charges, statement.currency),
                    signed(balance, statement.currency),
                    line.bank_reference,
                )
            )
    return made.getvalue()
