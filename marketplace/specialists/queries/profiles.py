"""Profiles, and who may read about a specialist."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import SpecialistProfile


def profile_of(session: Session, viewer: Actor, person_id: UUID) -> SpecialistProfile | None:
    """A profile, for its owner and for those who may see people; None before the first step."""
    refuse_strangers(viewer, person_id)
    return session.get(SpecialistProfile, person_id)


def refuse_strangers(viewer: Actor, person_id: UUID) -> None:
    """Missing unless the viewer is this person, or may see people."""
    if not may_see(viewer, person_id):
        raise Missing("There is no such specialist.")


def may_see(viewer: Actor, person_id: UUID) -> bool:
    """Whether the viewer is this person, or may see people."""
    staff = viewer.may(Permission.CREDENTIALS_VERIFY) or viewer.may(Permission.PEOPLE_VIEW)
    return staff or viewer.person_id == person_id
