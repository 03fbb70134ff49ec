"""Who looks at what: a job's rules of review, the lots, second looks, and who is watched."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import DecisionId, JobId, PersonId, SubmissionId
from marketplace.review.rules import EndedBy, Policy, SecondLookState, Verdict


class ReviewPolicy(Root):
    """What a job says of its reviews; where there is no row, `Policy()` says it."""

    __tablename__ = "review_policy"
    __table_args__ = (
        CheckConstraint("days_max BETWEEN 1 AND 30", name="days_max"),
        CheckConstraint("second_look_ratio BETWEEN 0 AND 1", name="second_look_ratio"),
    )
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"), primary_key=True)
    days_max: Mapped[int]
    second_look_ratio: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    adjudicates: Mapped[bool]
    changed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]

    @property
    def policy(self) -> Policy:
        """The same as the rules know it."""
        return Policy(self.days_max, float(self.second_look_ratio), self.adjudicates)


class ReviewDraw(Root):
    """Whether an answer was drawn for review, at which chance and why; and until when.

    chance: the probability with which it was drawn, 0..1; formula: which version of the formula
    said so; due_at: when it is accepted by itself; ended_by: what ended its wait.
    """

    __tablename__ = "review_draw"
    __table_args__ = (
        CheckConstraint("chance BETWEEN 0 AND 1", name="chance"),
        CheckConstraint("NOT sampled OR chance > 0", name="sampled"),
        CheckConstraint("sampled = (due_at IS NOT NULL)", name="due"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        one_of("ended_by", EndedBy),
        Index("ix_review_draw_job_id", "job_id", "submission_id"),
        Index(
            "ix_review_draw_due",
            "due_at",
            postgresql_where=text("sampled AND ended_at IS NULL"),
        ),
    )
    submission_id: Mapped[SubmissionId] = mapped_column(
        ForeignKey("submission.id"), primary_key=True
    )
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    chance: Mapped[float]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    formula: Mapped[int]
    sampled: Mapped[bool]
    drawn_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[EndedBy | None] = mapped_column(text_enum(EndedBy))


class ReviewWatch(Root):
    """A person whose next answers in a job are all looked at. left: how many still; why: a code."""

    __tablename__ = "review_watch"
    __table_args__ = (
        PrimaryKeyConstraint("job_id", "person_id"),
        CheckConstraint('"left" >= 0', name="left"),
    )
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    left: Mapped[int]
    why: Mapped[str]
    set_at: Mapped[datetime]


class SecondLook(Root):
    """A rejection that somebody else looks at without knowing of it.

    first_reviewer_id, author_id: of the decision, so that the row itself keeps them apart.
    """

    __tablename__ = "second_look"
    __table_args__ = (
        one_of("state", SecondLookState),
        one_of("verdict", Verdict),
        CheckConstraint("reviewer_id NOT IN (first_reviewer_id, author_id)", name="somebody_else"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint(
            "(state IN ('upheld', 'disagreed')) = (reviewer_id IS NOT NULL)", name="reviewer"
        ),
        CheckConstraint("(reviewer_id IS NULL) = (verdict IS NULL)", name="verdict_by"),
        Index("ix_second_look_job_id", "job_id", "id"),
        Index(
            "ix_second_look_open",
            "due_at",
            postgresql_where=text("state = 'open'"),
        ),
    )
    id: Mapped[IdKey]
    decision_id: Mapped[DecisionId] = mapped_column(ForeignKey("decision.id"), unique=True)
    submission_id: Mapped[SubmissionId] = mapped_column(ForeignKey("submission.id"), unique=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    author_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    first_reviewer_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    state: Mapped[SecondLookState] = mapped_column(text_enum(SecondLookState))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    reviewer_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    verdict: Mapped[Verdict | None] = mapped_column(text_enum(Verdict))
    note: Mapped[str | None]
    defects: Mapped[list[Any] | None] = mapped_column(JSONB)
    ended_at: Mapped[datetime | None]

    @property
    def decided_at(self) -> datetime | None:
        """When the second verdict was said, as a decision calls it."""
        return self.ended_at
