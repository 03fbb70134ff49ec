"""Files that show a credential: encrypted in the store, kept for a time, known by their hash."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root
from marketplace.secrets import EncryptedText


class EvidenceFile(Root):
    """A file of a claim. file_key: what opens it, itself encrypted; gone once it was purged.

    sha256: of what was sent, hexadecimal, and stays; reference: where in the store; kept_until:
    the last day; person_id: who sent it, the claimant or somebody of operations.
    """

    __tablename__ = "evidence_file"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str | None] = mapped_column(EncryptedText)
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    reference: Mapped[str]
    file_key: Mapped[str | None] = mapped_column(EncryptedText)
    created_at: Mapped[datetime]
    kept_until: Mapped[date]
    purged_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "media_type IN ('application/pdf', 'image/png', 'image/jpeg')", name="media_type"
        ),
        CheckConstraint("(purged_at IS NULL) = (file_key IS NOT NULL)", name="purged"),
        Index("ix_evidence_file_claim_id", "claim_id"),
        Index("ix_evidence_file_kept", "kept_until", postgresql_where=text("purged_at IS NULL")),
    )
