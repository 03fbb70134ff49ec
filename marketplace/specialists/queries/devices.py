"""Browsers with which several people signed in, for detection only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.specialists.models import PersonLink
from marketplace.specialists.rules.links import LinkKind

DEVICES_MAX = 500


@dataclass(frozen=True, slots=True)
class SharedDevice:
    """A browser, by the hash of its cookie, with who signed in with it last, and when."""

    device: str
    people: dict[UUID, datetime]


def shared_devices(session: Session) -> list[SharedDevice]:
    """Browsers of several people who do not all declare one household, those used last first."""
    device = PersonLink.kind == LinkKind.DEVICE
    several = (
        select(PersonLink.link_hash)
        .where(device)
        .group_by(PersonLink.link_hash)
        .having(func.count() > 1)
        .order_by(func.max(PersonLink.linked_at).desc())
        .limit(DEVICES_MAX)
    )
    marks = select(PersonLink).where(device, PersonLink.link_hash.in_(several))
    found: dict[bytes, dict[UUID, datetime]] = defaultdict(dict)
    for mark in session.scalars(marks):
        found[mark.link_hash][mark.person_id] = mark.linked_at
    people = {person for each in found.values() for person in each}
    at_home = {
        row.person_id: row.link_hash
        for row in session.execute(
            select(PersonLink.person_id, PersonLink.link_hash).where(
                PersonLink.kind == LinkKind.HOUSEHOLD, PersonLink.person_id.in_(people)
            )
        )
    }
    return [
        SharedDevice(name.hex(), each)
        for name, each in found.items()
        if len({at_home.get(person, person) for person in each}) > 1
    ]
