"""Imports: files on their way into a job, and the rows of them that could not be used."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.jobs.rules import ImportKind, ImportState


class JobImport(Root):
    """A file on its way into a job. read_bytes, read_lines: where reading goes on."""

    __tablename__ = "job_import"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[ImportKind] = mapped_column(text_enum(ImportKind))
    state: Mapped[ImportState] = mapped_column(text_enum(ImportState))
    filename: Mapped[str]
    storage_ref: Mapped[str]
    size_bytes: Mapped[int | None]
    read_bytes: Mapped[int]
    read_lines: Mapped[int]
    rows_read: Mapped[int]
    accepted: Mapped[int]
    duplicates: Mapped[int]
    rejected: Mapped[int]
    rejections_kept: Mapped[int]
    failure: Mapped[str | None]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("kind", ImportKind),
        one_of("state", ImportState),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint(
            "(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="finished"
        ),
        CheckConstraint("rows_read = accepted + duplicates + rejected", name="rows_add_up"),
        Index("ix_job_import_job_id_id", "job_id", "id"),
    )


class RejectedRow(Root):
    """One fault of one line of an import; never the line itself."""

    __tablename__ = "rejected_row"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("job_import.id"))
    number: Mapped[int]
    line: Mapped[int]
    external_id: Mapped[str | None]
    pointer: Mapped[str]
    message: Mapped[str]

    __table_args__ = (PrimaryKeyConstraint("import_id", "number"),)
