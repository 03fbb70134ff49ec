"""Imports: files on their way into a job, and the rows of them that could not be used."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.jobs.rules import ImportKind, ImportState, Labels
from marketplace.secrets import EncryptedText


class JobImport(Root):
    """A file, an archive or a place in a bucket on its way into a job.

    kind: None until its content was looked at; source_url: where in a bucket it lies, "" in
    `storage_ref` then until one file was fetched; mapping: column → field, of tables; labels: what
    becomes of its labels; left_out: what could not be carried over, by reason.
    read_bytes, read_lines: where reading goes on, in the file behind `file_passed` of an archive;
    passed_bytes: of its files that were read whole; total_bytes: of all its files; chunks: how
    many parts were stored, so that nobody stores one twice.
    """

    __tablename__ = "job_import"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[ImportKind | None] = mapped_column(text_enum(ImportKind))
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
    source_url: Mapped[str | None]
    mapping: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    labels: Mapped[Labels] = mapped_column(text_enum(Labels), server_default="leave")
    left_out: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    file_passed: Mapped[str | None]
    passed_bytes: Mapped[int] = mapped_column(server_default="0")
    total_bytes: Mapped[int | None]
    images_added: Mapped[int] = mapped_column(server_default="0")
    images_known: Mapped[int] = mapped_column(server_default="0")
    chunks: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (
        one_of("kind", ImportKind),
        one_of("state", ImportState),
        one_of("labels", Labels),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint(
            "(state IN ('done', 'failed', 'dropped')) = (finished_at IS NOT NULL)", name="finished"
        ),
        CheckConstraint("rows_read = accepted + duplicates + rejected", name="rows_add_up"),
        Index("ix_job_import_job_id_id", "job_id", "id"),
    )

    @property
    def progress(self) -> tuple[int, int]:
        """How much was read, and of how much, in bytes; a whole where nothing is known."""
        total = self.total_bytes or self.size_bytes or 0
        done = min(self.passed_bytes + self.read_bytes, total) if total else 0
        return (total, total) if self.state is ImportState.DONE and total else (done, total)


class RejectedRow(Root):
    """One fault of one line of an import; never the line itself. file: of an archive."""

    __tablename__ = "rejected_row"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("job_import.id"))
    number: Mapped[int]
    line: Mapped[int]
    external_id: Mapped[str | None]
    pointer: Mapped[str]
    message: Mapped[str]
    file: Mapped[str | None]

    __table_args__ = (PrimaryKeyConstraint("import_id", "number"),)


class ImportMark(Root):
    """A part of a file that was stored, by its bytes: a later file that holds them need not be
    read there.

    start_bytes, end_bytes: the part; lines: the number of its last line; rows: it held; clean: all
    of them are in the job.
    """

    __tablename__ = "import_mark"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("job_import.id"))
    start_bytes: Mapped[int]
    end_bytes: Mapped[int]
    lines: Mapped[int]
    rows: Mapped[int]
    clean: Mapped[bool]
    sha256: Mapped[bytes]

    __table_args__ = (
        PrimaryKeyConstraint("import_id", "start_bytes"),
        CheckConstraint("start_bytes < end_bytes", name="extent"),
    )


class JobBucket(Root):
    """How a job's files are read from a bucket.

    endpoint: `aws` or an address; region: "" for the store's own.
    """

    __tablename__ = "job_bucket"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    endpoint: Mapped[str]
    region: Mapped[str]
    access_key_id: Mapped[str]
    secret_access_key: Mapped[str] = mapped_column(EncryptedText)
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]
