"""What a webhook spoke of and nothing of ours explains yet."""

from __future__ import annotations

from datetime import timedelta

from marketplace import audit, outbox
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.errors import Missing

# What no payee or line of ours explains after this many looks is left to reconciliation.
LOOKS_MAX = 12


def not_found(work: outbox.Work, verb: str) -> None:
    """Look again later for what nothing explains yet; in the end reconciliation has it."""
    with transaction() as session:
        if work.attempt < LOOKS_MAX:
            wait = timedelta(minutes=work.attempt)
            outbox.again(session, work, error=Missing.__name__, after=wait)
            return
        audit.record(session, SYSTEM, verb, work.id)
        outbox.done(session, work)
