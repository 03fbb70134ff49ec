"""The refund's lifecycle, how an amount is shared over payments, and when Stripe is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from marketplace.errors import Fault, Faulty
from marketplace.money import Money, total


class RefundState(StrEnum):
    """Where a refund stands; `LABELS` has the word for each."""

    ASKED = "asked"
    READY = "ready"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SENT = "sent"
    RETURNED = "returned"
    REFUSED = "refused"
    CANCELLED = "cancelled"


_ASKED, _READY, _SENDING, _UNKNOWN, _PENDING, _SENT, _RETURNED, _REFUSED, _CANCELLED = RefundState
LABELS: Mapping[RefundState, str] = {
    _ASKED: "Waiting for approval",
    _READY: "About to be sent",
    _SENDING: "Being sent",
    _UNKNOWN: "Stripe has not answered",
    _PENDING: "On its way",
    _SENT: "Refunded",
    _RETURNED: "Came back to the balance",
    _REFUSED: "Refused",
    _CANCELLED: "Cancelled",
}
NEXT: Mapping[RefundState, frozenset[RefundState]] = {
    _ASKED: frozenset({_READY, _CANCELLED, _REFUSED}),
    _READY: frozenset({_SENDING, _CANCELLED}),
    _SENDING: frozenset({_UNKNOWN, _PENDING, _REFUSED, _READY}),
    _UNKNOWN: frozenset({_PENDING, _REFUSED, _READY}),
    _PENDING: frozenset({_SENT, _REFUSED}),
    _SENT: frozenset({_RETURNED}),
    _RETURNED: frozenset(),
    _REFUSED: frozenset(),
    _CANCELLED: frozenset(),
}
# The money is set aside, and has neither left nor been given back.
IN_FLIGHT = frozenset({_ASKED, _READY, _SENDING, _UNKNOWN, _PENDING})
# What still takes from what a payment has left to give.
COUNTED = IN_FLIGHT | {_SENT}
# Only time or Stripe moves these on, so that the sweep asks.
WAITING = frozenset({_READY, _SENDING, _UNKNOWN, _PENDING})
# Stripe forgets an idempotency key after 24 hours, and may then make a second refund of it.
KEY_HOURS = 23
# The list of a payment's refunds is believed to be whole this long after the last attempt.
QUIET = timedelta(minutes=10)
NOTE_MAX = 500
PARTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Payment:
    """A top-up that may be refunded: what was paid, and what of it is left to refund."""

    top_up_id: UUID
    payment_intent_id: str
    paid: Money
    left: Money


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A line of Stripe's balance that a refund made; amount: above zero, whichever way it went."""

    id: str
    amount: Money
    fee: Money
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundNow:
    """A refund as Stripe has it. failed: it will not reach the payer, or it came back, and why;
    taken: the line that took the money; returned: the one that brought it back."""

    id: str
    failed: bool
    reason: str
    taken: RefundLine | None
    returned: RefundLine | None


def may_follow(state: RefundState, following: RefundState) -> bool:
    """Whether the lifecycle has this step."""
    return following in NEXT[state]


def shared(amount: Money, payments: Iterable[Payment]) -> list[tuple[Payment, Money]]:
    """The amount over the payments in their order, each as far as it goes.

    Faulty where they have less left than is asked for, or where it takes too many of them.
    """
    parts: list[tuple[Payment, Money]] = []
    rest = amount
    for payment in payments:
        if not rest:
            break
        part = min(payment.left, rest)
        if part.minor > 0:
            parts.append((payment, part))
            rest = rest - part
    found = total((part for _, part in parts), amount.currency)
    if rest:
        advice = (
            f"Card payments that can be refunded have {found} left. Ask for less, or write to us."
        )
        raise Faulty("This is more than can go back to your cards.", [Fault("/amount", advice)])
    if len(parts) > PARTS_MAX:
        some = total((part for _, part in parts[:PARTS_MAX]), amount.currency)
        advice = f"Ask for at most {some} now, and for the rest after that."
        raise Faulty("This takes too many payments at once.", [Fault("/amount", advice)])
    return parts


def refundable(available: Money, payments: Iterable[Payment]) -> Money:
    """The most that may be asked back now: what is available, as far as payments have it left."""
    left = total((payment.left for payment in payments), available.currency)
    return min(available, left)


def key_of(refund_id: UUID, attempt: int) -> str:
    """The idempotency key of one attempt: per refund, so that two equal refunds are two."""
    return f"refund:{refund_id}:{attempt}"


def key_is_alive(first_tried_at: datetime, now: datetime) -> bool:
    """Whether the attempt's key still leads to the same refund at Stripe."""
    return now - first_tried_at < timedelta(hours=KEY_HOURS)


def too_soon(first_tried_at: datetime, now: datetime) -> bool:
    """Whether a refund that Stripe's list lacks may still come of the attempt's last call."""
    return now - first_tried_at < timedelta(hours=KEY_HOURS) + QUIET


def next_look(since: datetime, now: datetime) -> datetime:
    """When the sweep asks again: after a minute, and less often the longer it takes."""
    return now + max(timedelta(seconds=60), (now - since) / 20)
