"""Recurring work of identity."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.db import transaction
from marketplace.identity.models import OneTimeToken, SignIn
from marketplace.identity.service import once

KEPT_DAYS = 90


@outbox.background("identity.purge", time_limit_seconds=300, every_seconds=3600)
def purge(work: outbox.Work) -> None:
    """Delete old answers of idempotency keys, and links and sign-ins that ended 90 days ago."""
    with transaction() as session:
        once.forget_old(session)
        _purge_ended(session)
        outbox.done(session, work)


def _purge_ended(session: Session) -> None:
    long_ago = clock.now() - timedelta(days=KEPT_DAYS)
    session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < long_ago))
    ended = or_(SignIn.ended_at < long_ago, SignIn.last_seen_at < long_ago)
    session.execute(delete(SignIn).where(ended))
