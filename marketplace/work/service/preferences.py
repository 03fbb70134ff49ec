"""How a person likes to work."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.work.models import WorkPreference
from marketplace.work.rules import keys


def move_keys(
    session: Session, actor: Actor, moved: Mapping[str, str], used: Mapping[str, Collection[str]]
) -> None:
    """Keep which keys the actor has moved; Faulty where two things would share a key.

    moved: default key to the key that does its work; used: the default keys of each kind of task.
    """
    kept = {"keys": keys.checked(moved, used), "changed_at": clock.now()}
    session.execute(
        insert(WorkPreference)
        .values(person_id=actor.person(), **kept)
        .on_conflict_do_update(index_elements=["person_id"], set_=kept)
    )
