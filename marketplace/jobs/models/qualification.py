"""Qualifications: the terms of a job that shows whether a specialist fits, and its bank."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.jobs.models.jobs import Ratio
from marketplace.jobs.rules import Feedback


class Qualification(Root):
    """The terms of a job whose purpose is qualification.

    items_a_form: what one attempt asks; forms: parallel ones, each person meets each at most
    once; cooldown_days: after an attempt that did not pass; valid_days: how long a pass stands;
    candidates_max: attempts, not people, that are paid for; places_taken of them are given out;
    time_limit_seconds: from the start of an attempt, what is open then counts as wrong;
    credential_type: what passing one of the platform's shows; it then counts as a verdict.
    """

    __tablename__ = "qualification"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    pass_ratio: Mapped[Decimal] = mapped_column(Ratio)
    items_a_form: Mapped[int]
    forms: Mapped[int]
    cooldown_days: Mapped[int]
    valid_days: Mapped[int]
    candidates_max: Mapped[int]
    time_limit_seconds: Mapped[int]
    feedback: Mapped[Feedback] = mapped_column(text_enum(Feedback))
    credential_type: Mapped[str | None]
    places_taken: Mapped[int]

    __table_args__ = (
        one_of("feedback", Feedback),
        CheckConstraint("pass_ratio > 0 AND pass_ratio <= 1", name="pass_ratio"),
        CheckConstraint("items_a_form >= 1 AND forms >= 1 AND candidates_max >= 1", name="sizes"),
        CheckConstraint("cooldown_days >= 0 AND valid_days >= 1", name="days"),
        CheckConstraint("time_limit_seconds >= 60", name="time_limit_seconds"),
        CheckConstraint("places_taken BETWEEN 0 AND candidates_max", name="places_taken"),
    )


class QualificationItem(Root):
    """An item of a bank as publishing dealt it. form: None for a spare, which may replace one."""

    __tablename__ = "qualification_item"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    concept: Mapped[str]
    form: Mapped[int | None]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        CheckConstraint("form >= 1", name="form"),
        CheckConstraint("(retired_at IS NULL) = (retired_by IS NULL)", name="retired"),
        Index("ix_qualification_item_job_id", "job_id", "form"),
    )
