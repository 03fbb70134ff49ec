"""Saying privately that one works with assistive means, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.specialists.models import Accommodation
from marketplace.specialists.rules import accommodations as rules


def say_accommodation(session: Session, actor: Actor, words: Iterable[str]) -> None:
    """Keep what the actor works with; none of it takes back what was said before.

    Not in the audit trail, which more people read than may know.
    """
    actor.require(Permission.WORK_DO)
    kinds = rules.chosen(words)
    if not kinds:
        own = delete(Accommodation).where(Accommodation.person_id == actor.person())
        session.execute(own)
        return
    said = {"kinds": " ".join(kinds), "said_at": clock.now()}
    row = insert(Accommodation).values(person_id=actor.person(), **said)
    session.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=said))
