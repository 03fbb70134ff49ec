"""Specialists' statements: what they had with us, what came and went, what was left, to the cent.

Everything is counted on the book's days and sums to the ledger: opening, movements, closing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, parse_id
from marketplace.jobs.models import Job
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money, zero
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.payouts.queries.year import PaidEntry, YearTotal, own_entries, totals_of
from marketplace.review.models import Accrual

LINES_MAX = 5_000
MOVEMENT_LABELS = {
    SourceKind.ACCEPT: "Earned",
    SourceKind.SURPLUS: "Earned, an extra answer",
    SourceKind.CANNOT_COMPLETE: "Earned, a task that could not be done",
    SourceKind.OVERTURNED: "Earned after an appeal",
    SourceKind.BONUS: "Bonus",
    SourceKind.FLOOR_TOP_UP: "Topped up to the promised pay",
    SourceKind.REVIEW_PAY: "Earned by review",
    SourceKind.QUALIFICATION_PAY: "Earned in a qualification",
    SourceKind.REVERSE: "Taken back, an acceptance was overturned",
    SourceKind.NET: "Covers what was taken back before",
    SourceKind.TRANSFER: "Paid out",
    SourceKind.TRANSFER_REVERSAL: "A payout came back",
    SourceKind.WITHHOLDING: "Withheld for the tax office",
    SourceKind.WITHHOLDING_BACK: "No longer withheld",
    SourceKind.ADJUSTMENT: "Correction",
}


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of somebody's money with us. about: the job, the run, or nothing."""

    on: date
    what: str
    about: str
    amount: Money
    balance: Money
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class Statement:
    """One currency's statement, from the first day to the last. sums: movements by their kind;
    years: what counts as paid in the period, for tax; complete: False where more lines are than
    fit here."""

    currency: str
    first: date
    last: date
    opening: Money
    closing: Money
    lines: list[StatementLine]
    sums: list[tuple[str, Money]]
    paid: list[PaidEntry]
    totals: list[YearTotal]
    complete: bool


def statement_of(
    session: Session, viewer: Actor, currency: str, *, first: date, last: date
) -> Statement:
    """The viewer's own statement in a currency, with every movement from `first` to `last`."""
    viewer.require(Permission.EARNINGS_VIEW)
    person = viewer.person()
    opening = _before(session, person, currency, first)
    rows = _movements(session, person, currency, first, last)
    abouts = _abouts(session, person, rows)
    lines: list[StatementLine] = []
    running = opening
    for row in rows[:LINES_MAX]:
        amount = Money(int(row.minor), currency)
        running = running + amount
        what = MOVEMENT_LABELS.get(row.source_kind, "Moved")
        about = abouts.get(row.id, "")
        lines.append(StatementLine(row.effective_on, what, about, amount, running, row.id))
    paid = [
        each
        for each in own_entries(session, viewer)
        if first <= each.on <= last and each.amount.currency == currency
    ]
    sums = {line.what: zero(currency) for line in lines}
    for line in lines:
        sums[line.what] = sums[line.what] + line.amount
    return Statement(
        currency=currency,
        first=first,
        last=last,
        opening=opening,
        closing=running,
        lines=lines,
        sums=list(sums.items()),
        paid=paid,
        totals=totals_of(person, paid),
        complete=len(rows) <= LINES_MAX,
    )


def statement_months(session: Session, viewer: Actor) -> list[tuple[str, date]]:
    """In which months something moved, by currency: (currency, first day), the latest first."""
    viewer.require(Permission.EARNINGS_VIEW)
    month = func.date_trunc("month", LedgerTransaction.effective_on)
    rows = (
        select(LedgerEntry.currency, month)
        .select_from(LedgerEntry)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(_owned(viewer.person()))
        .distinct()
        .limit(600)
    )
    found = [(currency, begins.date()) for currency, begins in session.execute(rows)]
    return sorted(found, key=lambda each: (each[1], each[0]), reverse=True)


def _owned(person: PersonId) -> ColumnElement[bool]:
    return (LedgerAccount.owner_id == person) & LedgerAccount.code.startswith(f"L:spec:{person}:")


def _before(session: Session, person: PersonId, currency: str, first: date) -> Money:
    minor = session.scalar(
        select(func.coalesce(func.sum(-LedgerEntry.amount), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(_owned(person), LedgerEntry.currency == currency)
        .where(LedgerTransaction.effective_on < first)
    )
    return Money(int(minor or 0), currency)


def _movements(
    session: Session, person: PersonId, currency: str, first: date, last: date
) -> list[Row[UUID, SourceKind, str, date, int]]:
    """What changed the sum of all that is theirs with us; moves within it change nothing."""
    minor = func.sum(-LedgerEntry.amount)
    rows = (
        select(
            LedgerTransaction.id,
            LedgerTransaction.source_kind,
            LedgerTransaction.source_id,
            LedgerTransaction.effective_on,
            minor.label("minor"),
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(_owned(person), LedgerEntry.currency == currency)
        .where(LedgerTransaction.effective_on.between(first, last))
        .group_by(LedgerTransaction.id)
        .having(minor != 0)
        .order_by(LedgerTransaction.effective_on, LedgerTransaction.id)
        .limit(LINES_MAX + 1)
    )
    return list(session.execute(rows))


def _abouts(
    session: Session,
    person: PersonId,
    rows: Collection[Row[UUID, SourceKind, str, date, int]],
) -> dict[UUID, str]:
    """What each movement is about: the job's title, or the run's reference."""
    sources = {row.id: parse_id(row.source_id.partition(":")[0]) for row in rows}
    ids = [source for source in sources.values() if source is not None]
    titles = (
        select(
            Accrual.id, Accrual.submission_id, Accrual.outcome_id, Accrual.decision_id, Job.title
        )
        .join(Job, Job.id == Accrual.job_id)
        .where(Accrual.specialist_id == person)
        .where(
            or_(
                Accrual.id.in_(ids),
                Accrual.submission_id.in_(ids),
                Accrual.outcome_id.in_(ids),
                Accrual.decision_id.in_(ids),
            )
        )
    )
    named: dict[UUID, str] = {}
    for *keys, title in session.execute(titles):
        named |= {key: title for key in keys if key is not None}
    runs = (
        select(PayoutLine.id, PayoutRun.reference)
        .join(PayoutRun, PayoutRun.id == PayoutLine.run_id)
        .where(PayoutLine.specialist_id == person, PayoutLine.id.in_(ids))
    )
    named |= {row[0]: row[1] for row in session.execute(runs)}
    return {row: named[source] for row, source in sources.items() if source in named}
