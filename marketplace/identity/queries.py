"""Reads of identity, each scoped by its viewer or by a secret that was shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Denied, Missing
from marketplace.identity import rules
from marketplace.identity.models import (
    ApiToken,
    Erasure,
    Invitation,
    Membership,
    Organisation,
    Person,
    SignIn,
)
from marketplace.identity.rules import (
    OrganisationKind,
    OrganisationState,
    Permission,
    PersonState,
    Role,
)
from marketplace.ids import OrganisationId, PersonId, SignInId


@dataclass(frozen=True, slots=True)
class Belonging:
    """An organisation that a person is a member of, with the roles held there."""

    organisation_id: OrganisationId
    name: str
    kind: OrganisationKind
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is here, as pages need it: the actor, and what the frame shows of the person.

    sign_in_id is None for an API token; organisations are all that could be acted for.
    """

    actor: Actor
    person_id: PersonId
    name: str
    email: str
    timezone: str
    verified: bool
    is_specialist: bool
    has_totp: bool
    organisations: tuple[Belonging, ...]
    sign_in_id: SignInId | None = None

    @property
    def organisation(self) -> Belonging | None:
        """The organisation acted for, if any."""
        here = self.actor.organisation_id
        return next((one for one in self.organisations if one.organisation_id == here), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A person as the members' page shows them."""

    person_id: PersonId
    name: str
    email: str
    roles: frozenset[Role]
    has_totp: bool


def belongings(session: Session, person_id: UUID) -> tuple[Belonging, ...]:
    """The active organisations of a person, by name."""
    rows = session.execute(
        select(Organisation.id, Organisation.name, Organisation.kind, Membership.role)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id == person_id, Organisation.state == OrganisationState.ACTIVE)
        .order_by(Organisation.name, Organisation.id)
    )
    return belongings_of((key, name, kind, role) for key, name, kind, role in rows)


def belongings_of(
    roles: Iterable[tuple[UUID, str, OrganisationKind, Role]],
) -> tuple[Belonging, ...]:
    """The organisations of a person's roles, in their order: id, name, kind, role of each."""
    found: dict[UUID, tuple[str, OrganisationKind, set[Role]]] = {}
    for organisation_id, name, kind, role in roles:
        found.setdefault(organisation_id, (name, kind, set()))[2].add(role)
    return tuple(
        Belonging(OrganisationId(key), name, kind, frozenset(roles))
        for key, (name, kind, roles) in found.items()
    )


def actor_for(
    person: Person, organisations: Iterable[Belonging], organisation_id: UUID | None
) -> Actor:
    """The actor that a person is in an organisation, or for themselves when it is None."""
    roles: frozenset[Role] = frozenset()
    if organisation_id is not None:
        for one in organisations:
            if one.organisation_id == organisation_id:
                roles = one.roles
        if not roles:
            organisation_id = None
    elif person.is_specialist:
        roles = frozenset({Role.SPECIALIST})
    return Actor(
        person_id=PersonId(person.id),
        organisation_id=None if organisation_id is None else OrganisationId(organisation_id),
        permissions=frozenset(one.value for one in rules.permissions_of(roles)),
        roles=frozenset(one.value for one in roles),
    )


def visitor_of(
    person: Person,
    organisations: tuple[Belonging, ...],
    actor: Actor,
    sign_in_id: UUID | None = None,
) -> Visitor:
    """The visitor that a person is, acting as `actor`."""
    return Visitor(
        actor=actor,
        person_id=PersonId(person.id),
        name=person.name,
        email=person.email,
        timezone=person.timezone,
        verified=person.email_verified_at is not None,
        is_specialist=person.is_specialist,
        has_totp=person.totp_confirmed_at is not None,
        organisations=organisations,
        sign_in_id=None if sign_in_id is None else SignInId(sign_in_id),
    )


