"""The tables of hybrid pipelines: the policy of a job, each item's route, labels, rounds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.quality.rules.pipeline import Policy, Reason, Route
from marketplace.quality.rules.pipeline_words import PipelineState

Ratio = Numeric(4, 3)


class Pipeline(Root):
    """How models and specialists share a job's items.

    confidence_target: what is sure enough, of an item and of a slice; audit_ratio: the share of
    the sure ones that specialists look at; slice_field: the field of an item's metadata that tells
    slices; items_max: the most items that specialists judge; kept_share: the part of these that
    unsure items leave to the audit and to later rounds; seed: of every draw; round: rounds
    sent, 1 the first; items_routed: items up to this position have their route; slices: their
    names, by number; judged: answers that the report knows; report: the last estimates, as
    `queries.pipeline_of` shows them.
    """

    __tablename__ = "pipeline"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    state: Mapped[PipelineState] = mapped_column(text_enum(PipelineState))
    confidence_target: Mapped[Decimal] = mapped_column(Ratio)
    audit_ratio: Mapped[Decimal] = mapped_column(Ratio)
    slice_field: Mapped[str | None]
    items_max: Mapped[int]
    rounds_max: Mapped[int]
    kept_share: Mapped[Decimal] = mapped_column(Ratio)
    seed: Mapped[int]
    round: Mapped[int]
    items_routed: Mapped[int]
    slices: Mapped[list[str]]
    judged: Mapped[int]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    computed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", PipelineState),
        CheckConstraint("confidence_target BETWEEN 0 AND 1", name="confidence_target"),
        CheckConstraint("audit_ratio BETWEEN 0 AND 1", name="audit_ratio"),
        CheckConstraint("items_max >= 1", name="items_max"),
        CheckConstraint("kept_share BETWEEN 0 AND 0.9", name="kept_share"),
        CheckConstraint("rounds_max BETWEEN 1 AND 10", name="rounds_max"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="done_has_time"),
    )

    @property
    def policy(self) -> Policy:
        """What the rules ask."""
        return Policy(
            float(self.confidence_target),
            float(self.audit_ratio),
            self.items_max,
            self.rounds_max,
            float(self.kept_share),
        )


class PipelineItem(Root):
    """The route of one item. confidence: of what models say of it alone; inclusion: the chance
    with which specialists were to see it; stratum: items of one number were drawn together; round:
    when it went to specialists, 0 where it did not."""

    __tablename__ = "pipeline_item"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    position: Mapped[int]
    slice: Mapped[int]
    route: Mapped[Route] = mapped_column(text_enum(Route))
    reason: Mapped[Reason] = mapped_column(text_enum(Reason))
    confidence: Mapped[float]
    inclusion: Mapped[float]
    stratum: Mapped[int]
    round: Mapped[int]

    __table_args__ = (
        Index("ix_pipeline_item_position", "job_id", "position", unique=True),
        one_of("route", Route),
        one_of("reason", Reason),
        CheckConstraint("inclusion BETWEEN 0 AND 1", name="inclusion"),
        CheckConstraint("(route = 'model') = (round = 0)", name="round"),
    )


class PipelineLabel(Root):
    """What is known of one unit of an item: its label, how sure that is, and who spoke of it."""

    __tablename__ = "pipeline_label"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    unit: Mapped[str]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    label: Mapped[str]
    confidence: Mapped[float]
    humans: Mapped[int]
    models: Mapped[int]

    __table_args__ = (
        PrimaryKeyConstraint("item_id", "unit"),
        Index("ix_pipeline_label_job_id", "job_id"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    )


class PipelineRound(Root):
    """What one round found and sent; rows are only ever added. facts: by slice, as shown."""

    __tablename__ = "pipeline_round"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    number: Mapped[int]
    facts: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]

    __table_args__ = (PrimaryKeyConstraint("job_id", "number"),)
