"""Matching Stripe's lines with our transactions, and saying what differs; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.numbers import format_currency

from marketplace.ids import TransactionId
from marketplace.money import Money, zero
from marketplace.reconciliation.rules.breaks import LABELS as ALL_LABELS
from marketplace.reconciliation.rules.breaks import BreakKind

LOCALE = "en_US"


# What Stripe's lines and the book can differ in, beside one another.
LABELS: Mapping[BreakKind, str] = {
    kind: ALL_LABELS[kind]
    for kind in (
        BreakKind.MISSING_IN_LEDGER,
        BreakKind.MISSING_AT_STRIPE,
        BreakKind.CURRENCY_MISMATCH,
        BreakKind.AMOUNT_MISMATCH,
        BreakKind.FEE_MISMATCH,
    )
}


@dataclass(frozen=True, slots=True)
class Line:
    """Stripe's side. kind: its type, such as `charge`; amount: before the fee, negative when money
    leaves; the fee is what Stripe kept of it.
    """

    id: str
    kind: str
    amount: Money
    fee: Money
    created_at: datetime

    @property
    def net(self) -> Money:
        """What the balance moved by."""
        return self.amount - self.fee


@dataclass(frozen=True, slots=True)
class Posted:
    """Our side: what one transaction did to our balance at Stripe, before the fee, and the fee.

    balance_transaction_id is None for a transaction that moved the balance without evidence.
    """

    transaction_id: TransactionId
    balance_transaction_id: str | None
    amount: Money
    fee: Money
    posted_at: datetime

    @property
    def net(self) -> Money:
        """What the account moved by."""
        return self.amount - self.fee


@dataclass(frozen=True, slots=True)
class Break:
    """One difference. difference: Stripe's figure less ours, in Stripe's currency where it has one.

    since: when the side that has it, has it from; Stripe's where both have.
    """

    kind: BreakKind
    line: Line | None
    posted: Posted | None
    difference: Money
    since: datetime

    @property
    def key(self) -> str:
        """What orders breaks and continues a list of them; unique within one kind."""
        if self.line is not None:
            return self.line.id
        assert self.posted is not None  # noqa: S101 - a break has a side at least.
        return self.posted.balance_transaction_id or str(self.posted.transaction_id)


def breaks_between(lines: Iterable[Line], posted: Sequence[Posted]) -> list[Break]:
    """Every difference between both sides, matched by Stripe's id, in the order of ids."""
    ours = {one.balance_transaction_id: one for one in posted if one.balance_transaction_id}
    unexplained = [one for one in posted if one.balance_transaction_id is None]
    found: list[Break] = []
    for line in lines:
        found += _compared(line, ours.pop(line.id, None))
    for left in [*ours.values(), *unexplained]:
        kind = BreakKind.MISSING_AT_STRIPE
        found.append(Break(kind, None, left, -left.net, left.posted_at))
    return sorted(found, key=lambda one: (one.key, one.kind))


def _compared(line: Line, ours: Posted | None) -> list[Break]:
    since = line.created_at
    if ours is None:
        return [Break(BreakKind.MISSING_IN_LEDGER, line, None, line.net, since)]
    if line.amount.currency != ours.amount.currency:
        return [Break(BreakKind.CURRENCY_MISMATCH, line, ours, line.net, since)]
    found = []
    if line.amount != ours.amount:
        apart = line.amount - ours.amount
        found.append(Break(BreakKind.AMOUNT_MISMATCH, line, ours, apart, since))
    if line.fee != ours.fee:
        found.append(Break(BreakKind.FEE_MISMATCH, line, ours, line.fee - ours.fee, since))
    return found


@dataclass(frozen=True, slots=True)
class Tie:
    """The balance of one currency. stripe: pending and available together; unposted: lines that
    we have not posted; newer: what we posted after the statement was taken.
    """

    stripe: Money
    ledger: Money
    unposted: Money
    newer: Money

    @property
    def difference(self) -> Money:
        """What nothing explains; zero, or somebody must look."""
        return self.stripe - (self.ledger - self.newer + self.unposted)

    @property
    def ties(self) -> bool:
        """Whether every cent is explained."""
        return not self.difference


def sentences(breaks: Sequence[Break], ties: Sequence[Tie], now: datetime) -> list[str]:
    """The differences in words, one sentence for each kind and currency; empty when there is none.

    now: aware; ages are whole days before it.
    """
    groups: dict[tuple[BreakKind, str], list[Break]] = defaultdict(list)
    for one in breaks:
        groups[one.kind, one.difference.currency].append(one)
    said = [_sentence(kind, found, now) for (kind, _), found in sorted(groups.items())]
    for tie in ties:
        if tie.difference != _told(breaks, tie.difference.currency):
            said.append(
                f"Stripe's balance is {shown(tie.stripe)}; what we posted and what we know to be "
                f"missing leaves {shown(tie.difference)} unexplained."
            )
    return said


def _told(breaks: Sequence[Break], currency: str) -> Money:
    """What the breaks say already of a difference between the balances."""
    told = zero(currency)
    for one in breaks:
        if one.difference.currency == currency:
            if one.kind in {BreakKind.MISSING_AT_STRIPE, BreakKind.AMOUNT_MISMATCH}:
                told = told + one.difference
            elif one.kind is BreakKind.FEE_MISMATCH:
                told = told - one.difference
    return told


def _sentence(kind: BreakKind, found: Sequence[Break], now: datetime) -> str:
    currency = found[0].difference.currency
    sum_of_all = zero(currency)
    for one in found:
        sum_of_all = sum_of_all + Money(abs(one.difference.minor), currency)
    amount = shown(sum_of_all)
    what = f"{_counted(found)}, {_age(found, now)}"
    if kind is BreakKind.MISSING_IN_LEDGER:
        return f"Stripe has {amount} that we have not posted: {what}."
    if kind is BreakKind.MISSING_AT_STRIPE:
        return f"We have posted {amount} that Stripe does not have: {what}."
    if kind is BreakKind.CURRENCY_MISMATCH:
        return f"Stripe has {amount} that we have posted in another currency: {what}."
    part = "amount" if kind is BreakKind.AMOUNT_MISMATCH else "fee"
    return f"Stripe and our ledger are {amount} apart in the {part}: {what}."


def _counted(found: Sequence[Break]) -> str:
    """Such as `2 charges and 1 transfer`."""
    kinds = Counter(one.line.kind if one.line else "transaction" for one in found)
    parts = [
        f"{count} {kind.replace('_', ' ')}{'' if count == 1 else 's'}"
        for kind, count in sorted(kinds.items())
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _age(found: Sequence[Break], now: datetime) -> str:
    days = max(0, (now - min(one.since for one in found)).days)
    age = {0: "from today", 1: "1 day old"}.get(days, f"{days} days old")
    return age if len(found) == 1 or days == 0 else f"the oldest {age}"


def shown(amount: Money) -> str:
    """An amount as people read it, such as `$412.00`."""
    return str(format_currency(amount.decimal(), amount.currency, locale=LOCALE))
