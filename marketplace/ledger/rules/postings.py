"""What a posting is, and what makes two of them the same."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from marketplace.ledger.rules.accounts import AccountSpec
from marketplace.money import Money, zero

# A line break would let two different contents read the same under the hash.
_PLAIN = re.compile(r"[\x20-\x7e]*")


class Unbalanced(AssertionError):
    """Legs that do not sum to zero, or fewer than two: our fault, never the user's."""


class NothingToPost(ValueError):
    """An amount that must be positive is not: the caller has nothing to post."""


class SourceKind(StrEnum):
    """The rule that a transaction was posted under; with `source_id` it posts once."""

    TOP_UP = "top_up"
    RESERVE = "reserve"
    RELEASE = "release"
    ACCEPT = "accept"
    CLEAR = "clear"
    HOLD = "hold"
    UNHOLD = "unhold"
    PAYOUT_RESERVE = "payout_reserve"
    PAYOUT_CANCEL = "payout_cancel"
    TRANSFER = "transfer"
    SURPLUS = "surplus"
    CANNOT_COMPLETE = "cannot_complete"
    OVERTURNED = "overturned"
    REVERSE = "revaccept"
    NET = "net_receivable"
    CLEAR_TOP_UP = "clear_top_up"
    TOP_UP_RETURN = "top_up_return"
    TOP_UP_FX = "top_up_fx"
    CASH_IN = "cash_in"
    APPLY_CASH = "apply_cash"
    RETURN_CASH = "return_cash"
    FUND_STRIPE = "fund_stripe"
    STRIPE_FUNDED = "stripe_funded"
    BONUS = "bonus"
    PO_CREATED = "po_created"
    PO_PAID = "po_paid"
    PO_FAILED = "po_failed"
    PO_RETURNED = "po_returned"
    PO_REVERSED = "po_reversed"
    TRANSFER_REVERSAL = "transfer_reversal"
    REFUND = "refund"
    REFUND_SENT = "refund_sent"
    REFUND_CANCEL = "refund_cancel"
    REFUND_FAILED = "refund_failed"
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    WRITE_OFF = "write_off"
    NET_LAB = "net_lab"
    TO_BANK = "to_bank"
    TO_BANK_FAILED = "to_bank_failed"
    BANK_ARRIVAL = "bank_arrival"
    STRIPE_FEE = "stripe_fee"
    FEE_CLASS = "fee_class"
    STRIPE_RESERVE = "stripe_reserve"
    ADJUSTMENT = "adjustment"
    WITHHOLDING = "withholding"
    WITHHOLDING_BACK = "withholding_back"
    TAX_REMITTED = "tax_remitted"
    FLOOR_TOP_UP = "floor_top_up"
    REVIEW_PAY = "review_pay"
    QUALIFICATION_PAY = "qualification_pay"


# A source of one of these kinds ends in one way only; indexes of the database hold that.
ENDS: Mapping[str, tuple[SourceKind, ...]] = {
    "line_end": (SourceKind.PAYOUT_CANCEL, SourceKind.TRANSFER),
    "refund_end": (SourceKind.REFUND_SENT, SourceKind.REFUND_CANCEL),
    "dispute_end": (SourceKind.DISPUTE_WON, SourceKind.DISPUTE_LOST),
    "po_end": (SourceKind.PO_PAID, SourceKind.PO_FAILED),
    "po_back": (SourceKind.PO_RETURNED, SourceKind.PO_REVERSED),
}


class HoldReason(StrEnum):
    """Why pay is held; a code, since the book keeps no sentences about people."""

    REVIEW = "review"
    IDENTITY = "identity"
    SANCTIONS = "sanctions"
    DISPUTE = "dispute"
    PAYEE_CHANGED = "payee_changed"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a transaction: a positive amount debits the account, a negative one credits."""

    account: AccountSpec
    amount: Money


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction to be.

    source_id: what it is posted for, unique within its kind; balance_transaction_id: Stripe's
    `txn_…` where one stands behind it; facts: ids and codes, part of the content.
    Raises Unbalanced and ValueError for what can never be posted.
    """

    kind: SourceKind
    source_id: str
    legs: tuple[Leg, ...]
    balance_transaction_id: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.legs) < 2:
            raise Unbalanced(f"{self.kind} {self.source_id} has fewer than two legs.")
        sums: dict[str, int] = defaultdict(int)
        for leg in self.legs:
            if leg.amount.currency != leg.account.currency:
                raise Unbalanced(f"{leg.account.code} does not take {leg.amount.currency}.")
            if not leg.amount:
                raise NothingToPost(f"{self.kind} {self.source_id} has a leg of nothing.")
            sums[leg.amount.currency] += leg.amount.minor
        if any(sums.values()):
            raise Unbalanced(f"{self.kind} {self.source_id} does not sum to zero: {dict(sums)}.")
        for text in (self.source_id, *self.facts, *self.facts.values()):
            if not _PLAIN.fullmatch(text):
                raise ValueError(f"{text!r} is not plain enough for the book.")

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of what is posted; the same text is made by `ledger_content_hash` in SQL."""
        lines = [self.kind.value, self.source_id, self.balance_transaction_id or ""]
        lines += [f"{key}={value}" for key, value in sorted(self.facts.items())]
        legs = sorted((leg.account.code, leg.amount.minor) for leg in self.legs)
        lines += [f"{code} {minor}" for code, minor in legs]
        return hashlib.sha256("\n".join(lines).encode()).digest()


def demands(posting: Posting) -> dict[str, int]:
    """What a posting takes from each of its accounts, in minor units on the account's own side,
    by code in order; zero for those that have no floor or that it gives to."""
    change: dict[str, int] = {}
    for leg in posting.legs:
        account = leg.account
        moved = -account.side * leg.amount.minor if account.floor else 0
        change[account.code] = change.get(account.code, 0) + moved
    return {code: max(0, change[code]) for code in sorted(change)}


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An account that has less than a posting takes from it."""

    account: AccountSpec
    available: Money
    needed: Money


def shortfalls(posting: Posting, balances: Mapping[str, int]) -> list[Shortfall]:
    """The accounts with a floor that this posting would overdraw, in the order of their codes.

    balances: minor units by account code, on each account's own side; absent means nothing.
    """
    change: dict[AccountSpec, Money] = {}
    for leg in posting.legs:
        account = leg.account
        if account.floor:
            change[account] = change.get(account, zero(account.currency)) + leg.amount
    short = []
    for account, amount in sorted(change.items(), key=lambda pair: pair[0].code):
        needed = amount * -account.side
        available = Money(balances.get(account.code, 0), account.currency)
        if needed.minor > 0 and needed > available:
            short.append(Shortfall(account, available, needed))
    return short
