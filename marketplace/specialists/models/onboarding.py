"""Which steps of onboarding a specialist has saved or put off."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.specialists.rules.onboarding import Step


class OnboardingStep(Root):
    """A step that somebody passed. skipped: put off for later; what was done is not skipped."""

    __tablename__ = "onboarding_step"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    step: Mapped[Step] = mapped_column(text_enum(Step))
    skipped: Mapped[bool]
    at: Mapped[datetime]

    __table_args__ = (PrimaryKeyConstraint("person_id", "step"), one_of("step", Step))
