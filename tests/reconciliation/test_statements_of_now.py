"""What is missing of a month that is not over: nothing of days that nobody can tell yet."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace.ledger.service import book_today
from marketplace.reconciliation.queries.completeness import completeness


def test_nobody_is_asked_for_days_that_have_not_been(session: Session) -> None:
    today = book_today()
    coming = (today.replace(day=1) + timedelta(days=32)).replace(day=1)

    assert [] == completeness(session, coming)
    assert all(gap.since < today for gap in completeness(session, today))
    past = today.replace(day=1) - timedelta(days=1)
    assert ["statement"] == [gap.kind for gap in completeness(session, past)]
