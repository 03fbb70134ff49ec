"""The verbs of the book. `post` is the only way in; each verb is one posting rule.

Every verb returns the transaction's id; the same source with the same content returns the id it
got the first time, with other content raises SourceReused. Too little money raises
InsufficientFunds, a closed month PeriodClosed.
"""

from marketplace.ledger.service.periods import close_period
from marketplace.ledger.service.posting import (
    InsufficientFunds,
    NothingToAnswer,
    PeriodClosed,
    SourceReused,
    book_today,
    post,
    transaction_of,
)
from marketplace.ledger.service.reversing import reverse_pay
from marketplace.ledger.service.sequence import number_transactions
from marketplace.ledger.service.verbs import (
    accept_work,
    cancel_payout,
    clear_pay,
    confirm_transfer,
    hold_pay,
    pay_beyond_quote,
    record_top_up,
    release_hold,
    release_reservation,
    reserve_for_job,
    reserve_payout,
)

__all__ = [
    "InsufficientFunds",
    "NothingToAnswer",
    "PeriodClosed",
    "SourceReused",
    "accept_work",
    "book_today",
    "cancel_payout",
    "clear_pay",
    "close_period",
    "confirm_transfer",
    "hold_pay",
    "number_transactions",
    "pay_beyond_quote",
    "post",
    "record_top_up",
    "release_hold",
    "release_reservation",
    "reserve_for_job",
    "reserve_payout",
    "reverse_pay",
    "transaction_of",
]
