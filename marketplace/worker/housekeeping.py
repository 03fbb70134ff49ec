"""Recurring work of the house itself."""

from __future__ import annotations

from datetime import timedelta

from marketplace import clock, outbox
from marketplace.db import transaction

KEPT_DAYS = 7


@outbox.background("worker.purge", time_limit_seconds=300, every_seconds=3600)
def purge(work: outbox.Work) -> None:
    """Delete outbox rows that were done a week ago."""
    with transaction() as session:
        outbox.purge(session, before=clock.now() - timedelta(days=KEPT_DAYS))
        outbox.done(session, work)
