"""Background functions of work."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.work import service

CHUNK = 200
# What is over after that many chunks waits for the next round, ten seconds later.
CHUNKS_A_ROUND = 20


@outbox.background("work.expire_leases", time_limit_seconds=120, every_seconds=10)
def expire_leases(work: outbox.Work) -> None:
    """End the leases whose time is over, in chunks of a transaction each, so many a round."""
    for _ in range(CHUNKS_A_ROUND):
        with transaction() as session:
            if service.expire_leases(session, limit=CHUNK) < CHUNK:
                break
    with transaction() as session:
        outbox.done(session, work)
