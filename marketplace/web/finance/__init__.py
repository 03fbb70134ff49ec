"""Finance's pages: the desk, payout runs, the book, reconciliation.

They show and ask; what may be done, and by whom, is for the slices' verbs to say.
"""

from marketplace.web.finance import book, desk, reconciliation, run, runs, tax
from marketplace.web.finance.blueprint import finance

__all__ = ["book", "desk", "finance", "reconciliation", "run", "runs", "tax"]
