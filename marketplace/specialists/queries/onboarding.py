"""How far somebody's onboarding came."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.specialists.models import OnboardingStep
from marketplace.specialists.rules.onboarding import Step


@dataclass(frozen=True, slots=True)
class Passed:
    """The steps that somebody saved, and those that they put off."""

    saved: frozenset[Step]
    skipped: frozenset[Step]


def steps_passed(session: Session, viewer: Actor) -> Passed:
    """The viewer's own steps."""
    rows = session.execute(
        select(OnboardingStep.step, OnboardingStep.skipped).where(
            OnboardingStep.person_id == viewer.person()
        )
    ).all()
    return Passed(
        saved=frozenset(step for step, skipped in rows if not skipped),
        skipped=frozenset(step for step, skipped in rows if skipped),
    )
