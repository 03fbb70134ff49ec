"""Gold in ordinary work: how worn it is, what it was, what was scored by it, who doubts it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, JsonText, Root, one_of, text_enum
from marketplace.quality.rules.gold import (
    EXPOSURES_MAX_DEFAULT,
    AlarmKind,
    DisputeState,
    GoldCause,
    GoldState,
)


class GoldTerms(Root):
    """How gold is used in a job; a job without a row uses the defaults."""

    __tablename__ = "gold_terms"
    __table_args__ = (CheckConstraint("exposures_max BETWEEN 1 AND 10000", name="exposures_max"),)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    exposures_max: Mapped[int] = mapped_column(server_default=str(EXPOSURES_MAX_DEFAULT))


class GoldItem(Root):
    """A gold item that was met, or whose gold was changed. The gold itself stands on the item.

    exposures: people who took it and did not give it back; answered, right: what counts of their
    answers, agreements added up.
    """

    __tablename__ = "gold_item"
    __table_args__ = (
        Index("ix_gold_item_job_id", "job_id", "item_id"),
        CheckConstraint("0 <= exposures AND 0 <= answered", name="counts"),
        one_of("state", GoldState),
    )
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    state: Mapped[GoldState] = mapped_column(text_enum(GoldState))
    exposures: Mapped[int]
    answered: Mapped[int]
    right: Mapped[float]
    changed_at: Mapped[datetime]


class GoldVersion(Root):
    """What an item's gold was from a moment on; rows are only ever added. gold: None where it is
    gold no more; dispute_id: the doubt that led to it."""

    __tablename__ = "gold_version"
    __table_args__ = (
        UniqueConstraint("item_id", "number"),
        CheckConstraint("(cause = 'withdrawn') = (gold IS NULL)", name="gold"),
        one_of("cause", GoldCause),
    )
    id: Mapped[IdKey]
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    number: Mapped[int]
    gold: Mapped[dict[str, Any] | None] = mapped_column(JsonText(none_as_null=True))
    cause: Mapped[GoldCause] = mapped_column(text_enum(GoldCause))
    note: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    dispute_id: Mapped[UUID | None] = mapped_column(ForeignKey("gold_dispute.id"))
    made_at: Mapped[datetime]


class GoldScore(Root):
    """How far an answer agrees with gold; rows are only ever added.

    version: the gold's number, 0 as it was sent; exposure: how many people had taken the item by
    then; score: 0..1, None where the answers cannot be compared; weight: 0 teaches nothing (worn,
    reworked, seen before); superseded_at: since when another version counts; told_at: since when
    its author may read it.
    """

    __tablename__ = "gold_score"
    __table_args__ = (
        UniqueConstraint("submission_id", "version"),
        Index(
            "uq_gold_score_standing",
            "submission_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
        Index("ix_gold_score_job_id", "job_id", "person_id", "id"),
        Index("ix_gold_score_item_id", "item_id"),
        Index(
            "ix_gold_score_told",
            "person_id",
            "id",
            postgresql_where=text("told_at IS NOT NULL AND superseded_at IS NULL"),
        ),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        CheckConstraint("weight BETWEEN 0 AND 1", name="weight"),
    )
    id: Mapped[IdKey]
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int]
    exposure: Mapped[int]
    score: Mapped[float | None]
    weight: Mapped[float]
    scored_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class GoldDispute(Root):
    """A doubt about gold: of an author who was told, or of strong authors who say otherwise.

    raised_by: None for the latter, whose figures are kept; submission_id: the answer that doubts.
    """

    __tablename__ = "gold_dispute"
    __table_args__ = (
        Index("ix_gold_dispute_job_id", "job_id", "id"),
        Index(
            "uq_gold_dispute_open",
            "item_id",
            text("coalesce(raised_by, '00000000-0000-0000-0000-000000000000'::uuid)"),
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided_by"),
        one_of("state", DisputeState),
    )
    id: Mapped[IdKey]
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"))
    raised_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[DisputeState] = mapped_column(text_enum(DisputeState))
    raised_at: Mapped[datetime]
    note: Mapped[str | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


class GoldAlarm(Root):
    """Signs that gold is known before it is met. evidence: the figures, and ids of submissions."""

    __tablename__ = "gold_alarm"
    __table_args__ = (
        Index(
            "uq_gold_alarm_open",
            "job_id",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_gold_alarm_job_id", "job_id", "id"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by"),
        one_of("kind", AlarmKind),
    )
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[AlarmKind] = mapped_column(text_enum(AlarmKind))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    raised_at: Mapped[datetime]
    note: Mapped[str | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
