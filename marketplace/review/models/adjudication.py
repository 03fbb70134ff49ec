"""Tasks whose judgements a third person settles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from marketplace.db import IdKey, JsonText, Root, one_of, text_enum
from marketplace.ids import JobId, PersonId, SubmissionId, TaskId, TemplateVersionId
from marketplace.review.rules import AdjudicationCause, AdjudicationState


class Adjudication(Root):
    """A third person's word on a task; the judgements that it is about all stay.

    units: the contested ones; judgement: what holds, in the item's own names; chosen_id: the
    answer that it was taken from, None where the adjudicator wrote their own; agreements: for
    each counted answer, by id, the share of its units that it has in common with what holds.
    """

    __tablename__ = "adjudication"
    __table_args__ = (
        one_of("state", AdjudicationState),
        one_of("cause", AdjudicationCause),
        CheckConstraint(
            "(state = 'settled') = (num_nulls(adjudicator_id, rationale, template_version_id) = 0)",
            name="settled",
        ),
        CheckConstraint("state = 'settled' OR judgement IS NULL", name="judgement"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("adjudicator_id <> opened_by", name="somebody_else"),
        Index(
            "uq_adjudication_open", "task_id", unique=True, postgresql_where=text("state = 'open'")
        ),
        Index("ix_adjudication_task_id", "task_id"),
        Index("ix_adjudication_job_id", "job_id", "id"),
    )
    id: Mapped[IdKey]
    task_id: Mapped[TaskId] = mapped_column(ForeignKey("task.id"))
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    state: Mapped[AdjudicationState] = mapped_column(text_enum(AdjudicationState))
    cause: Mapped[AdjudicationCause] = mapped_column(text_enum(AdjudicationCause))
    units: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    opened_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    adjudicator_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    template_version_id: Mapped[TemplateVersionId | None] = mapped_column(
        ForeignKey("template_version.id")
    )
    judgement: Mapped[Any | None] = mapped_column(JsonText)
    chosen_id: Mapped[SubmissionId | None] = mapped_column(ForeignKey("submission.id"))
    rationale: Mapped[str | None]
    agreements: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    ended_at: Mapped[datetime | None]
