"""The newest comparison, its breaks, and the lines behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Faulty
from marketplace.ids import TransactionId
from marketplace.ledger.queries import BalanceAssertion, balance
from marketplace.ledger.rules import stripe_balance
from marketplace.money import Money
from marketplace.reconciliation.models import StripeStatement, StripeStatementLine
from marketplace.reconciliation.rules import (
    LABELS,
    Break,
    BreakKind,
    Line,
    Posted,
    Tie,
    breaks_between,
    sentences,
)

PAGE = 50
PAGE_MAX = 1_000
BREAKS_MAX = 5_000

# Each transaction that moved our balance at Stripe, with its fee (a fee of the account is the
# movement itself, not a fee of it), beside the line that its id names;
# `stated` says whether the newest statement stands on that line.
_SIDES = """
    WITH ours AS (
      SELECT t.id, t.balance_transaction_id AS bt, t.posted_at, t.source_kind, a.currency,
             sum(e.amount) FILTER (WHERE a.code LIKE 'A:stripe:balance:%') AS net,
             coalesce(sum(e.amount) FILTER (WHERE a.code LIKE 'E:stripe:%'), 0) AS fee
      FROM ledger_transaction t
      JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account a ON a.id = e.account_id
      WHERE e.account_id IN (SELECT id FROM ledger_account WHERE code LIKE 'A:stripe:balance:%'
                             OR code LIKE 'E:stripe:%')
      GROUP BY t.id, a.currency
      HAVING bool_or(a.code LIKE 'A:stripe:balance:%')),
    sides AS (
      SELECT ours.id AS transaction_id, ours.bt, ours.posted_at,
             ours.currency AS our_currency, ours.net AS our_net,
             CASE ours.source_kind WHEN 'stripe_fee' THEN coalesce(line.fee, 0) ELSE ours.fee END
               AS our_fee,
             line.id AS line_id, line.kind, line.currency, line.amount, line.fee, line.net,
             line.created_at, coalesce(line.seen_at <= :taken_at, false) AS stated
      FROM ours FULL JOIN (SELECT * FROM stripe_statement_line WHERE account = '') line
        ON line.id = ours.bt)
