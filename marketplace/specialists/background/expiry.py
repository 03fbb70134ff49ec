"""What time does to credentials."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.specialists import service

BATCH = 500


@outbox.background("specialists.expire", time_limit_seconds=600, every_seconds=3_600)
def expire(work: outbox.Work) -> None:
    """Let credentials expire, or say that they soon will; batch after batch, each committed."""
    while True:
        with transaction() as session:
            due = service.expire_credentials(session, limit=BATCH)
        if due < BATCH:
            break
    with transaction() as session:
        outbox.done(session, work)
