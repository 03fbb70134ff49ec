"""What a lab may see of its top-ups."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import TopUp
from marketplace.errors import Missing
from marketplace.identity.rules import Permission

PAGE = 50


def top_ups_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[TopUp]:
    """The acting lab's top-ups, newest first; after: the id of the last one already seen."""
    viewer.require(Permission.BALANCE_VIEW)
    rows = select(TopUp).where(TopUp.organisation_id == viewer.organisation())
    if after is not None:
        rows = rows.where(TopUp.id < after)
    return list(session.scalars(rows.order_by(TopUp.id.desc()).limit(limit)))


def top_up_of(session: Session, viewer: Actor, top_up_id: UUID) -> TopUp:
    """One top-up of the acting lab; Missing when it is not there or another lab's."""
    viewer.require(Permission.BALANCE_VIEW)
    row = session.get(TopUp, top_up_id)
    if row is None or row.organisation_id != viewer.organisation():
        raise Missing("There is no such top-up.")
    return row
