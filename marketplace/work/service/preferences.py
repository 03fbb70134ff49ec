"""How a person likes to work, and forgetting what only they ever saw."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import PersonId
from marketplace.work.models import Claim, ConversationEntry, Draft, Submission, WorkPreference
from marketplace.work.rules import ClaimState, keys


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


def forget_person(session: Session, person_id: PersonId) -> None:
    """Delete a person's keys, and drafts and conversations of what they never handed in.

    What they did hand in stays; its salts go, so that no chain tells any more whose it was.
    """
    unsent = select(Claim.id).where(
        Claim.specialist_id == person_id,
        Claim.state.not_in([ClaimState.SUBMITTED, ClaimState.RETURNED]),
    )
    session.execute(delete(Draft).where(Draft.claim_id.in_(unsent)))
    session.execute(delete(ConversationEntry).where(ConversationEntry.claim_id.in_(unsent)))
    session.execute(delete(WorkPreference).where(WorkPreference.person_id == person_id))
    theirs = update(Submission).where(Submission.specialist_id == person_id)
    session.execute(theirs.where(Submission.salt.is_not(None)).values(salt=None))
