"""Whether the chain, and its heads day by day, follow from what they are made of."""

from __future__ import annotations

from datetime import date
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ledger.models import LINKED, LedgerDay, LedgerTransaction
from marketplace.ledger.queries.totals import counted
from marketplace.ledger.rules.chain import Linked, linked
from marketplace.ledger.rules.days import day_content
from marketplace.secrets import chain_hash


def broken_links(session: Session) -> list[str]:
    """Where the chain of numbered transactions does not follow from what it is made of.

    Reads the whole chain, one batch at a time; stops at the first break, since all that follows
    hangs on it.
    """
    chain = (
        select(*LINKED, LedgerTransaction.number, LedgerTransaction.chain_hash)
        .where(LedgerTransaction.number.is_not(None))
        .order_by(LedgerTransaction.number)
    )
    link = b""
    with session.execute(chain, execution_options={"yield_per": 1_000}) as rows:
        for expected, row in enumerate(rows, start=1):
            if row.number != expected:
                return [f"Transaction number {expected} is missing from the chain."]
            link = chain_hash(link, linked(expected, cast(Linked, row)))
            if link != bytes(row.chain_hash):
                return [f"Transaction {row.id} (number {row.number}) was altered after numbering."]
    return []


def broken_days(session: Session) -> list[str]:
    """Where a day's head does not fit the chain, the book, or the day before it."""
    former, link = 0, b""
    for day in session.scalars(select(LedgerDay).order_by(LedgerDay.on_day)):
        entries, debits = counted(session, former, day.last_number)
        there = session.scalar(
            select(LedgerTransaction.chain_hash).where(LedgerTransaction.number == day.last_number)
        )
        if there is None or bytes(there) != bytes(day.chain_hash):
            return [f"The head of {day.on_day} is not what the chain says at {day.last_number}."]
        content = day_content(
            day.on_day,
            last_number=day.last_number,
            chain_hash=bytes(there),
            transaction_count=day.last_number - former,
            entry_count=entries,
            debits=debits,
        )
        link = chain_hash(link, content)
        kept = (day.transaction_count, day.entry_count, day.debits)
        if link != bytes(day.day_hash) or kept != (day.last_number - former, entries, debits):
            return [f"The head of {day.on_day} does not follow from the book."]
        former = day.last_number
    return []


def heads(
    session: Session, viewer: Actor, *, before: date | None = None, limit: int = 31
) -> list[LedgerDay]:
    """The heads of days, newest first, those before the day `before`."""
    viewer.require("finance.view")
    page = select(LedgerDay).order_by(LedgerDay.on_day.desc())
    if before is not None:
        page = page.where(LedgerDay.on_day < before)
    return list(session.scalars(page.limit(min(limit, 1_000))))