"""
_DIFFERENT = text(
    _SIDES  # noqa: S608 - both halves are constants.
    + """
    SELECT * FROM sides
    WHERE (line_id IS NULL AND posted_at <= :taken_at)
       OR (line_id IS NOT NULL AND (transaction_id IS NULL OR currency <> our_currency
           OR net <> our_net OR fee <> our_fee))
    ORDER BY coalesce(line_id, bt, transaction_id::text) LIMIT :most"""
)
_SUMS = text(
    _SIDES  # noqa: S608 - both halves are constants.
    + """
    SELECT coalesce(currency, our_currency) AS currency,
           coalesce(sum(net) FILTER (WHERE stated AND transaction_id IS NULL), 0) AS unposted,
           coalesce(sum(our_net) FILTER (WHERE NOT stated AND posted_at > :taken_at), 0) AS newer,
           count(*) FILTER (WHERE line_id IS NOT NULL AND transaction_id IS NOT NULL) AS paired
    FROM sides GROUP BY 1 ORDER BY 1"""
)


@dataclass(frozen=True, slots=True)
class Report:
    """The book against one statement. said: the differences in words; paired: lines that have
    their transaction; cut: there are more breaks than were read.
    """

    statement_id: UUID
    taken_at: datetime
    ties: tuple[Tie, ...]
    breaks: tuple[Break, ...]
    said: tuple[str, ...]
    paired: int
    cut: bool

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not self.breaks and all(tie.ties for tie in self.ties)

    def counts(self) -> dict[BreakKind, int]:
        """How many breaks of each kind."""
        return {kind: sum(one.kind is kind for one in self.breaks) for kind in LABELS}


def latest_statement(session: Session, viewer: Actor) -> StripeStatement | None:
    """The newest statement, or None before the first pull."""
    viewer.require("finance.view")
    newest = select(StripeStatement).where(StripeStatement.account == "")
    return session.scalar(newest.order_by(StripeStatement.id.desc()).limit(1))


def latest_report(session: Session, viewer: Actor) -> Report | None:
    """The book, as it is now, against the newest statement; None before the first pull."""
    statement = latest_statement(session, viewer)
    if statement is None:
        return None
    taken = {"taken_at": statement.taken_at}
    rows = session.execute(_DIFFERENT, taken | {"most": BREAKS_MAX + 1}).all()
    breaks = breaks_between(
        [_line(row) for row in rows if row.line_id is not None],
        [_posted(row) for row in rows if row.transaction_id is not None],
    )
    sums = session.execute(_SUMS, taken).all()
    ties = _ties(session, statement, sums)
    return Report(
        statement_id=statement.id,
        taken_at=statement.taken_at,
        ties=ties,
        breaks=tuple(breaks),
        said=tuple(sentences(breaks, ties, clock.now())),
        paired=sum(row.paired for row in sums),
        cut=len(rows) > BREAKS_MAX,
    )


def _line(row: Any) -> Line:
    return Line(
        id=row.line_id,
        kind=row.kind,
        amount=Money(row.amount, row.currency),
        fee=Money(row.fee, row.currency),
        created_at=row.created_at,
    )


def _posted(row: Any) -> Posted:
    fee = Money(int(row.our_fee), row.our_currency)
    return Posted(
        transaction_id=TransactionId(row.transaction_id),
        balance_transaction_id=row.bt,
        amount=Money(int(row.our_net or 0), row.our_currency) + fee,
        fee=fee,
        posted_at=row.posted_at,
    )


def _ties(session: Session, statement: StripeStatement, sums: Sequence[Any]) -> tuple[Tie, ...]:
    by_currency = {row.currency: row for row in sums}
    ties = []
    for currency in sorted({*by_currency, *statement.balances}):
        row = by_currency.get(currency)
        parts = statement.balances.get(currency, {})
        ties.append(
            Tie(
                stripe=Money(sum(parts.values()), currency),
                ledger=balance(session, stripe_balance(currency).code),
                unposted=Money(int(row.unposted) if row else 0, currency),
                newer=Money(int(row.newer) if row else 0, currency),
            )
        )
    return tuple(ties)


def breaks_page(session: Session, viewer: Actor, after: str = "", limit: int = PAGE) -> list[Break]:
    """Breaks of the newest comparison, by key; those after the key `after`."""
    report = latest_report(session, viewer)
    later = [one for one in report.breaks if one.key > after] if report else []
    return later[: min(limit, PAGE_MAX)]


def statement_lines(
    session: Session, viewer: Actor, after: str | None = None, limit: int = PAGE
) -> list[StripeStatementLine]:
    """Stored lines, newest first, after the line with the id `after`."""
    viewer.require("finance.view")
    key = tuple_(StripeStatementLine.created_at, StripeStatementLine.id)
    page = (
        select(StripeStatementLine)
        .where(StripeStatementLine.account == "")
        .order_by(StripeStatementLine.created_at.desc(), StripeStatementLine.id.desc())
    )
    if after:
        mark = session.get(StripeStatementLine, after)
        if mark is None:
            raise Faulty("The cursor is none of ours; start from the first page.")
        page = page.where(key < tuple_(mark.created_at, mark.id))
    return list(session.scalars(page.limit(min(limit, PAGE_MAX))))


def stripe_assertions(session: Session, viewer: Actor, zone: str) -> list[BalanceAssertion]:
    """What the newest statement says of our balance at Stripe, for the auditor's file.

    Beancount asserts as a day begins. With nothing posted after the statement, its balance holds
    on the day after everything in the book. Otherwise it is rolled back, by Stripe's own lines,
    to the beginning of the day on which it was taken. zone: the book's, an IANA name.
    """
    statement = latest_statement(session, viewer)
    report = latest_report(session, viewer)
    if statement is None or report is None:
        return []
    taken_on = clock.book_day(statement.taken_at, zone)
    asserted = []
    for tie in report.ties:
        code = stripe_balance(tie.stripe.currency).code
        on, amount = _day_after_all(session, taken_on), tie.stripe
        if tie.newer:
            on, amount = taken_on, amount - _moved_on(session, statement, amount, zone)
        name = f"Stripe's balance, taken at {statement.taken_at.isoformat()}"
        asserted.append(BalanceAssertion(on, code, amount, name))
    return asserted


def _day_after_all(session: Session, taken_on: date) -> date:
    last = session.scalar(text("SELECT max(effective_on) FROM ledger_transaction"))
    return max(taken_on, last or taken_on) + timedelta(days=1)


def _moved_on(session: Session, statement: StripeStatement, like: Money, zone: str) -> Money:
    """What Stripe's lines of the statement's own day sum to, in the currency of `like`."""
    day = clock.book_day(statement.taken_at, zone)
    begins = datetime.combine(day, time(), ZoneInfo(zone))
    minor = session.scalar(
        select(func.coalesce(func.sum(StripeStatementLine.net), 0)).where(
            StripeStatementLine.account == "",
            StripeStatementLine.currency == like.currency,
            StripeStatementLine.seen_at <= statement.taken_at,
            StripeStatementLine.created_at >= begins,
        )
    )
    return Money(int(minor or 0), like.currency)
