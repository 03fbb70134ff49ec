"""Onboarding: each step is remembered on its own, saved or put off."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.specialists.models import OnboardingStep
from marketplace.specialists.rules.onboarding import Step, may_skip


def pass_step(session: Session, actor: Actor, step: Step, *, skipped: bool = False) -> None:
    """Remember that the actor saved a step, or put it off; a saved one never becomes skipped.

    Raises Conflict for a step that nothing works without.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    if skipped and not may_skip(step):
        raise Conflict("This step cannot wait: without it no job can be offered to you.")
    row = insert(OnboardingStep).values(
        person_id=actor.person(), step=step, skipped=skipped, at=clock.now()
    )
    key = ["person_id", "step"]
    if skipped:
        session.execute(row.on_conflict_do_nothing(index_elements=key))
        return
    fresh = {"skipped": False, "at": row.excluded.at}
    session.execute(row.on_conflict_do_update(index_elements=key, set_=fresh))
