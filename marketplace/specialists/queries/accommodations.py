"""Who works with assistive means: for themselves, and for what must not hold it against them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.specialists.models import Accommodation
from marketplace.specialists.rules.accommodations import AssistiveKind


def own_accommodation(session: Session, viewer: Actor) -> list[AssistiveKind]:
    """What the viewer said of themselves; nobody else ever reads it."""
    viewer.require(Permission.WORK_DO)
    row = session.get(Accommodation, viewer.person())
    return [AssistiveKind(word) for word in row.kinds.split()] if row else []


def accommodated(session: Session, people: Collection[UUID]) -> frozenset[UUID]:
    """Those of some people whose speed and wording say nothing of their honesty; for detection
    only, never for a page."""
    asked = select(Accommodation.person_id).where(Accommodation.person_id.in_(people))
    return frozenset(session.scalars(asked))
