"""Housekeeping of webhooks, and the watch over jobs whose last task became final."""

from __future__ import annotations

from datetime import timedelta

from marketplace import clock, outbox
from marketplace.db import transaction
from marketplace.delivery.rules.webhooks import KEPT_DAYS
from marketplace.delivery.service import completion
from marketplace.delivery.service.webhook_records import purge_deliveries


@outbox.background("delivery.purge_webhooks", time_limit_seconds=300, every_seconds=3600)
def purge_webhooks(work: outbox.Work) -> None:
    """Delete deliveries that ended thirty days ago, some thousands at a time."""
    before = clock.now() - timedelta(days=KEPT_DAYS)
    gone = 1
    while gone:
        with transaction() as session:
            gone = purge_deliveries(session, before=before)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("delivery.watch_jobs", time_limit_seconds=60, every_seconds=15)
def watch_jobs(work: outbox.Work) -> None:
    """Tell of jobs that were completed since the last look."""
    with transaction() as session:
        completion.tell_completed(session)
        outbox.done(session, work)
