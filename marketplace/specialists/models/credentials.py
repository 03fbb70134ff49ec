"""Credential claims, the steps that they took, and the cases about them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.secrets import EncryptedText
from marketplace.specialists.rules import CaseKind, CredentialState


class CredentialClaim(Root):
    """One credential that a person says they hold.

    identifier: encrypted, None once erased; identifier_hash: keyed, over its normal form; level:
    0 to 4; valid_until: the last day; checked_at: when a check last passed; reason: a code for
    why it is in its state.
    """

    __tablename__ = "credential_claim"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    profession: Mapped[str]
    type: Mapped[str]
    specialties: Mapped[list[str]]
    jurisdiction: Mapped[str]
    identifier: Mapped[str | None] = mapped_column(EncryptedText)
    identifier_hash: Mapped[bytes]
    state: Mapped[CredentialState] = mapped_column(text_enum(CredentialState))
    reason: Mapped[str | None]
    level: Mapped[int]
    valid_until: Mapped[date | None]
    checked_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", CredentialState),
        CheckConstraint("level BETWEEN 0 AND 4", name="level"),
        CheckConstraint("decided_by <> person_id", name="not_by_oneself"),
        CheckConstraint(
            "state NOT IN ('verified', 'expiring_soon') OR (level >= 2 AND checked_at IS NOT NULL)",
            name="verified_is_checked",
        ),
        # Two accounts never hold one identifier, unless the second is blocked.
        Index(
            "uq_credential_claim_identifier",
            "type",
            "jurisdiction",
            "identifier_hash",
            unique=True,
            postgresql_where=text("state <> 'blocked'"),
        ),
        Index("ix_credential_claim_person_id", "person_id"),
        Index("ix_credential_claim_state_id", "state", "id"),
        Index(
            "ix_credential_claim_holding",
            "profession",
            "person_id",
            postgresql_where=text("state IN ('verified', 'expiring_soon')"),
        ),
    )


class CredentialChange(Root):
    """One step of a claim's state or level; append-only, so that one can ask what held when."""

    __tablename__ = "credential_change"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    at: Mapped[datetime]
    state: Mapped[CredentialState] = mapped_column(text_enum(CredentialState))
    level: Mapped[int]
    checked_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        one_of("state", CredentialState),
        Index("ix_credential_change_claim_id_at", "claim_id", "at"),
    )


class CredentialCase(Root):
    """Something for operations to settle: why one claim collides with another."""

    __tablename__ = "credential_case"
    id: Mapped[IdKey]
    kind: Mapped[CaseKind] = mapped_column(text_enum(CaseKind))
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    other_claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        one_of("kind", CaseKind),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed"),
        Index("ix_credential_case_claim_id", "claim_id"),
        Index("ix_credential_case_open", "id", postgresql_where=text("closed_at IS NULL")),
    )
