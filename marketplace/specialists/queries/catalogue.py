"""The catalogue, read once a process and again after each change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.db import Root
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import (
    CatalogueVersion,
    CredentialClaim,
    CredentialTypeRow,
    ProfessionRow,
    SpecialtyRow,
)
from marketplace.specialists.rules.catalogue import Catalogue, CredentialType, assembled

LIMIT_MAX = 2_000


class _Read:
    """What this process read last, and at which version."""

    version: UUID | None = None
    catalogue: Catalogue | None = None


def catalogue(session: Session) -> Catalogue:
    """All professions and credential types; one look at a row where nothing has changed."""
    version = session.scalar(select(CatalogueVersion.version))
    if version is None:
        raise Missing("The catalogue is empty; run the migrations.")
    if _Read.catalogue is None or _Read.version != version:
        # Never kept apart: a thread that reads between the two lines would mix versions.
        found = _read(session)
        _Read.version, _Read.catalogue = version, found
        return found
    return _Read.catalogue


def known_type(session: Session, key: str) -> CredentialType:
    """The type of a stored claim, retired or not."""
    return catalogue(session).types[key]


def in_use(session: Session, viewer: Actor) -> dict[str, int]:
    """How many claims there are of each credential type, for operations."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    counted = select(CredentialClaim.type, func.count()).group_by(CredentialClaim.type)
    return {row[0]: row[1] for row in session.execute(counted.limit(LIMIT_MAX))}


def _read(session: Session) -> Catalogue:
    return assembled(
        _rows(session, ProfessionRow),
        _rows(session, SpecialtyRow),
        _rows(session, CredentialTypeRow),
    )


def _rows(session: Session, kind: type[Root]) -> list[dict[str, Any]]:
    table = kind.__table__
    ordered = select(table).order_by(table.c.position, table.c.key).limit(LIMIT_MAX)
    return [dict(row) for row in session.execute(ordered).mappings()]