def people_by_ids(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Names by person id, for pages that may show them; erased people read “Erased person”."""
    if not ids:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {row.id: row.name for row in rows}


def state_of(session: Session, person_id: UUID) -> PersonState | None:
    """Where a person stands; None for one that there is not."""
    return session.scalar(select(Person.state).where(Person.id == person_id))


def erasure_of(session: Session, viewer: Actor, person_id: UUID) -> Erasure | None:
    """That a person is to be erased, where it waits for a second person."""
    viewer.require(Permission.PEOPLE_VIEW)
    waiting = select(Erasure).where(Erasure.person_id == person_id, Erasure.settled_at.is_(None))
    return session.scalar(waiting)


def specialist_ids(session: Session, *, after: UUID | None = None, limit: int = 500) -> list[UUID]:
    """Active people who work as specialists, by id; after: the last id of the page before."""
    ids = select(Person.id).where(Person.is_specialist, Person.state == PersonState.ACTIVE)
    if after is not None:
        ids = ids.where(Person.id > after)
    return list(session.scalars(ids.order_by(Person.id).limit(limit)))


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody to write to. timezone: IANA."""

    person_id: PersonId
    name: str
    email: str
    timezone: str


def addressees(session: Session, ids: Collection[UUID]) -> dict[UUID, Addressee]:
    """Where to write to these people; those whose address is not theirs yet are left out."""
    rows = _reachable().where(Person.id.in_(ids))
    return {each.person_id: each for each in _addressees(session, rows)}


def platform_addressees(
    session: Session, permission: Permission, *, limit: int = 100
) -> list[Addressee]:
    """Where to write to those of the platform whose role allows something."""
    platforms = select(Organisation.id).where(Organisation.kind == OrganisationKind.PLATFORM)
    rows = _allowed(permission).where(Membership.organisation_id.in_(platforms))
    return _addressees(session, rows.limit(limit))


def lab_addressees(session: Session, lab_id: UUID, permission: Permission) -> list[Addressee]:
    """Where to write to those of a lab, at most 100, whose role allows something."""
    rows = _allowed(permission).where(Membership.organisation_id == lab_id)
    return _addressees(session, rows.limit(100))


def _allowed(permission: Permission) -> Select[UUID, str, str, str]:
    roles = [role for role, granted in rules.GRANTS.items() if permission in granted]
    rows = _reachable().join(Membership, Membership.person_id == Person.id)
    return rows.where(Membership.role.in_(roles)).order_by(Person.id)


def _addressees(session: Session, rows: Select[UUID, str, str, str]) -> list[Addressee]:
    return [
        Addressee(PersonId(person_id), name, email, timezone)
        for person_id, name, email, timezone in session.execute(rows)
    ]


def _reachable() -> Select[UUID, str, str, str]:
    return select(Person.id, Person.name, Person.email, Person.timezone).where(
        Person.state == PersonState.ACTIVE, Person.email_verified_at.is_not(None)
    )


def organisations_by_ids(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Names by organisation id; labs are no secret to whom their jobs are shown."""
    if not ids:
        return {}
    rows = session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids))
    )
    return {row.id: row.name for row in rows}


def organisation_of(session: Session, viewer: Actor) -> Organisation:
    """The organisation that the viewer acts for; Missing when it is gone."""
    found = session.get(Organisation, viewer.organisation())
    if found is None:
        raise Missing("This organisation is not there.")
    return found


def platform(session: Session) -> Organisation | None:
    """The one platform organisation, when it was founded already."""
    return session.scalar(
        select(Organisation).where(Organisation.kind == OrganisationKind.PLATFORM)
    )


def person_of(session: Session, viewer: Actor) -> Person:
    """The viewer's own row."""
    found = session.get(Person, viewer.person())
    if found is None:
        raise Missing("This person is not there.")
    return found


def person_by_email(session: Session, email: str) -> Person | None:
    """Whoever has this address; for commands, never for pages, since it tells who is here."""
    return session.scalar(select(Person).where(Person.email == email.strip().lower()))


def members_of(session: Session, viewer: Actor, *, limit: int = 500) -> list[Member]:
    """The members of the viewer's organisation, by name."""
    viewer.require(Permission.MEMBERS_MANAGE)
    rows = session.execute(
        select(Person, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == viewer.organisation())
        .order_by(Person.name, Person.id)
        .limit(limit)
    )
    found: dict[UUID, tuple[Person, set[Role]]] = {}
    for person, role in rows:
        found.setdefault(person.id, (person, set()))[1].add(role)
    return [
        Member(
            PersonId(person.id),
            person.name,
            person.email,
            frozenset(roles),
            person.totp_confirmed_at is not None,
        )
        for person, roles in found.values()
    ]


def open_invitations(session: Session, viewer: Actor, *, limit: int = 200) -> list[Invitation]:
    """Invitations of the viewer's organisation that wait for an answer, newest first."""
    viewer.require(Permission.MEMBERS_MANAGE)
    waiting = select(Invitation).where(
        Invitation.organisation_id == viewer.organisation(),
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > clock.now(),
    )
    return list(session.scalars(waiting.order_by(Invitation.id.desc()).limit(limit)))


def sign_ins_of(session: Session, viewer: Actor) -> list[SignIn]:
    """The viewer's own browsers that are signed in, the one seen last first."""
    now = clock.now()
    rows = session.scalars(
        select(SignIn)
        .where(SignIn.person_id == viewer.person(), SignIn.ended_at.is_(None))
        .where(SignIn.completed_at.is_not(None))
        .order_by(SignIn.last_seen_at.desc())
        .limit(200)
    )
    staff = is_staff(belongings(session, viewer.person()))
    return [
        row
        for row in rows
        if rules.sign_in_is_live(
            staff=staff, created_at=row.created_at, last_seen_at=row.last_seen_at, now=now
        )
    ]


def is_staff(organisations: Iterable[Belonging]) -> bool:
    """Whether someone works for the platform, whose sign-ins are shorter."""
    return any(one.kind is OrganisationKind.PLATFORM for one in organisations)


def tokens_of(session: Session, viewer: Actor, *, limit: int = 200) -> list[ApiToken]:
    """The viewer's own API tokens that are not revoked, newest first."""
    own = select(ApiToken).where(
        ApiToken.person_id == viewer.person(), ApiToken.revoked_at.is_(None)
    )
    return list(session.scalars(own.order_by(ApiToken.id.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class Listed:
    """A person as the platform's people page shows them."""

    person_id: PersonId
    name: str
    email: str
    state: PersonState
    is_specialist: bool
    verified: bool
    created_at: datetime


def people(
    session: Session,
    viewer: Actor,
    *,
    search: str = "",
    after: UUID | None = None,
    limit: int = 50,
) -> list[Listed]:
    """People by id (the oldest first), whose name or address contains `search`."""
    viewer.require(Permission.PEOPLE_VIEW)
    wanted: Select[Any] = select(Person).order_by(Person.id).limit(limit)
    if after is not None:
        wanted = wanted.where(Person.id > after)
    if search:
        wanted = wanted.where(
            or_(
                Person.name.icontains(search, autoescape=True),
                Person.email.icontains(search, autoescape=True),
            )
        )
    return [
        Listed(
            PersonId(one.id),
            one.name,
            one.email,
            one.state,
            one.is_specialist,
            one.email_verified_at is not None,
            one.created_at,
        )
        for one in session.scalars(wanted)
    ]


def active_person(session: Session, person_id: UUID) -> Person:
    """A person who may act; Denied when suspended or erased, Missing when unknown."""
    person = session.get(Person, person_id)
    if person is None:
        raise Missing("This person is not there.")
    if person.state is not PersonState.ACTIVE:
        raise Denied("This account is suspended.")
    return person
