"""The feed of events."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.outbox import Event

LIMIT_MAX = 200


def events_after(
    session: Session, viewer: Actor, *, after: int = 0, limit: int = 100
) -> Sequence[Event]:
    """The organisation's numbered events in order; a cursor over them never skips one."""
    viewer.require(Permission.JOBS_VIEW)
    return session.scalars(
        select(Event)
        .where(Event.organisation_id == viewer.organisation(), Event.organisation_number > after)
        .order_by(Event.organisation_number)
        .limit(min(limit, LIMIT_MAX))
    ).all()
