"""The platform's own bank: accounts into which payouts, top-ups and labs' wires are booked.

Its clock is the sandbox's, so what is booked today stands under today's virtual date. A day with
movements has one statement, numbered without a gap; the formats are camt.053, MT940 and CSV.
"""

from __future__ import annotations

from marketplace.sandbox.bank.form import Statement
from marketplace.sandbox.bank.lines import (
    ACCOUNTS,
    CLIENT_FUNDS,
    OPERATING,
    Line,
    account_number,
    book,
    currencies_of,
)
from marketplace.sandbox.bank.statements import (
    FORMATS,
    balance_of,
    render,
    statements,
)

__all__ = [
    "ACCOUNTS",
    "CLIENT_FUNDS",
    "FORMATS",
    "OPERATING",
    "Line",
    "Statement",
    "account_number",
    "balance_of",
    "book",
    "currencies_of",
    "render",
    "statements",
]
