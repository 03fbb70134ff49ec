"""The brake on rejections, and the rejections that it holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import JobId, OrganisationId, PersonId, SubmissionId
from marketplace.review.rules import BrakeState, HeldState, Verdict


class Brake(Root):
    """A hold on the rejections of one reviewer in a job, or of all (reviewer_id is None).

    rate, lower, bound: the numbers at which it fell, each 0..1. Rejecting goes on only when an
    owner of the lab and operations both said why it is right; either may let it all go.
    """

    __tablename__ = "brake"
    __table_args__ = (
        one_of("state", BrakeState),
        CheckConstraint("lower > bound AND rate >= lower", name="numbers"),
        CheckConstraint(
            "state <> 'confirmed' OR num_nulls(lab_confirmed_by, operations_confirmed_by) = 0",
            name="both_sides",
        ),
        CheckConstraint("lab_confirmed_by <> operations_confirmed_by", name="two_people"),
        CheckConstraint("operations_confirmed_by <> reviewer_id", name="not_own_rejections"),
        CheckConstraint("(lab_confirmed_by IS NULL) = (lab_reason IS NULL)", name="lab_reason"),
        CheckConstraint(
            "(operations_confirmed_by IS NULL) = (operations_reason IS NULL)",
            name="operations_reason",
        ),
        CheckConstraint("(state = 'holding') = (ended_at IS NULL)", name="ended"),
        Index(
            "uq_brake_holding",
            "job_id",
            text("coalesce(reviewer_id, '00000000-0000-0000-0000-000000000000')"),
            unique=True,
            postgresql_where=text("state = 'holding'"),
        ),
        Index("ix_brake_organisation_id", "organisation_id", "id"),
    )
    id: Mapped[IdKey]
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    reviewer_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[BrakeState] = mapped_column(text_enum(BrakeState))
    rate: Mapped[float]
    lower: Mapped[float]
    bound: Mapped[float]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    lab_confirmed_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    lab_reason: Mapped[str | None]
    operations_confirmed_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    operations_reason: Mapped[str | None]
    released_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    release_reason: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class HeldDecision(Root):
    """A rejection that a brake holds: said by its reviewer, told to nobody, carried out by both
    confirmations. The answer stays under review meanwhile."""

    __tablename__ = "held_decision"
    __table_args__ = (
        one_of("state", HeldState),
        CheckConstraint("verdict = 'reject'", name="verdict"),
        CheckConstraint("reviewer_id <> author_id", name="not_own_work"),
        Index(
            "uq_held_decision_submission_id",
            "submission_id",
            unique=True,
            postgresql_where=text("state = 'held'"),
        ),
        Index("ix_held_decision_brake_id", "brake_id", "id"),
    )
    id: Mapped[IdKey]
    brake_id: Mapped[UUID] = mapped_column(ForeignKey("brake.id"))
    submission_id: Mapped[SubmissionId] = mapped_column(ForeignKey("submission.id"))
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    author_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    reviewer_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    state: Mapped[HeldState] = mapped_column(text_enum(HeldState))
    verdict: Mapped[Verdict] = mapped_column(text_enum(Verdict))
    defects: Mapped[list[Any]] = mapped_column(JSONB)
    note: Mapped[str]
    decided_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
