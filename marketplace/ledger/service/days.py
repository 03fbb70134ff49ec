"""The head of the chain, kept day by day: what a day ended with can never be told otherwise."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ledger.models import LedgerDay
from marketplace.ledger.queries.totals import counted
from marketplace.ledger.rules.days import day_content
from marketplace.secrets import chain_hash


def seal_day(session: Session, number: int, link: bytes) -> LedgerDay | None:
    """Keep the chain's head as of the day that ended last, once; None when there is nothing new.

    number, link: of the last numbered transaction. Called under the sequencer's lock and only
    when nothing waits for its number, so the head of a day is where the chain stood as the first
    sequencer of the next day began. A day on which nothing was numbered has no head of its own.
    """
    yesterday = clock.now().astimezone(UTC).date() - timedelta(days=1)
    former = _newest(session)
    before = 0 if former is None else former.last_number
    if number <= before or (former is not None and former.on_day >= yesterday):
        return None
    return _sealed(session, yesterday, former, number, link)


def _newest(session: Session) -> LedgerDay | None:
    return session.scalar(select(LedgerDay).order_by(LedgerDay.on_day.desc()).limit(1))


def _sealed(
    session: Session, on_day: date, former: LedgerDay | None, number: int, link: bytes
) -> LedgerDay:
    before = 0 if former is None else former.last_number
    entries, debits = counted(session, before, number)
    content = day_content(
        on_day,
        last_number=number,
        chain_hash=link,
        transaction_count=number - before,
        entry_count=entries,
        debits=debits,
    )
    day = LedgerDay(
        on_day=on_day,
        last_number=number,
        chain_hash=link,
        transaction_count=number - before,
        entry_count=entries,
        debits=debits,
        sealed_at=clock.now(),
        day_hash=chain_hash(b"" if former is None else former.day_hash, content),
    )
    session.add(day)
    session.flush()
    return day
