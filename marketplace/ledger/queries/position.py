"""Whose money it is and where it lies: money by state, cover of what is owed, custody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ledger.models import LedgerAccount
from marketplace.ledger.queries.instants import raw_balances
from marketplace.ledger.rules.accounts import AccountKind, side_of
from marketplace.money import Money, total, zero


@dataclass(frozen=True, slots=True)
class MoneyByState:
    """All customers' money in one currency, by what may happen to it, and our own side of it.

    Every figure is the sum of its control accounts (`STEMS`), on their own side.
    """

    at_stripe: Money
    kept_back: Money
    to_bank: Money
    to_stripe: Money
    at_bank: Money
    operating: Money
    disputed: Money
    labs_pending: Money
    labs_available: Money
    labs_disputed: Money
    jobs_reserved: Money
    refunds: Money
    unapplied: Money
    pending: Money
    available: Money
    held: Money
    payout_reserved: Money
    withheld: Money
    labs_owe: Money
    specialists_owe: Money
    fees_earned: Money
    processing_paid: Money
    trading: Money

    @property
    def cash(self) -> Money:
        """What lies with Stripe and our banks, or is between them."""
        return total((getattr(self, name) for name in CASH), self.at_stripe.currency)

    @property
    def owed(self) -> Money:
        """What belongs to labs, specialists and the tax office."""
        return total((getattr(self, name) for name in OWED), self.at_stripe.currency)

    @property
    def cover(self) -> Money:
        """What is left of cash, and of what disputes took, once all is paid (invariant 13); below
        zero, customers' money is missing."""
        return self.cash + self.disputed - self.owed


STEMS: Mapping[str, tuple[str, ...]] = {
    "at_stripe": ("A:stripe:balance",),
    "kept_back": ("A:stripe:reserved",),
    "to_bank": ("A:stripe:to_bank",),
    "to_stripe": ("A:stripe:topup_in_transit",),
    "at_bank": ("A:bank:client_funds",),
    "operating": ("A:bank:operating",),
    "disputed": ("A:dispute_receivable",),
    "labs_pending": ("L:lab:pending",),
    "labs_available": ("L:lab:available",),
    "labs_disputed": ("L:lab:dispute_hold",),
    "jobs_reserved": ("L:job:reserved", "L:job:contingency"),
    "refunds": ("L:refund_inflight",),
    "unapplied": ("L:unapplied",),
    "pending": ("L:spec:pending",),
    "available": ("L:spec:available",),
    "held": ("L:spec:held",),
    "payout_reserved": ("L:spec:payout_reserved",),
    "withheld": ("L:tax_withheld",),
    "labs_owe": ("A:receivable:lab",),
    "specialists_owe": ("A:receivable:spec",),
    "fees_earned": ("I:platform_fee",),
    "processing_paid": ("E:stripe:processing",),
    "trading": ("X:trading",),
}
CASH = ("at_stripe", "kept_back", "to_bank", "to_stripe", "at_bank", "operating")
OWED = (
    *("labs_pending", "labs_available", "labs_disputed", "jobs_reserved"),
    *("refunds", "unapplied", "pending", "available", "held", "payout_reserved", "withheld"),
)
_SIDES = {"A": AccountKind.ASSET, "L": AccountKind.LIABILITY, "I": AccountKind.INCOME}
_SIDES |= {"E": AccountKind.EXPENSE, "X": AccountKind.TRADING}


def money_by_state(
    session: Session, viewer: Actor, at: datetime | None = None
) -> dict[str, MoneyByState]:
    """By currency, in the order of the codes; now, or at an instant; empty before the first
    posting."""
    viewer.require("finance.view")
    sums: dict[str, dict[str, int]] = defaultdict(dict)
    for stem, currency, raw in _by_stem(session, at):
        sums[currency][stem] = raw
    found = {}
    for currency in sorted(sums):
        by_stem = sums[currency]
        if not any(stem in by_stem for stems in STEMS.values() for stem in stems):
            continue  # A currency that only lies on connected accounts is nobody's here.
        figures = {
            name: Money(
                sum(by_stem.get(stem, 0) for stem in stems) * side_of(_SIDES[stems[0][0]]),
                currency,
            )
            for name, stems in STEMS.items()
        }
        found[currency] = MoneyByState(**figures)
    return found


