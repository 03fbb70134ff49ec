"""What a specialist was paid, and when: the money that left to them, less what came back.

Money leaves with the transfer to their account at Stripe. A payout from there to the bank that
fails brings it back: it was not paid, and is paid again with the next payout. So totals follow
what a bank did, even years later, on the day on which it did it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from marketplace.money import Money, zero


class Move(StrEnum):
    """What happened to money on the way to a specialist's bank."""

    TRANSFER = "transfer"
    TO_BANK = "to_bank"
    RETURNED = "returned"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement of an account at Stripe. amount: above zero; sent: what left our balance for it,
    for transfers only, in the currency in which we pay."""

    move: Move
    on: date
    amount: Money
    transaction_id: UUID
    sent: Money | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """A change of what a specialist was paid; below zero where money came back."""

    on: date
    amount: Money
    what: Move
    transaction_id: UUID


def paid_changes(moved: Iterable[Moved]) -> list[Paid]:
    """What each movement changes of what was paid, in order; movements that change nothing are
    left out.

    moved: of one account at Stripe in one currency there, oldest first. Where that is not the
    currency in which we pay, what comes back counts at the rate of all that went before.
    """
    changes: list[Paid] = []
    rates: dict[str, _Rate] = {}
    rate: _Rate | None = None  # Of the currency that was paid last: what comes back is of it.
    waiting = 0
    for each in moved:
        minor, change = each.amount.minor, None
        if each.move is Move.TRANSFER and each.sent is not None:
            rate = rates.setdefault(each.sent.currency, _Rate(zero(each.sent.currency)))
            rate.sent, rate.arrived = rate.sent + each.sent, rate.arrived + minor
            change = each.sent
        elif rate is None or not rate.arrived:
            continue
        elif each.move is Move.TO_BANK:
            again = min(minor, waiting)
            waiting -= again
            change = rate.of(again)
        elif each.move is Move.RETURNED:
            waiting += minor
            change = -rate.of(minor)
        elif each.move is Move.TAKEN_BACK:
            known = min(minor, waiting)
            waiting -= known
            change = -rate.of(minor - known)
        if change:
            changes.append(Paid(each.on, change, each.move, each.transaction_id))
    return changes


@dataclass(slots=True)
class _Rate:
    """All that was sent so far in one currency, and what arrived for it, in minor units."""

    sent: Money
    arrived: int = 0

    def of(self, minor: int) -> Money:
        """An amount at Stripe in the currency in which we pay, rounded half up."""
        whole = 2 * minor * self.sent.minor + self.arrived
        return Money(whole // (2 * self.arrived), self.sent.currency)
