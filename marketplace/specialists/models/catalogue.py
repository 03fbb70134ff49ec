"""The catalogue as rows: professions, specialties, credential types, and which version they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root


class CatalogueVersion(Root):
    """One row; its version is new after every change, so that processes know what they hold."""

    __tablename__ = "catalogue_version"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[UUID]

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class ProfessionRow(Root):
    """A profession. Never deleted: what is stored keeps its words."""

    __tablename__ = "profession"
    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,59}$'", name="key"),)


class SpecialtyRow(Root):
    """A specialty of a profession. nucc_codes: taxonomy codes that a registry shows for it."""

    __tablename__ = "specialty"
    profession: Mapped[str] = mapped_column(ForeignKey("profession.key"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    heading: Mapped[str]
    nucc_codes: Mapped[list[str]]
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,59}$'", name="key"),)


class CredentialTypeRow(Root):
    """A credential type; the fields are those of `rules.catalogue.CredentialType`.

    formats: a list of {place, pattern, description, example, version}; look_up: of {place, url};
    checklist: of {key, level, sentence}. Lists, since their order is read.
    """

    __tablename__ = "credential_type"
    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    profession: Mapped[str] = mapped_column(ForeignKey("profession.key"))
    jurisdictions: Mapped[list[str]]
    formats: Mapped[list[Any]]
    look_up: Mapped[list[Any]]
    verifiers: Mapped[list[str]]
    checklist: Mapped[list[Any]]
    sold_level: Mapped[int]
    auto_verify: Mapped[bool]
    two_person: Mapped[bool]
    expires: Mapped[bool]
    reverify_days: Mapped[int]
    evidence_days: Mapped[int]
    claimable: Mapped[bool]
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,59}$'", name="key"),
        CheckConstraint("sold_level BETWEEN 2 AND 4", name="sold_level"),
        CheckConstraint("reverify_days BETWEEN 1 AND 1095", name="reverify_days"),
        CheckConstraint("evidence_days BETWEEN 1 AND 3650", name="evidence_days"),
    )
