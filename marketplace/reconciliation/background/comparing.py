"""Comparing everything with everything, in the hour and when somebody asks."""

from __future__ import annotations

import hashlib
from uuid import UUID

from marketplace import outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.reconciliation import service
from marketplace.reconciliation.background.statements import content_of, settle
from marketplace.reconciliation.models import Reconciliation
from marketplace.secrets import Undecryptable

RUN_EVERY_SECONDS = 3_600
FILES_AT_ONCE = 100


def compare_all(actor: Actor) -> Reconciliation:
    """Post what explains itself, look at every kept file, then compare and record what differs.

    Call it outside a transaction. Raises Denied without the permission to reconcile.
    """
    settle()
    altered = altered_files()
    with transaction() as session:
        return service.reconcile(session, actor=actor, altered=altered)


def altered_files() -> list[UUID]:
    """The files of banks that are gone from the store, or are not what was uploaded."""
    altered: list[UUID] = []
    after: UUID | None = None
    while True:
        with transaction() as session:
            files = service.files_after(session, after, FILES_AT_ONCE)
        for file in files:
            try:
                content = content_of(file.reference, file.file_key, file.id)
                sound = hashlib.sha256(content).digest() == bytes(file.sha256)
            except (Missing, Undecryptable):
                sound = False
            if not sound:
                altered.append(file.id)
        if len(files) < FILES_AT_ONCE:
            return altered
        after = files[-1].id


@outbox.background(
    "reconciliation.reconcile", time_limit_seconds=600, every_seconds=RUN_EVERY_SECONDS
)
def reconcile(work: outbox.Work) -> None:
    """The comparison of the hour. Safe to repeat: what it finds again is the same break."""
    compare_all(SYSTEM)
    with transaction() as session:
        outbox.done(session, work)