def _by_stem(session: Session, at: datetime | None) -> list[tuple[str, str, int]]:
    """Raw sums of control accounts. Now they are read from the accounts' own balances, and from
    turnovers for the few that have none."""
    if at is not None:
        each = raw_balances(LedgerAccount.stem, LedgerAccount.currency, at=at).subquery()
        rows = session.execute(
            select(each.c.stem, each.c.currency, func.sum(each.c.raw)).group_by(
                each.c.stem, each.c.currency
            )
        ).all()
        return [(stem, currency, int(raw)) for stem, currency, raw in rows]
    cached = session.execute(
        select(
            LedgerAccount.stem,
            LedgerAccount.currency,
            func.sum(LedgerAccount.balance * LedgerAccount.side),
        )
        .where(LedgerAccount.floor)
        .group_by(LedgerAccount.stem, LedgerAccount.currency)
    ).all()
    hot = session.execute(
        raw_balances(LedgerAccount.stem, LedgerAccount.currency).where(~LedgerAccount.floor)
    ).all()
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for stem, currency, raw in (*cached, *hot):
        sums[stem, currency] += int(raw)
    return [(stem, currency, raw) for (stem, currency), raw in sums.items()]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Invariant 13 in one currency. cash, owed: by state, under the names of MoneyByState;
    disputed: taken by disputes and still contested; trading: what conversions moved out of this
    currency (above zero, its cash lies in another)."""

    currency: str
    cash: Mapping[str, Money]
    disputed: Money
    owed: Mapping[str, Money]
    trading: Money

    @property
    def cover(self) -> Money:
        """What is left once everybody is paid; below zero it is missing."""
        nothing = zero(self.currency)
        cash = sum(self.cash.values(), nothing) + self.disputed
        return cash - sum(self.owed.values(), nothing)

    @property
    def shortfall(self) -> Money:
        """What is missing, zero when nothing is."""
        return -self.cover if self.cover.minor < 0 else zero(self.currency)


def coverage(session: Session, viewer: Actor, at: datetime | None = None) -> dict[str, Coverage]:
    """What covers what is owed, by currency, now or at an instant. A shortfall is an alarm for
    finance, not a fault of the book: what Stripe keeps of payments is missing until we fund it."""
    return {
        currency: Coverage(
            currency=currency,
            cash={name: getattr(each, name) for name in CASH},
            disputed=each.disputed,
            owed={name: getattr(each, name) for name in OWED},
            trading=each.trading,
        )
        for currency, each in money_by_state(session, viewer, at).items()
    }


@dataclass(frozen=True, slots=True)
class Custody:
    """What lies on specialists' connected accounts in one currency; not ours, and watched.

    connected, to_bank: where it lies; in_connected: whose it is; both sides are equal (I14).
    """

    connected: Money
    to_bank: Money
    in_connected: Money


def custody(session: Session, viewer: Actor) -> dict[str, Custody]:
    """Custody by currency, in the order of the codes."""
    viewer.require("finance.view")
    stems = ("C:A:connected", "C:A:to_bank", "C:L:in_connected")
    rows = session.execute(
        select(LedgerAccount.stem, LedgerAccount.currency, func.sum(LedgerAccount.balance))
        .where(LedgerAccount.stem.in_(stems))
        .group_by(LedgerAccount.stem, LedgerAccount.currency)
    )
    sums = {(currency, stem): Money(int(minor or 0), currency) for stem, currency, minor in rows}
    return {
        currency: Custody(*(sums.get((currency, stem), zero(currency)) for stem in stems))
        for currency in sorted({currency for currency, _ in sums})
    }
