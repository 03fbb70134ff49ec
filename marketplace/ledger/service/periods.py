"""The months of the book."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Refused
from marketplace.ledger.models import LedgerPeriod, PeriodState
from marketplace.ledger.service.posting import PeriodClosed, book_today


def close_period(session: Session, actor: Actor, month: date) -> None:
    """Let a month take no more postings; waits for those under way. month: any day of it."""
    actor.require("reconciliation.work")
    first = month.replace(day=1)
    if first >= book_today().replace(day=1):
        raise Refused("A month can be closed once it is over.", code="month_not_over")
    session.execute(
        insert_or_not(LedgerPeriod)
        .values(month=first, state=PeriodState.OPEN)
        .on_conflict_do_nothing()
    )
    closed = session.execute(
        update(LedgerPeriod)
        .where(LedgerPeriod.month == first, LedgerPeriod.state == PeriodState.OPEN)
        .values(state=PeriodState.CLOSED, closed_at=clock.now())
        .returning(LedgerPeriod.month)
    ).first()
    if closed is None:
        raise PeriodClosed(f"{first:%Y-%m} is closed already.")
    # A month has no id of its own; its digits make one.
    month_id = UUID(int=int(f"{first:%Y%m}"))
    audit.record(session, actor, "closed month", month_id, month=f"{first:%Y-%m}")
