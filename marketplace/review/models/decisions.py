"""Verdicts, and the pay that they earn."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.ids import AccrualId, DecisionId, JobId, OutcomeId, PersonId, SubmissionId
from marketplace.money import Money
from marketplace.review.rules import AccrualKind, OverturnCause, Verdict


class Decision(Root):
    """A verdict on a submission. reviewer_id is None when it was accepted without review.

    overturns_id: the verdict on the same submission that this one takes the place of, with the
    cause; triggers hold that it says otherwise and comes from somebody else. The last of such a
    line stands (`queries.standing_decisions`).
    """

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("reviewer_id <> author_id", name="not_own_work"),
        CheckConstraint("(overturns_id IS NULL) = (cause IS NULL)", name="cause_of_overturning"),
        one_of("verdict", Verdict),
        one_of("cause", OverturnCause),
        UniqueConstraint("id", "submission_id"),
        ForeignKeyConstraint(
            ["overturns_id", "submission_id"], ["decision.id", "decision.submission_id"]
        ),
        Index("ix_decision_job_id", "job_id", "id"),
        Index("ix_decision_submission_id", "submission_id"),
        Index(
            "uq_decision_first",
            "submission_id",
            unique=True,
            postgresql_where=text("overturns_id IS NULL"),
        ),
    )
    id: Mapped[DecisionId] = mapped_column(primary_key=True)
    submission_id: Mapped[SubmissionId] = mapped_column(ForeignKey("submission.id"))
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    author_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    reviewer_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    verdict: Mapped[Verdict] = mapped_column(text_enum(Verdict))
    defects: Mapped[list[Any]] = mapped_column(JSONB)
    note: Mapped[str]
    decided_at: Mapped[datetime]
    overturns_id: Mapped[DecisionId | None] = mapped_column(unique=True)
    cause: Mapped[OverturnCause | None] = mapped_column(text_enum(OverturnCause))


class Accrual(Root):
    """Pay that was earned, until it clears on the date frozen with it, or is taken back.

    kind: what for; a submission that was accepted, a task that could not be done, or a bonus.
    decision_id: the decision that accepted it after all, where it was rejected before;
    reversed_at: since when it is taken back, since the acceptance was overturned; a trigger lets it
    clear no more.
    """

    __tablename__ = "accrual"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="not_negative"),
        CheckConstraint("num_nonnulls(submission_id, outcome_id, bonus_id) = 1", name="one_cause"),
        CheckConstraint("(kind = 'bonus') = (bonus_id IS NOT NULL)", name="kind_of_bonus"),
        CheckConstraint(
            "(kind = 'cannot_complete') = (outcome_id IS NOT NULL)", name="kind_of_cause"
        ),
        CheckConstraint(
            "kind <> 'overturned' OR decision_id IS NOT NULL", name="overturned_by_a_decision"
        ),
        one_of("kind", AccrualKind),
        Index(
            "ix_accrual_due",
            "clears_at",
            postgresql_where=text("cleared_at IS NULL AND reversed_at IS NULL"),
        ),
        Index(
            "uq_accrual_standing",
            "submission_id",
            unique=True,
            postgresql_where=text("reversed_at IS NULL"),
        ),
        Index("ix_accrual_submission_id", "submission_id"),
        Index("ix_accrual_specialist_id", "specialist_id", "id"),
    )
    id: Mapped[AccrualId] = mapped_column(primary_key=True)
    kind: Mapped[AccrualKind] = mapped_column(text_enum(AccrualKind))
    submission_id: Mapped[SubmissionId | None] = mapped_column(ForeignKey("submission.id"))
    decision_id: Mapped[DecisionId | None] = mapped_column(ForeignKey("decision.id"), unique=True)
    outcome_id: Mapped[OutcomeId | None] = mapped_column(ForeignKey("outcome.id"), unique=True)
    bonus_id: Mapped[UUID | None] = mapped_column(ForeignKey("bonus.id"), unique=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    specialist_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    accrued_at: Mapped[datetime]
    clears_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    reversed_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What was earned."""
        return Money(self.amount_minor, self.currency)
