"""Profiles: each step of filling one in is saved."""

from __future__ import annotations

from typing import Any, Unpack

from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.specialists.models import SpecialistProfile
from marketplace.specialists.rules import PROFESSIONS, ProfileFields, cleaned_profile


def save_profile(
    session: Session, actor: Actor, **fields: Unpack[ProfileFields]
) -> SpecialistProfile:
    """Create or change the actor's own profile; fields not given stay as they are.

    Raises Faulty with a pointer to each field that cannot be used.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    person_id = actor.person()
    given = cleaned_profile(fields, professions=PROFESSIONS, today=clock.now().date())
    profile = session.get(SpecialistProfile, person_id, with_for_update=True)
    now = clock.now()
    if profile is None:
        profile = SpecialistProfile(person_id=person_id, created_at=now, **(_defaults() | given))
        session.add(profile)
    else:
        for name, value in given.items():
            setattr(profile, name, value)
    profile.changed_at = now
    session.flush()  # Whoever reads it next in this transaction may do so by SQL.
    audit.record(session, actor, "saved profile", person_id, fields=sorted(given))
    return profile


def _defaults() -> dict[str, Any]:
    return {
        "headline": "",
        "professions": [],
        "specialties": [],
        "languages": ["en"],
        "jurisdictions": [],
        "time_zone": "UTC",
        "works_from": None,
        "works_until": None,
        "daily_minutes_max": None,
        "country": None,
        "payout_currency": "USD",
        "legal_name": None,
        "born_on": None,
        "employers": [],
    }
