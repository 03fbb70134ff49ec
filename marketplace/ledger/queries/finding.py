"""Transactions by any reference that somebody has in hand: an id, a fact, an amount."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, TextClause, literal_column, select, text, union
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import TransactionId, parse_id
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money

FOUND_MAX = 200
REFERENCE_MAX = 120
# Rounds of rework that a source of accepted work may name after its submission.
_ROUNDS = range(1, 10)


@dataclass(frozen=True, slots=True)
class Found:
    """A transaction that a search found; amount: its largest leg, debits positive."""

    transaction_id: TransactionId
    number: int | None
    source_kind: SourceKind
    source_id: str
    balance_transaction_id: str | None
    happened_on: date
    effective_on: date
    posted_at: datetime
    amount: Money


def find(
    session: Session,
    viewer: Actor,
    *,
    reference: str = "",
    amount: Money | None = None,
    limit: int = 50,
) -> list[Found]:
    """Transactions, newest first, that name a reference, or have a leg of an amount, or both.

    reference: whole, as it is written elsewhere: a transaction's id or number, a source (a
    submission, a payout line, `txn_…`, `tr_…`, `po_…`, `dp_…`), any value of its facts, or the id
    of the lab, job or specialist whose account it touched. amount: either side. Nothing for
    neither.
    """
    viewer.require("finance.view")
    plain = reference.strip()[:REFERENCE_MAX]
    if not plain and amount is None:
        return []
    wanted = select(LedgerTransaction.id)
    if plain:
        wanted = wanted.where(LedgerTransaction.id.in_(_named(plain)))
    if amount is not None:
        wanted = wanted.where(LedgerTransaction.id.in_(_of_amount(amount)))
    most = min(limit, FOUND_MAX)
    ids = session.scalars(wanted.order_by(LedgerTransaction.id.desc()).limit(most)).all()
    return _read(session, [TransactionId(one) for one in ids])


def _named(plain: str) -> Select[UUID]:
    parts = [_where(LedgerTransaction.balance_transaction_id == plain)]
    sources = [plain, *(f"{plain}:{number}" for number in _ROUNDS)]
    # Both columns, all kinds: so the unique index of sources answers.
    parts.append(
        _where(
            LedgerTransaction.source_kind.in_(list(SourceKind)),
            LedgerTransaction.source_id.in_(sources),
        )
    )
    parts.append(_where(*fact_is(plain)))
    if plain.isascii() and plain.isdigit() and len(plain) < 19:
        parts.append(_where(LedgerTransaction.number == int(plain)))
    known = parse_id(plain)
    if known is not None:
        parts.append(_where(LedgerTransaction.id == known))
        accounts = select(LedgerAccount.id).where(LedgerAccount.owner_id == known)
        parts.append(
            select(LedgerEntry.transaction_id.label("id"))
            .where(LedgerEntry.account_id.in_(accounts))
            .order_by(LedgerEntry.transaction_id.desc())
            .limit(FOUND_MAX)
        )
    found = union(*(part.subquery().select() for part in parts)).subquery()
    return select(found.c.id)


def fact_is(value: str) -> tuple[TextClause, ColumnElement[bool]]:
    """The conditions, served by an index, that one of a transaction's facts is `value`."""
    # As text, since a planner that sees a parameter cannot tell that the index serves it.
    some = text("ledger_transaction.facts <> '{}'")
    every: ColumnElement[bool] = literal_column(
        "jsonb_path_query_array(ledger_transaction.facts, '$.*')", JSONB
    ).contains([value])
    return some, every


def _where(*conditions: ColumnElement[bool] | TextClause) -> Select[UUID]:
    newest = select(LedgerTransaction.id).where(*conditions)
    return newest.order_by(LedgerTransaction.id.desc()).limit(FOUND_MAX)


def _of_amount(amount: Money) -> Select[UUID]:
    minor = abs(amount.minor)
    return select(LedgerEntry.transaction_id).where(
        LedgerEntry.amount.in_((minor, -minor)), LedgerEntry.currency == amount.currency
    )


def _read(session: Session, ids: list[TransactionId]) -> list[Found]:
    if not ids:
        return []
    largest: dict[object, Money] = {}
    legs = select(LedgerEntry.transaction_id, LedgerEntry.amount, LedgerEntry.currency).where(
        LedgerEntry.transaction_id.in_(ids), LedgerEntry.amount > 0
    )
    for owner, minor, currency in session.execute(legs.order_by(LedgerEntry.leg)):
        now = largest.get(owner)
        if now is None or (now.currency == currency and minor > now.minor):
            largest[owner] = Money(minor, currency)
    rows = session.scalars(
        select(LedgerTransaction)
        .where(LedgerTransaction.id.in_(ids))
        .order_by(LedgerTransaction.id.desc())
    )
    return [
        Found(
            transaction_id=TransactionId(row.id),
            number=row.number,
            source_kind=row.source_kind,
            source_id=row.source_id,
            balance_transaction_id=row.balance_transaction_id,
            happened_on=row.happened_on,
            effective_on=row.effective_on,
            posted_at=row.posted_at,
            amount=largest[row.id],
        )
        for row in rows
    ]
