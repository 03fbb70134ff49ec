"""What the finance desk looks up: money by state, accounts by pattern, whole accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import TransactionId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.queries.balances import balance
from marketplace.ledger.queries.statements import PAGE, PAGE_MAX, EntryLine
from marketplace.ledger.rules import AccountKind, SourceKind, platform_fee, stripe_balance
from marketplace.ledger.rules.accounts import stripe_processing
from marketplace.money import Money, zero

_BATCH = 1_000
SEARCH_MAX = 120
# Part four of an owner's code; part two says whose it is.
_STATES = ("labs_available", "jobs_reserved", "pending", "available", "held", "payout_reserved")


@dataclass(frozen=True, slots=True)
class MoneyByState:
    """All customers' money in one currency, by what may happen to it, and our own side of it."""

    at_stripe: Money
    labs_available: Money
    jobs_reserved: Money
    pending: Money
    available: Money
    held: Money
    payout_reserved: Money
    fees_earned: Money
    processing_paid: Money

    @property
    def owed(self) -> Money:
        """What belongs to labs and specialists."""
        owed = zero(self.at_stripe.currency)
        for name in _STATES:
            owed = owed + getattr(self, name)
        return owed

    @property
    def cover(self) -> Money:
        """What is left at Stripe once all is paid; below zero, customers' money is missing."""
        return self.at_stripe - self.owed


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its balance now, on its own side. owner_id: the lab, job or specialist."""

    code: str
    kind: AccountKind
    owner_id: UUID | None
    balance: Money


def money_by_state(session: Session, viewer: Actor) -> dict[str, MoneyByState]:
    """By currency, in the order of the codes; empty before the first posting."""
    viewer.require("finance.view")
    whose, part = (func.split_part(LedgerAccount.code, ":", at) for at in (2, 4))
    state = case(
        (whose == "lab", "labs_available"),
        (whose == "job", "jobs_reserved"),
        else_=part,
    ).label("state")
    owned = LedgerAccount.floor & (LedgerAccount.kind == AccountKind.LIABILITY)
    rows = session.execute(
        select(LedgerAccount.currency, state, func.sum(LedgerAccount.balance))
        .where(owned)
        .group_by(LedgerAccount.currency, state)
    )
    sums = {(currency, name): Money(int(minor), currency) for currency, name, minor in rows}
    used = session.scalars(
        select(LedgerAccount.currency)
        .where(LedgerAccount.code.startswith("A:stripe:balance:") | owned)
        .distinct()
        .order_by(LedgerAccount.currency)
    ).all()
    return {currency: _of_currency(session, currency, sums) for currency in used}


def _of_currency(
    session: Session, currency: str, sums: dict[tuple[str, str], Money]
) -> MoneyByState:
    return MoneyByState(
        at_stripe=balance(session, stripe_balance(currency).code),
        fees_earned=balance(session, platform_fee(currency).code),
        processing_paid=balance(session, stripe_processing(currency).code),
        **{name: sums.get((currency, name), zero(currency)) for name in _STATES},
    )


def accounts(
    session: Session,
    viewer: Actor,
    *,
    search: str = "",
    kind: AccountKind | None = None,
    after: str = "",
    limit: int = PAGE,
) -> list[AccountRow]:
    """Accounts by code, those after the code `after`.

    search: a part of the code; with `*`, which stands for anything, the whole of it.
    """
    viewer.require("finance.view")
    page = select(LedgerAccount).where(LedgerAccount.code > after).order_by(LedgerAccount.code)
    if kind is not None:
        page = page.where(LedgerAccount.kind == kind)
    if search:
        page = page.where(LedgerAccount.code.ilike(_pattern(search[:SEARCH_MAX]), escape="\\"))
    rows = session.scalars(page.limit(min(limit, PAGE_MAX))).all()
    return [AccountRow(row.code, row.kind, row.owner_id, _balance(session, row)) for row in rows]


def _pattern(search: str) -> str:
    plain = search.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return plain.replace("*", "%") if "*" in plain else f"%{plain}%"


def _balance(session: Session, account: LedgerAccount) -> Money:
    if account.balance is None:  # One of the few accounts without a cache.
        return balance(session, account.code)
    return Money(account.balance, account.currency)


def every_entry(session: Session, viewer: Actor, code: str) -> Iterator[EntryLine]:
    """All entries of an account, oldest first, as one moment sees them; a batch is held at a time.

    Nothing for an unknown code.
    """
    viewer.require("finance.view")
    rows = (
        select(
            LedgerTransaction,
            LedgerEntry.leg,
            (LedgerAccount.side * LedgerEntry.amount).label("amount"),
            LedgerAccount.currency,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerAccount.code == code)
        .order_by(LedgerEntry.transaction_id, LedgerEntry.leg)
    )
    running = zero(code.rpartition(":")[2])
    for header, leg, minor, currency in session.execute(
        rows, execution_options={"yield_per": _BATCH}
    ):
        amount = Money(minor, currency)
        running = running + amount
        yield EntryLine.of(header, leg, amount, running)


def postings_of(
    session: Session, viewer: Actor, kind: SourceKind, source_ids: Collection[str]
) -> dict[str, TransactionId]:
    """The transactions that were posted for these sources under one rule, by source id."""
    viewer.require("finance.view")
    if not source_ids:
        return {}
    rows = session.execute(
        select(LedgerTransaction.source_id, LedgerTransaction.id).where(
            LedgerTransaction.source_kind == kind, LedgerTransaction.source_id.in_(source_ids)
        )
    )
    return {source_id: TransactionId(found) for source_id, found in rows}
