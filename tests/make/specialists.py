"""Builders of specialists with credentials; all by the real services."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.specialists import service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import HOLDING, first_catalogue, npi_holds
from tests.make import identity

_numbers = count(1)
CHECKLIST = first_catalogue().types["us_medical_license"].checklist
NOTE = "Opened the register's page; the name and the state fit."


def npi() -> str:
    """A National Provider Identifier that nobody has claimed here."""
    stem = f"1{next(_numbers):08d}"
    return next(stem + str(digit) for digit in range(10) if npi_holds(stem + str(digit)))


def licence() -> str:
    """A licence number of California that nobody has claimed here."""
    return f"A{next(_numbers):06d}"


def ticks(level: int) -> dict[str, bool]:
    """Every tick that a level needs."""
    return {key: True for key, (least, _) in CHECKLIST.items() if least <= level}


def claimed(
    session: Session,
    person: Actor,
    *,
    type: str = "us_medical_license",  # noqa: A002 - the field's own name.
    identifier: str | None = None,
    jurisdiction: str = "US-CA",
    specialties: tuple[str, ...] = ("cardiology",),
    valid_until: date | None = None,
) -> CredentialClaim:
    """A claim that waits for a person to look at it."""
    return service.claim_credential(
        session,
        person,
        type=type,
        identifier=identifier or licence(),
        jurisdiction=jurisdiction,
        specialties=specialties,
        valid_until=valid_until or clock.now().date() + timedelta(days=400),
    )


def verified(
    session: Session, person: Actor, *, level: int = 4, staff: Actor | None = None, **claim: object
) -> CredentialClaim:
    """A verified credential; keyword arguments as for `claimed`."""
    made = claimed(session, person, **claim)  # type: ignore[arg-type]
    service.decide_credential(
        session,
        staff or identity.staff(session, Role.OPERATIONS),
        made.id,
        outcome="verify",
        level=level,
        note=NOTE,
        checklist=ticks(level),
    )
    if made.state not in HOLDING:
        second = identity.staff(session, Role.OPERATIONS)
        service.confirm_decision(session, second, made.id, agrees=True, note=NOTE)
    return made


def doctor(session: Session, *, level: int = 4) -> Actor:
    """A specialist with a profile and a verified licence in cardiology."""
    person = identity.specialist(session)
    service.save_profile(session, person, professions=["medicine"], languages=["en"])
    verified(session, person, level=level)
    return person
