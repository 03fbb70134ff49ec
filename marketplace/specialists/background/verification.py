"""Asking about credentials: read and commit, ask, record and commit."""

from __future__ import annotations

from uuid import UUID

from marketplace import clock, outbox, settings
from marketplace.db import transaction
from marketplace.specialists import registries, service

BATCH = 500


@outbox.background("specialists.verify", time_limit_seconds=300)
def verify(
    work: outbox.Work, claim_id: str, only: list[str] | None = None, attempt: int = 1
) -> None:
    """Ask every verifier that applies to a claim, and keep what they said.

    Safe to run twice and to be killed at every moment: what was asked and not recorded is asked
    again. only: keys of verifiers, None for all; attempt: how many times they were asked, from 1.
    """
    known = registries.verifiers(settings.current())
    with transaction() as session:
        look = service.look_at(session, UUID(claim_id), known, only)
    if look is not None:
        now = clock.now()
        verdicts = [known[key].verify(look.claimed, look.subject, now) for key in look.keys]
        with transaction() as session:
            service.record_verdicts(session, look, verdicts, only=only, attempt=attempt)
            outbox.done(session, work)
        return
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("specialists.recheck", time_limit_seconds=600, every_seconds=86_400)
def recheck(work: outbox.Work) -> None:
    """Have claims looked at whose last check grows old; batch after batch, each committed."""
    after: UUID | None = None
    while True:
        with transaction() as session:
            after = service.recheck_due(session, after=after, limit=BATCH)
        if after is None:
            break
    with transaction() as session:
        service.forget_abandoned(session, limit=BATCH)
        outbox.done(session, work)
