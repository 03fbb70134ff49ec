"""Bonuses: what labs give beyond the price, with the words that go with it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root
from marketplace.ids import JobId, PersonId, SubmissionId
from marketplace.money import Money


class Bonus(Root):
    """A lab's bonus for one submission; words: what the specialist reads beside it.

    fee_minor: our fee on top of it, which the lab paid as well.
    """

    __tablename__ = "bonus"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("fee_minor >= 0", name="fee"),
        Index("ix_bonus_submission_id", "submission_id"),
    )
    id: Mapped[IdKey]
    submission_id: Mapped[SubmissionId] = mapped_column(ForeignKey("submission.id"))
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    specialist_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    words: Mapped[str]
    once_key: Mapped[str] = mapped_column(unique=True)
    given_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    given_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        """What the specialist gets."""
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What we take on top of it."""
        return Money(self.fee_minor, self.currency)
