"""Bonuses that were given."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.review.models import Bonus

SHOWN_MAX = 200


def bonuses_of(session: Session, submission_ids: Collection[UUID]) -> list[Bonus]:
    """The bonuses of submissions that the caller may see, oldest first."""
    rows = select(Bonus).where(Bonus.submission_id.in_(submission_ids))
    return list(session.scalars(rows.order_by(Bonus.id).limit(SHOWN_MAX)))


def own_bonuses(session: Session, viewer: Actor, bonus_ids: Collection[UUID]) -> dict[UUID, Bonus]:
    """The viewer's own bonuses by their ids, for the words that go with the pay."""
    viewer.require(Permission.EARNINGS_VIEW)
    rows = select(Bonus).where(Bonus.id.in_(bonus_ids), Bonus.specialist_id == viewer.person())
    return {bonus.id: bonus for bonus in session.scalars(rows.limit(SHOWN_MAX))}
