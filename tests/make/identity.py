"""People, organisations and tokens, built by the real services."""

from __future__ import annotations

import re
from itertools import count
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity import queries, service
from marketplace.identity.models import Person
from marketplace.identity.rules import GRANTS, Role
from marketplace.mail import Message

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def email(word: str = "person") -> str:
    """An address that nobody has."""
    return f"{word}{next(_numbers)}@example.test"


def person(session: Session, *, name: str = "Ada Byron", is_specialist: bool = False) -> Person:
    """A verified person without any organisation."""
    return service.register_verified(
        session, email=email(), name=name, password=PASSWORD, is_specialist=is_specialist
    )


def mailed_token(session: Session, address: str) -> str:
    """The token in the newest mail to an address."""
    session.flush()
    newest = session.scalars(select(Message).order_by(Message.id.desc()))
    body = next(letter.body or "" for letter in newest if letter.to == address)
    return str(re.findall(r"token=(\S+)", body)[0])


def actor_of(session: Session, someone: Person, organisation_id: UUID | None = None) -> Actor:
    """The actor that a person is in the only or the given organisation."""
    session.flush()
    organisations = queries.belongings(session, someone.id)
    chosen = organisations[0].organisation_id if organisations and not organisation_id else None
    return queries.actor_for(someone, organisations, organisation_id or chosen)


def lab_owner(session: Session, *, name: str = "Lab", is_specialist: bool = False) -> Actor:
    """The owner of a new lab, acting for it."""
    someone = service.register_verified(
        session,
        email=email(),
        name=f"Owner of {name}",
        password=PASSWORD,
        is_specialist=is_specialist,
        lab_name=name,
    )
    return actor_of(session, someone)


def specialist(session: Session, *, name: str = "Dr. Lin") -> Actor:
    """A verified specialist, acting for themselves."""
    return queries.actor_for(person(session, name=name, is_specialist=True), (), None)


def staff(session: Session, *roles: Role, name: str = "Staff") -> Actor:
    """Someone who works for the platform, with these roles."""
    if queries.platform(session) is None:
        service.found_platform(session, person(session, name="First"), frozenset())
        session.flush()
    someone = person(session, name=name)
    service.found_platform(session, someone, frozenset(roles))
    return actor_of(session, someone)


def member(session: Session, owner: Actor, role: Role, *, name: str = "Member") -> Actor:
    """Another member of the owner's organisation, with one role."""
    someone = person(session, name=name)
    service.invite(session, owner, email=someone.email, role=role.value)
    invited = mailed_token(session, someone.email)
    service.accept_invitation(session, actor_of(session, someone), invited)
    return actor_of(session, someone, owner.organisation())


def token(session: Session, actor: Actor, *, scopes: list[str] | None = None) -> str:
    """A plain API token of the actor."""
    plain = service.create_token(session, actor, name="Test", scopes=scopes)[1]
    session.flush()
    return plain


def cookie(session: Session, actor: Actor) -> str:
    """The token of a browser's cookie in which the actor is signed in."""
    someone = queries.person_of(session, actor)
    row, plain = service.sign_in(session, email=someone.email, password=PASSWORD)
    row.organisation_id = actor.organisation_id
    session.flush()
    return plain


def specialist_self(someone: Actor) -> Actor:
    """The same person, acting for themselves as a specialist."""
    permissions = frozenset(permission.value for permission in GRANTS[Role.SPECIALIST])
    return Actor(someone.person_id, permissions=permissions, roles=frozenset({Role.SPECIALIST}))
