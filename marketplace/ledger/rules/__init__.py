"""The rules of the book, pure: its accounts, what a posting is, and the legs of each rule."""

from marketplace.ledger.rules.accounts import (
    CREDIT,
    DEBIT,
    AccountKind,
    AccountSpec,
    platform_fee,
    side_of,
    stripe_balance,
    stripe_processing,
)
from marketplace.ledger.rules.postings import (
    HoldReason,
    Leg,
    NothingToPost,
    Posting,
    SourceKind,
    Unbalanced,
    shortfalls,
)

__all__ = [
    "CREDIT",
    "DEBIT",
    "AccountKind",
    "AccountSpec",
    "HoldReason",
    "Leg",
    "NothingToPost",
    "Posting",
    "SourceKind",
    "Unbalanced",
    "platform_fee",
    "shortfalls",
    "side_of",
    "stripe_balance",
    "stripe_processing",
]
