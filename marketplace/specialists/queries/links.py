"""Whether somebody declared a household; never who else lives there."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.specialists.models import PersonLink
from marketplace.specialists.rules.links import LinkKind


def in_household(session: Session, viewer: Actor) -> bool:
    """Whether the viewer has said that they live with somebody who works here."""
    own = select(PersonLink.person_id).where(
        PersonLink.person_id == viewer.person(), PersonLink.kind == LinkKind.HOUSEHOLD
    )
    return session.scalar(own.limit(1)) is not None
