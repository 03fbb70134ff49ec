"""Background functions of review."""

from __future__ import annotations

from marketplace import outbox, settings
from marketplace.db import transaction
from marketplace.review import service

CHUNK = 50


@outbox.background("review.accept_arrived", time_limit_seconds=300, every_seconds=5)
def accept_arrived(work: outbox.Work) -> None:
    """Accept what was not sampled for review, in chunks of a transaction each."""
    accepted = CHUNK
    while accepted == CHUNK:
        with transaction() as session:
            accepted = service.accept_arrived(
                session, clearance_days=settings.current().clearance_days, limit=CHUNK
            )
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("review.clear_due", time_limit_seconds=300, every_seconds=30)
def clear_due(work: outbox.Work) -> None:
    """Make pay available whose date has come, in chunks of a transaction each."""
    cleared = CHUNK
    while cleared == CHUNK:
        with transaction() as session:
            cleared = service.clear_due(session, limit=CHUNK)
    with transaction() as session:
        outbox.done(session, work)
