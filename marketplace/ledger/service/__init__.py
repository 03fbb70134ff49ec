"""The verbs of the book. `post` is the only way in; each verb is one posting rule.

Every verb returns the transaction's id; the same source with the same content returns the id it
got the first time, with other content raises SourceReused. Too little money raises
InsufficientFunds, a closed month PeriodClosed, an answer to nothing NothingToAnswer.
"""

from marketplace.ledger.service.cash import apply_cash, lock_unapplied, receive_cash, return_cash
from marketplace.ledger.service.custody import record_connected_payout, record_transfer_reversal
from marketplace.ledger.service.disputes import (
    lose_dispute,
    open_dispute,
    win_dispute,
    write_off_receivable,
)
from marketplace.ledger.service.labs import (
    cancel_refund,
    clear_top_up,
    confirm_refund,
    record_top_up,
    record_top_up_fx,
    reserve_refund,
    return_refund,
    return_top_up,
)
from marketplace.ledger.service.periods import (
    begin_closing,
    close_period,
    reopen_period,
    resume_month,
)
from marketplace.ledger.service.platform import (
    adjust,
    classify_fee,
    fund_stripe,
    record_bank_arrival,
    record_platform_payout,
    record_reserve,
    record_stripe_fee,
    record_stripe_funding,
)
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
from marketplace.ledger.service.tax import remit_tax, return_withholding, withhold_tax
from marketplace.ledger.service.verbs import (
    accept_work,
    cancel_payout,
    clear_pay,
    confirm_transfer,
    hold_pay,
    pay_beyond_quote,
    pay_bonus,
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
    "adjust",
    "apply_cash",
    "begin_closing",
    "book_today",
    "cancel_payout",
    "cancel_refund",
    "classify_fee",
    "clear_pay",
    "clear_top_up",
    "close_period",
    "confirm_refund",
    "confirm_transfer",
    "fund_stripe",
    "hold_pay",
    "lock_unapplied",
    "lose_dispute",
    "number_transactions",
    "open_dispute",
    "pay_beyond_quote",
    "pay_bonus",
    "post",
    "receive_cash",
    "record_bank_arrival",
    "record_connected_payout",
    "record_platform_payout",
    "record_reserve",
    "record_stripe_fee",
    "record_stripe_funding",
    "record_top_up",
    "record_top_up_fx",
    "record_transfer_reversal",
    "release_hold",
    "release_reservation",
    "remit_tax",
    "reopen_period",
    "reserve_for_job",
    "reserve_payout",
    "reserve_refund",
    "resume_month",
    "return_cash",
    "return_refund",
    "return_top_up",
    "return_withholding",
    "reverse_pay",
    "transaction_of",
    "win_dispute",
    "withhold_tax",
    "write_off_receivable",
]
