"""Finance's pages: the desk, payout runs, the book, reconciliation.

They show and ask; what may be done, and by whom, is for the slices' verbs to say.
"""

from marketplace.web.finance import (
    account,
    book,
    breaks,
    cash,
    closing,
    csv_mapping,
    desk,
    entries,
    invoices,
    one_break,
    prepare,
    reconciliation,
    refunds,
    reversals,
    run,
    runs,
    schedules,
    search,
    statements,
    tax,
    trial,
)
from marketplace.web.finance.blueprint import finance

__all__ = [
    "account",
    "book",
    "breaks",
    "cash",
    "closing",
    "csv_mapping",
    "desk",
    "entries",
    "finance",
    "invoices",
    "one_break",
    "prepare",
    "reconciliation",
    "refunds",
    "reversals",
    "run",
    "runs",
    "schedules",
    "search",
    "statements",
    "tax",
    "trial",
]
