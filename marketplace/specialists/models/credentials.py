"""Credential claims, the steps that they took, and the cases about them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.secrets import EncryptedText
from marketplace.specialists.rules import (
    CaseKind,
    CaseOutcome,
    CredentialState,
    Decision,
    Refusal,
)


class CredentialClaim(Root):
    """One credential that a person says they hold.

    identifier: encrypted, None once erased; identifier_hash: keyed, over its normal form; level:
    0 to 4; valid_until: the last day; checked_at: when a check last passed; reason: a code for
    why it is in its state; recheck_asked_at: when its holder last asked for another check.
    """

    __tablename__ = "credential_claim"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    profession: Mapped[str] = mapped_column(ForeignKey("profession.key"))
    type: Mapped[str] = mapped_column(ForeignKey("credential_type.key"))
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
    recheck_asked_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", CredentialState),
        CheckConstraint("level BETWEEN 0 AND 4", name="level"),
        CheckConstraint("decided_by <> person_id", name="not_by_oneself"),
        CheckConstraint(
            "state NOT IN ('verified', 'expiring_soon') OR (level >= 2 AND checked_at IS NOT NULL)",
            name="verified_is_checked",
        ),
        # Two accounts never hold one identifier; a blocked or withdrawn claim holds none.
        Index(
            "uq_credential_claim_identifier",
            "type",
            "jurisdiction",
            "identifier_hash",
            unique=True,
            postgresql_where=text("state NOT IN ('blocked', 'withdrawn')"),
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
    """One step of a claim's state, level or specialties; append-only, so that one can ask what
    held when."""

    __tablename__ = "credential_change"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    at: Mapped[datetime]
    state: Mapped[CredentialState] = mapped_column(text_enum(CredentialState))
    level: Mapped[int]
    specialties: Mapped[list[str]]
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
    outcome: Mapped[CaseOutcome | None] = mapped_column(text_enum(CaseOutcome))
    note: Mapped[str | None] = mapped_column(EncryptedText)

    __table_args__ = (
        one_of("kind", CaseKind),
        one_of("outcome", CaseOutcome),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="settled"),
        Index("ix_credential_case_claim_id", "claim_id"),
        Index("ix_credential_case_open", "id", postgresql_where=text("closed_at IS NULL")),
    )


class CredentialProposal(Root):
    """A decision that waits for a second person, and what became of it.

    note, settled_note: what each of the two saw, encrypted; agreed: None while it waits;
    specialties: those of the open amendment that the source shows.
    """

    __tablename__ = "credential_proposal"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    outcome: Mapped[Decision] = mapped_column(text_enum(Decision))
    level: Mapped[int]
    checklist: Mapped[list[str]]
    specialties: Mapped[list[str]]
    valid_until: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    proposed_at: Mapped[datetime]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    settled_at: Mapped[datetime | None]
    agreed: Mapped[bool | None]
    settled_note: Mapped[str | None] = mapped_column(EncryptedText)

    __table_args__ = (
        one_of("outcome", Decision),
        CheckConstraint("level BETWEEN 0 AND 4", name="level"),
        # One may take back what one proposed, and never confirm it.
        CheckConstraint("settled_by <> person_id OR agreed IS NOT TRUE", name="two_people"),
        CheckConstraint("(settled_at IS NULL) = (agreed IS NULL)", name="settled"),
        Index(
            "uq_credential_proposal_open",
            "claim_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_credential_proposal_claim_id", "claim_id"),
    )


class CredentialRenewal(Root):
    """A later last day that a holder asks for; what stands, stands meanwhile. refusal: why it was
    refused, which its holder reads."""

    __tablename__ = "credential_renewal"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    valid_until: Mapped[date]
    asked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    granted: Mapped[bool | None]
    refusal: Mapped[Refusal | None] = mapped_column(text_enum(Refusal))

    __table_args__ = (
        one_of("refusal", Refusal),
        CheckConstraint("(settled_at IS NULL) = (granted IS NULL)", name="settled"),
        Index(
            "uq_credential_renewal_open",
            "claim_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_credential_renewal_claim_id", "claim_id"),
    )


class CredentialAmendment(Root):
    """Specialties that a holder asks to have added; what stands, stands meanwhile.

    granted: those that were added, None while nobody has looked; settled_by: None where a register
    showed them; refusal: why others were not added, which the holder reads.
    """

    __tablename__ = "credential_amendment"
    id: Mapped[IdKey]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"))
    specialties: Mapped[list[str]]
    granted: Mapped[list[str] | None]
    refusal: Mapped[Refusal | None] = mapped_column(text_enum(Refusal))
    asked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        one_of("refusal", Refusal),
        CheckConstraint("(settled_at IS NULL) = (granted IS NULL)", name="settled"),
        CheckConstraint("granted <@ specialties", name="granted"),
        Index(
            "uq_credential_amendment_open",
            "claim_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_credential_amendment_claim_id", "claim_id"),
    )
