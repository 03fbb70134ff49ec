"""The tables of exports: the files, their parts, and what was frozen for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.delivery.rules import Compression, DeliveryState, ExportState
from marketplace.ids import ExportId, JobId, OrganisationId, PersonId


class Export(Root):
    """One file of a job's accepted judgements, as they were at one event of the job.

    mark_id: the event that says when; as_of_event: its number in the job's chain, known once it
    is numbered; as_of: the moment. since_id: the export that this one tells the changes from.
    frozen: what may change later and stands in the file (the job's domain, its version).
    items_read: progress; rows, bytes, sha256, counts, manifest: of the finished file, and kept
    when it expires. deliver_to: an address such as s3://bucket/folder/; upload: how far that is.
    """

    __tablename__ = "export"
    __table_args__ = (
        one_of("state", ExportState),
        one_of("compression", Compression),
        one_of("delivery_state", DeliveryState),
        CheckConstraint("state <> 'done' OR sha256 IS NOT NULL", name="done_has_hash"),
        CheckConstraint(
            "(deliver_to IS NULL) = (delivery_state IS NULL)", name="delivery_has_state"
        ),
        CheckConstraint("since_id <> id", name="since_another"),
        Index("ix_export_job_id", "job_id", "id"),
        Index("ix_export_organisation_id", "organisation_id", "id"),
        Index("ix_export_expires_at", "expires_at", postgresql_where=text("state = 'done'")),
    )
    id: Mapped[ExportId] = mapped_column(primary_key=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    format: Mapped[str]
    policy: Mapped[str]
    filename: Mapped[str]
    state: Mapped[ExportState] = mapped_column(text_enum(ExportState))
    as_of: Mapped[datetime]
    mark_id: Mapped[UUID | None]
    as_of_event: Mapped[int | None]
    since_id: Mapped[ExportId | None] = mapped_column(ForeignKey("export.id"))
    compression: Mapped[Compression] = mapped_column(
        text_enum(Compression), default=Compression.NONE, server_default="none"
    )
    frozen: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    items_total: Mapped[int]
    items_read: Mapped[int]
    rows: Mapped[int | None]
    bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    failure: Mapped[str | None]
    deliver_to: Mapped[str | None]
    delivery_state: Mapped[DeliveryState | None] = mapped_column(text_enum(DeliveryState))
    delivery_failure: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    upload: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    requested_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    @property
    def reference(self) -> str:
        """Where the file stands in the store."""
        return f"exports/{self.id}/{self.filename}"

    @property
    def index_reference(self) -> str:
        """Where the list of the file's items stands in the store."""
        return f"exports/{self.id}/{self.filename}.index.jsonl.gz"

    @property
    def proof_reference(self) -> str:
        """Where the file's proof stands in the store."""
        return f"exports/{self.id}/{self.filename}.proof.jsonl.gz"


class ExportPart(Root):
    """A piece of a file that is stored already, so that a worker that is lost costs one piece.

    position: of the last item that it holds; rows, counts: of this piece alone; sha256: of its
    bytes and of those of its list of items.
    """

    __tablename__ = "export_part"
    __table_args__ = (PrimaryKeyConstraint("export_id", "number"),)
    export_id: Mapped[ExportId] = mapped_column(ForeignKey("export.id"))
    number: Mapped[int]
    position: Mapped[int]
    rows: Mapped[int]
    bytes: Mapped[int]
    sha256: Mapped[str]
    index_sha256: Mapped[str]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    written_at: Mapped[datetime]

    @property
    def reference(self) -> str:
        """Where its bytes stand in the store."""
        return f"exports/{self.export_id}/parts/{self.number:06}"

    @property
    def index_reference(self) -> str:
        """Where its list of items stands in the store."""
        return f"exports/{self.export_id}/parts/{self.number:06}.index"


class ExportAuthor(Root):
    """What a lab may know of an author from a moment on, as it was when the export was asked for.

    Who holds what, and how many others hold the same, changes; the file does not.
    """

    __tablename__ = "export_author"
    __table_args__ = (PrimaryKeyConstraint("export_id", "person_id", "since"),)
    export_id: Mapped[ExportId] = mapped_column(ForeignKey("export.id"))
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime]
    shown: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ExportBelief(Root):
    """What was believed of an item when an export of the labels was asked for.

    units: by unit its label, how sure that is, who spoke, and the estimate; adjudication_id: the
    third person's word that stood.
    """

    __tablename__ = "export_belief"
    __table_args__ = (PrimaryKeyConstraint("export_id", "item_id"),)
    export_id: Mapped[ExportId] = mapped_column(ForeignKey("export.id"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    units: Mapped[dict[str, Any]] = mapped_column(JSONB)
    adjudication_id: Mapped[UUID | None] = mapped_column(ForeignKey("adjudication.id"))
