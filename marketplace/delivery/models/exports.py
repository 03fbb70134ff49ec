"""The table of exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.delivery.rules import ExportState
from marketplace.ids import ExportId, JobId, OrganisationId, PersonId


class Export(Root):
    """One file of a job's accepted judgements. as_of: later decisions are not in it.

    items_read: progress; rows, bytes, sha256, counts: of the finished file.
    """

    __tablename__ = "export"
    __table_args__ = (
        one_of("state", ExportState),
        CheckConstraint("(state = 'done') = (sha256 IS NOT NULL)", name="done_has_hash"),
        Index("ix_export_job_id", "job_id", "id"),
        Index("ix_export_organisation_id", "organisation_id", "id"),
    )
    id: Mapped[ExportId] = mapped_column(primary_key=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    format: Mapped[str]
    policy: Mapped[str]
    filename: Mapped[str]
    state: Mapped[ExportState] = mapped_column(text_enum(ExportState))
    as_of: Mapped[datetime]
    items_total: Mapped[int]
    items_read: Mapped[int]
    rows: Mapped[int | None]
    bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    failure: Mapped[str | None]
    requested_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def reference(self) -> str:
        """Where the file stands in the store."""
        return f"exports/{self.id}/{self.filename}"
