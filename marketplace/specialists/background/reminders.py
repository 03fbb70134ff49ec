"""Letters that time asks for: credentials that run out, lists that have grown old."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.specialists.rules.lists import PublishedList
from marketplace.specialists.service import lists, reminders

BATCH = 500


@outbox.background("specialists.remind", time_limit_seconds=600, every_seconds=3_600)
def remind(work: outbox.Work) -> None:
    """Write the reminders that are due; by the hour, since days begin at each hour somewhere."""
    after = None
    while True:
        with transaction() as session:
            after = reminders.send_reminders(session, after=after, limit=BATCH)
        if after is None:
            break
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("specialists.tell_of_old_list", time_limit_seconds=60)
def tell_of_old_list(work: outbox.Work, source: str) -> None:
    """Ask those who verify credentials for a newer edition of a list."""
    with transaction() as session:
        edition = lists.current_snapshot(session, PublishedList(source))
        if edition is not None:
            reminders.tell_of_old_list(session, edition)
        outbox.done(session, work)
