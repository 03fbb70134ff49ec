"""The tables of identity. Nobody outside this slice writes them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.identity.rules import (
    OrganisationKind,
    OrganisationState,
    PersonState,
    Purpose,
    Role,
)
from marketplace.secrets import EncryptedText


class Person(Root):
    """Someone who can sign in. `email` is lower case; erasure empties what is personal."""

    __tablename__ = "person"
    id: Mapped[IdKey]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    timezone: Mapped[str]
    state: Mapped[PersonState] = mapped_column(text_enum(PersonState))
    is_specialist: Mapped[bool]
    email_verified_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText)
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", PersonState),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint(
            "totp_confirmed_at IS NULL OR totp_secret IS NOT NULL", name="totp_confirmed"
        ),
    )


class Organisation(Root):
    """A lab, or the platform itself."""

    __tablename__ = "organisation"
    id: Mapped[IdKey]
    kind: Mapped[OrganisationKind] = mapped_column(text_enum(OrganisationKind))
    name: Mapped[str]
    state: Mapped[OrganisationState] = mapped_column(text_enum(OrganisationState))
    created_at: Mapped[datetime]

    __table_args__ = (
        one_of("kind", OrganisationKind),
        one_of("state", OrganisationState),
        # There is one platform.
        Index(
            "uq_organisation_platform",
            "kind",
            unique=True,
            postgresql_where=text("kind = 'platform'"),
        ),
    )


class Membership(Root):
    """One role of one person in one organisation."""

    __tablename__ = "membership"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[Role] = mapped_column(text_enum(Role))
    created_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("person_id", "organisation_id", "role"),
        Index("ix_membership_organisation_id", "organisation_id"),
        one_of("role", Role),
    )


class Invitation(Root):
    """An offer of a role, to an e-mail address; open until accepted, withdrawn or expired."""

    __tablename__ = "invitation"
    id: Mapped[IdKey]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(text_enum(Role))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_invitation_organisation_id", "organisation_id"),
    )


class SignIn(Root):
    """A browser that is signed in; half so until `completed_at` when a second factor is on."""

    __tablename__ = "sign_in"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    browser: Mapped[str]
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_sign_in_person_id", "person_id"),)


class OneTimeToken(Root):
    """A link that was mailed: proves the address once."""

    __tablename__ = "one_time_token"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("purpose", Purpose),
        Index("ix_one_time_token_person_id", "person_id"),
    )


class RecoveryCode(Root):
    """One of ten codes that stand in for a lost second factor, each once."""

    __tablename__ = "recovery_code"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_recovery_code_person_id", "person_id"),)


class ApiToken(Root):
    """A bearer token: shown once, kept as SHA-256, recognised by its first letters."""

    __tablename__ = "api_token"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    starts_with: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_api_token_person_id", "person_id"),)


class IdempotencyRecord(Root):
    """What an API call with an Idempotency-Key answered, in the transaction of its effect."""

    __tablename__ = "idempotency_record"
    token_id: Mapped[UUID] = mapped_column(ForeignKey("api_token.id"))
    method: Mapped[str]
    path: Mapped[str]
    key: Mapped[str]
    request_sha256: Mapped[bytes]
    status: Mapped[int]
    body: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("token_id", "method", "path", "key"),
        Index("ix_idempotency_record_created_at", "created_at"),
    )


class Erasure(Root):
    """That somebody is to be erased. asked_by: who wrote it down, None for a command; settled_by:
    who looked a second time; carried_out: None while it waits."""

    __tablename__ = "erasure"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    settled_at: Mapped[datetime | None]
    carried_out: Mapped[bool | None]

    __table_args__ = (
        CheckConstraint("settled_by <> asked_by OR carried_out IS NOT TRUE", name="two_people"),
        CheckConstraint("person_id NOT IN (asked_by, settled_by)", name="not_by_oneself"),
        CheckConstraint("(settled_at IS NULL) = (carried_out IS NULL)", name="settled"),
        Index(
            "uq_erasure_open",
            "person_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
    )
