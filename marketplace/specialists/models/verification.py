"""What verifiers found, and what it rests on."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.secrets import EncryptedText
from marketplace.specialists.rules import Outcome


class VerificationRun(Root):
    """What one verifier found about one claim; append-only, with nothing personal in it."""

    __tablename__ = "verification_run"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    verifier: Mapped[str]
    kind: Mapped[str]
    outcome: Mapped[Outcome] = mapped_column(text_enum(Outcome))
    level: Mapped[int]
    observed: Mapped[dict[str, Any]]
    match: Mapped[dict[str, Any]]
    reasons: Mapped[list[str]]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    ran_at: Mapped[datetime]

    __table_args__ = (
        one_of("outcome", Outcome),
        Index("ix_verification_run_claim_id_id", "claim_id", "id"),
    )


class VerificationEvidence(Root):
    """What a run rests on. note: encrypted; erasure empties it and the link, the hash stays."""

    __tablename__ = "verification_evidence"
    id: Mapped[IdKey]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("verification_run.id"))
    source: Mapped[str]
    source_version: Mapped[str | None]
    url: Mapped[str | None]
    sha256: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    retrieved_at: Mapped[datetime]

    __table_args__ = (Index("ix_verification_evidence_run_id", "run_id"),)
