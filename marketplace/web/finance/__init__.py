"""Finance's pages: the desk, payout runs, the book, reconciliation.

They show and ask; what may be done, and by whom, is for the slices' verbs to say.
"""

from marketplace.web.finance import (
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
)
from marketplace.web.finance.blueprint import finance

__all__ = [
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
]
