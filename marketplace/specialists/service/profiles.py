"""Profiles: each step of filling one in is saved."""

from __future__ import annotations

from typing import Any, Unpack

from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.specialists.models import SpecialistProfile
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import ProfileFields, cleaned_profile
from marketplace.specialists.rules.onboarding import PASSED_BY
from marketplace.specialists.service.onboarding import pass_step
from marketplace.specialists.service.verification import name_changed


def save_profile(
    session: Session, actor: Actor, **fields: Unpack[ProfileFields]
) -> SpecialistProfile:
    """Create or change the actor's own profile; fields not given stay as they are.

    Raises Faulty with a pointer to each field that cannot be used.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    person_id = actor.person()
    offered = catalogue(session).offered_professions()
    given = cleaned_profile(fields, professions=offered, today=clock.now().date())
    profile = session.get(SpecialistProfile, person_id, with_for_update=True)
    now = clock.now()
    papers = (profile.legal_name, profile.born_on) if profile else (None, None)
    if profile is None:
        profile = SpecialistProfile(person_id=person_id, created_at=now, **(_defaults() | given))
        session.add(profile)
    else:
        for name, value in given.items():
            setattr(profile, name, value)
    profile.changed_at = now
    session.flush()  # Whoever reads it next in this transaction may do so by SQL.
    if papers != (profile.legal_name, profile.born_on):
        name_changed(session, person_id)
    for name in sorted(PASSED_BY.keys() & given.keys()):
        pass_step(session, actor, PASSED_BY[name])
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
