"""The top-up's lifecycle, what may be asked for, and when to ask Stripe again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from marketplace.errors import Fault, Faulty
from marketplace.money import Money


class TopUpState(StrEnum):
    """Where a top-up stands; `LABELS` has the word for each."""

    REQUESTED = "requested"
    CHECKOUT_OPEN = "checkout_open"
    SETTLING = "settling"
    POSTED = "posted"
    FAILED = "failed"
    EXPIRED = "expired"
    CLEARING = "clearing"
    RETURNED = "returned"


_REQUESTED, _OPEN, _SETTLING, _POSTED, _FAILED, _EXPIRED, _CLEARING, _RETURNED = TopUpState
LABELS: Mapping[TopUpState, str] = {
    _REQUESTED: "Opening checkout",
    _OPEN: "Waiting for payment",
    _SETTLING: "Settling",
    _POSTED: "In your balance",
    _FAILED: "Failed",
    _EXPIRED: "Expired",
    _CLEARING: "Pending",
    _RETURNED: "Taken back by the bank",
}
# Money that Stripe took is followed to its posting, even where we had given the checkout up.
NEXT: Mapping[TopUpState, frozenset[TopUpState]] = {
    _REQUESTED: frozenset({_OPEN, _SETTLING, _FAILED, _EXPIRED}),
    _OPEN: frozenset({_SETTLING, _FAILED, _EXPIRED}),
    _SETTLING: frozenset({_CLEARING, _POSTED, _FAILED}),
    _EXPIRED: frozenset({_SETTLING}),
    _CLEARING: frozenset({_POSTED, _RETURNED}),
    _POSTED: frozenset({_RETURNED}),
    _RETURNED: frozenset(),
    _FAILED: frozenset({_SETTLING}),
}
# Where the money has reached the book.
IN_THE_BOOK = frozenset({_CLEARING, _POSTED, _RETURNED})
# Where only time or Stripe moves a top-up on, so that the sweep asks.
WAITING = frozenset({_REQUESTED, _OPEN, _SETTLING})

# Stripe forgets an idempotency key after 24 hours; nobody can pay a checkout that never opened.
OPENING_HOURS = 23
SMALLEST_MINOR = 50
LARGEST_MINOR = 99_999_999
# Stripe counts these in hundredths, ISO 4217 in whole units.
_COUNTED_OTHERWISE = frozenset({"ISK", "UGX"})


@dataclass(frozen=True, slots=True)
class CheckoutWish:
    """What a checkout is opened for; the same wish always makes the same request."""

    top_up_id: UUID
    organisation_id: UUID
    amount: Money
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """A charge's own line in Stripe's balance: gross and fee, and when Stripe made it.

    delayed: the payer's bank may still take the money back, as it may with a direct debit;
    presented: what was paid, where Stripe converted it into the currency of gross and fee.
    """

    balance_transaction_id: str
    gross: Money
    fee: Money
    created_at: datetime
    delayed: bool = False
    presented: Money | None = None

    @property
    def paid(self) -> Money:
        """What the payer paid, in the currency that they were asked for."""
        return self.presented or self.gross


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as Stripe has it now.

    expired: nobody can pay it any more; completed: the payer has finished, which does not mean
    that money came; declined: the payment has failed for good.
    """

    session_id: str
    url: str | None
    expired: bool
    completed: bool
    paid: bool
    declined: bool = False
    payment_intent_id: str | None = None
    settlement: Settlement | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def may_follow(state: TopUpState, following: TopUpState) -> bool:
    """Whether the lifecycle has this step."""
    return following in NEXT[state]


def state_seen(*, paid: bool, completed: bool, declined: bool, expired: bool) -> TopUpState:
    """The state that a checkout's facts speak for, before its balance transaction is known."""
    if paid:
        return _SETTLING
    if declined:
        return _FAILED
    if expired:
        return _EXPIRED
    # Finished without the money yet: a debit that takes days.
    return _SETTLING if completed else _OPEN


def askable(amount: Money) -> Money:
    """The amount, when a card can be charged it; Faulty with what to do otherwise."""
    if amount.currency in _COUNTED_OTHERWISE:
        raise Faulty(
            f"Top-ups in {amount.currency} are not offered.",
            [Fault("/currency", "Use another currency, such as USD or EUR.")],
        )
    least = Money(SMALLEST_MINOR, amount.currency)
    most = Money(LARGEST_MINOR, amount.currency)
    if not least <= amount <= most:
        advice = Fault("/amount", f"Ask for an amount from {least} to {most}.")
        raise Faulty("A card cannot be charged this amount.", [advice])
    return amount


def next_look(asked_at: datetime, now: datetime) -> datetime:
    """When the sweep looks again: after a minute, and less often the older the top-up is."""
    return now + max(timedelta(seconds=60), (now - asked_at) / 20)


def opening_ended(asked_at: datetime, now: datetime) -> bool:
    """Whether the checkout can no longer be opened under its first idempotency key."""
    return now - asked_at >= timedelta(hours=OPENING_HOURS)
