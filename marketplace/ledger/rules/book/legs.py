"""Legs by twos and by splits; every amount that comes in is positive."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.ledger.rules.accounts import AccountSpec, trading
from marketplace.ledger.rules.postings import Leg, NothingToPost
from marketplace.money import Money, zero


def moved(amount: Money, *, debit: AccountSpec, credit: AccountSpec) -> tuple[Leg, ...]:
    """Two legs that move a positive amount: `debit` takes it, `credit` gives it."""
    above_zero(amount)
    return Leg(debit, amount), Leg(credit, -amount)


def moved_if_any(amount: Money, *, debit: AccountSpec, credit: AccountSpec) -> tuple[Leg, ...]:
    """As `moved`, and no legs at all for zero, such as a fee of nothing."""
    return moved(amount, debit=debit, credit=credit) if amount else ()


def least(one: Money, other: Money) -> Money:
    """The smaller of two amounts of one currency."""
    return one if one <= other else other


def in_turn(wanted: Money, have: Iterable[Money]) -> list[Money]:
    """Take `wanted` from each of `have` in turn, as far as it goes, and what is left at the end.

    The parts add up to `wanted` exactly.
    """
    parts = []
    left = wanted
    for there in have:
        part = least(left, there) if there.minor > 0 else zero(wanted.currency)
        parts.append(part)
        left = left - part
    return [*parts, left]


def legs_of(
    debits: Iterable[tuple[AccountSpec, Money]], credits_: Iterable[tuple[AccountSpec, Money]]
) -> tuple[Leg, ...]:
    """Legs of positive amounts on both sides; amounts of nothing leave none.

    Where the two sides differ by currency, each passes through its trading account (rule 21), so
    that every currency sums to zero.
    """
    taken, given = list(debits), list(credits_)
    if any(amount.minor < 0 for _, amount in (*taken, *given)):
        raise NothingToPost("An amount to post is never below zero.")
    legs = [Leg(account, amount) for account, amount in taken if amount]
    legs += [Leg(account, -amount) for account, amount in given if amount]
    open_: dict[str, Money] = {}
    for leg in legs:
        currency = leg.amount.currency
        open_[currency] = open_.get(currency, zero(currency)) + leg.amount
    if len(open_) > 1:
        legs += [Leg(trading(currency), -left) for currency, left in open_.items() if left]
    return tuple(legs)


def above_zero(amount: Money) -> Money:
    """The amount, or NothingToPost."""
    if amount.minor <= 0:
        raise NothingToPost(f"An amount to post is above zero, not {amount}.")
    return amount
