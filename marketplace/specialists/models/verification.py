"""What verifiers found and what it rests on; identity documents shown, and accounts connected."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.secrets import EncryptedText
from marketplace.specialists.rules import Outcome
from marketplace.specialists.rules.identity import IdentityState


class VerificationRun(Root):
    """What one verifier found about one claim; append-only, with nothing personal in it.

    next_check_at: when it asks again, where its source gave no answer.
    """

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
    next_check_at: Mapped[datetime | None]

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


class IdentityCheck(Root):
    """One showing of an identity document, and how it compared; never what it said.

    papers_hash: keyed, over the name and birth date that it was compared with; name_score: 0 to 1;
    birth_matches: None where one side had none; reason: Stripe's code for what went wrong.
    """

    __tablename__ = "identity_check"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    state: Mapped[IdentityState] = mapped_column(text_enum(IdentityState))
    stripe_session_id: Mapped[str | None] = mapped_column(unique=True)
    papers_hash: Mapped[bytes | None]
    name_score: Mapped[float | None] = mapped_column(Float)
    birth_matches: Mapped[bool | None]
    document_country: Mapped[str | None]
    document_until: Mapped[date | None]
    reason: Mapped[str | None]
    started_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    redacted_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", IdentityState),
        Index("ix_identity_check_person_id_id", "person_id", "id"),
        Index(
            "uq_identity_check_open",
            "person_id",
            unique=True,
            postgresql_where=text("state IN ('started', 'processing', 'needs_input')"),
        ),
    )


class GithubConnection(Root):
    """A GitHub account whose control a person proved. login: encrypted; account_hash: keyed, over
    GitHub's own id, so that one account belongs to one person; numbers: signals."""

    __tablename__ = "github_connection"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    account_hash: Mapped[bytes] = mapped_column(unique=True)
    login: Mapped[str] = mapped_column(EncryptedText)
    account_created_at: Mapped[datetime]
    connected_at: Mapped[datetime]
    numbers: Mapped[dict[str, Any]]
