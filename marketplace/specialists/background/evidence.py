"""Evidence whose time has ended is destroyed; its hash stays."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.specialists import service

BATCH = 100
DAY_SECONDS = 86_400


@outbox.background("specialists.purge_evidence", time_limit_seconds=900, every_seconds=DAY_SECONDS)
def purge_evidence(work: outbox.Work) -> None:
    """Delete each file from the store, then its key; stopped between, it is done over again."""
    while True:
        with transaction() as session:
            due = service.evidence_due(session, limit=BATCH)
        for file in due:
            service.delete_stored(file.reference)
            with transaction() as session:
                service.forget_evidence(session, file.id)
        if len(due) < BATCH:
            break
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("specialists.delete_file", time_limit_seconds=60)
def delete_file(work: outbox.Work, reference: str) -> None:
    """Delete a file from the store whose key is destroyed already; safe to run twice."""
    service.delete_stored(reference)
    with transaction() as session:
        outbox.done(session, work)
