"""The names on people's licences, to compare what pays them with."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.identity import queries as identity
from marketplace.specialists.models.credentials import CredentialClaim
from marketplace.specialists.models.profiles import SpecialistProfile
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import HOLDING

LEVEL_MIN = 2
ANYWHERE = "*"


def licence_names_of(session: Session, person_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """By person, the names that their licences stand in; people without a licence are left out.

    A licence is a credential that counts now, at level 2 or more, of a register that belongs to a
    place; accounts such as GitHub's are none. Registers and documents are compared with the legal
    name of the profile, so that is the name; the account's own name where the profile has none,
    which a person has then compared. For code that has authorised the people.
    """
    ids = list(person_ids)
    licences = [
        key for key, kind in catalogue(session).types.items() if ANYWHERE not in kind.jurisdictions
    ]
    holders = set(
        session.scalars(
            select(CredentialClaim.person_id)
            .where(
                CredentialClaim.person_id.in_(ids),
                CredentialClaim.type.in_(licences),
                CredentialClaim.state.in_(HOLDING),
                CredentialClaim.level >= LEVEL_MIN,
            )
            .distinct()
        )
    )
    rows = select(SpecialistProfile.person_id, SpecialistProfile.legal_name).where(
        SpecialistProfile.person_id.in_(holders)
    )
    legal = {person_id: name for person_id, name in session.execute(rows) if name}
    names = identity.people_by_ids(session, holders - legal.keys())
    return {person_id: [name] for person_id, name in (names | legal).items()}
