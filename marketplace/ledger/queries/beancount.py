"""The book as a Beancount file, for an outside program to check.

The file states no balance of our own: the assertions in it come from the caller, who took them
from the statements of those who hold the money. Every tolerance is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.money import EXPONENT, Money

# Accounts are opened before anything that Stripe could date.
OPENED_ON = "1970-01-01"
_ROOTS = {"A": "Assets", "L": "Liabilities", "I": "Income", "E": "Expenses", "X": "Equity"}
_CUSTODY = {"A": "Assets:Custody", "L": "Liabilities:Custody"}
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class BalanceAssertion:
    """An outside statement. amount: the account's raw balance (debits positive) as `on` begins;
    statement: where it was taken from.
    """

    on: date
    code: str
    amount: Money
    statement: str


def beancount(
    session: Session,
    viewer: Actor,
    assertions: Iterable[BalanceAssertion] = (),
    *,
    through: date | None = None,
    number_max: int | None = None,
) -> Iterator[str]:
    """The lines of the file, in the order of posting, as one moment sees them.

    assertions: from Stripe's and the bank's statements. through, number_max: only what took effect
    by that day and was numbered by then, so that the file of a closed month stays the same.
    """
    viewer.require("ledger.export")
    yield 'option "title" "Marketplace ledger"'
    currencies = session.scalars(_currencies(through, number_max)).all()
    for currency in currencies:
        yield f'option "operating_currency" "{currency}"'
    yield 'option "inferred_tolerance_default" "*:0"'
    yield 'option "tolerance_multiplier" "0"'
    for currency in currencies:
        yield f"{OPENED_ON} commodity {currency}"
        yield f"  precision: {EXPONENT[currency]}"
    opened: set[str] = set()
    for _, legs in groupby(_entries(session, through, number_max), attrgetter("id")):
        rows = list(legs)
        for row in rows:
            yield from _opening(row.code, opened)
        yield from _transaction(rows)
    for assertion in sorted(assertions, key=lambda one: (one.on, one.code)):
        yield from _opening(assertion.code, opened)
        yield f"; {_plain(assertion.statement)}"
        amount = assertion.amount
        yield (
            f"{assertion.on} balance {account_name(assertion.code)} "
            f"{amount.decimal():f} ~ 0 {amount.currency}"
        )


def account_name(code: str) -> str:
    """What Beancount calls an account: `L:lab:<id>:available:USD` becomes
    `Liabilities:Lab:<ID>:Available:USD`, with the last 16 digits of the id.
    """
    first, *parts = code.split(":")
    root = _ROOTS[first] if first != "C" else _CUSTODY[parts.pop(0)]
    return ":".join([root, *(_component(part) for part in parts)])


def _component(part: str) -> str:
    if len(part) == 36 and part.count("-") == 4:
        return part.replace("-", "")[16:].upper()
    # The case of letters means something in an account's name at Stripe, and in a currency.
    kept = part.startswith("acct_") or part.isupper()
    stem = part if kept else part.replace("_", " ").title()
    plain = stem.replace("_", "-").replace(" ", "-")
    return plain[0].upper() + plain[1:]


def _entries(session: Session, through: date | None, number_max: int | None) -> Iterator[Any]:
    rows = (
        select(
            LedgerTransaction.id,
            LedgerTransaction.number,
            LedgerTransaction.source_kind,
            LedgerTransaction.source_id,
            LedgerTransaction.balance_transaction_id,
            LedgerTransaction.effective_on,
            LedgerTransaction.happened_on,
            LedgerTransaction.facts,
            LedgerAccount.code,
            LedgerEntry.amount,
            LedgerEntry.currency,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .order_by(LedgerTransaction.id, LedgerEntry.leg)
    )
    rows = rows.where(*_bounds(through, number_max))
    # A cursor on the server sees one moment and holds a batch, however long the book is.
    return iter(session.execute(rows, execution_options={"yield_per": _BATCH}))


def _bounds(through: date | None, number_max: int | None) -> list[ColumnElement[bool]]:
    bounds = []
    if through is not None:
        bounds.append(LedgerTransaction.effective_on <= through)
    if number_max is not None:
        bounds.append(LedgerTransaction.number <= number_max)
    return bounds


def _currencies(through: date | None, number_max: int | None) -> Select[str]:
    bounds = _bounds(through, number_max)
    if not bounds:
        return select(LedgerAccount.currency).distinct().order_by(LedgerAccount.currency)
    used = (
        select(LedgerEntry.currency)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(*bounds)
    )
    return used.distinct().order_by(LedgerEntry.currency)


def _opening(code: str, opened: set[str]) -> Iterator[str]:
    if code not in opened:
        opened.add(code)
        yield f"{OPENED_ON} open {account_name(code)} {code.rpartition(':')[2]}"
        yield f'  code: "{code}"'


def _transaction(rows: list[Any]) -> Iterator[str]:
    head = rows[0]
    yield f'{head.effective_on} * "{head.source_kind.value}" "{_plain(head.source_id)}"'
    yield f'  id: "{head.id}"'
    if head.number is not None:
        yield f"  number: {head.number}"
    if head.balance_transaction_id is not None:
        yield f'  balance_transaction: "{_plain(head.balance_transaction_id)}"'
    if head.happened_on != head.effective_on:
        yield f"  happened_on: {head.happened_on}"
    for key, value in sorted(head.facts.items()):
        yield f'  fact-{key.replace("_", "-")}: "{_plain(value)}"'
    for row in rows:
        amount = Money(row.amount, row.currency)
        yield f"  {account_name(row.code)}  {amount.decimal():f} {amount.currency}"


def _plain(text: str) -> str:
    return text.replace("\\", "").replace('"', "'").replace("\n", " ")
