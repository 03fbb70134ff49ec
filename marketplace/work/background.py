"""Background functions of work."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.work import service

CHUNK = 200


@outbox.background("work.expire_leases", time_limit_seconds=120, every_seconds=10)
def expire_leases(work: outbox.Work) -> None:
    """End the leases whose time is over, in chunks of a transaction each."""
    ended = CHUNK
    while ended == CHUNK:
        with transaction() as session:
            ended = service.expire_leases(session, limit=CHUNK)
    with transaction() as session:
        outbox.done(session, work)
