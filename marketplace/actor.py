"""Who acts: a person with the permissions held now, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.errors import Denied
from marketplace.ids import OrganisationId, PersonId


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf a verb or a query runs.

    person_id is None for the system only. organisation_id is the organisation acted for, if any.
    permissions are the names that identity's table grants through roles, cut by a token's scopes.
    """

    person_id: PersonId | None
    organisation_id: OrganisationId | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_system(self) -> bool:
        """True for background work that no person asked for."""
        return self.person_id is None

    def may(self, permission: str) -> bool:
        """Whether this actor holds the permission; the system holds all."""
        return self.is_system or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Denied without the permission."""
        if not self.may(permission):
            raise Denied(f"Your role does not allow this (it needs “{permission}”).")

    def person(self) -> PersonId:
        """The acting person's id; Denied for the system, which owns nothing personal."""
        if self.person_id is None:
            raise Denied("Only a person can do this.")
        return self.person_id

    def organisation(self) -> OrganisationId:
        """The organisation acted for; Denied where there is none."""
        if self.organisation_id is None:
            raise Denied("Choose the organisation that you are acting for first.")
        return self.organisation_id


SYSTEM = Actor(person_id=None)
