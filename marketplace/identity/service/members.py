"""Organisations: invitations, members and their roles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing, Refused
from marketplace.identity import queries, rules
from marketplace.identity.models import Invitation, Membership, Organisation, Person
from marketplace.identity.rules import KEEPER, ROLE_LABELS, ROLES_IN, Permission, Role
from marketplace.identity.service.people import add_person
from marketplace.ids import new_id
from marketplace.secrets import new_token, token_hash


class LastKeeper(Refused):
    """The organisation would be left without anyone who can look after it."""

    code = "last_keeper"


class InvitationGone(Refused):
    """The invitation was accepted, withdrawn, has expired, or is for another address."""

    code = "invitation_gone"


def invite(session: Session, actor: Actor, *, email: str, role: str) -> Invitation:
    """Offer a role in the actor's organisation to an address; a link is mailed.

    A former open invitation of the same address is withdrawn. Faulty for a role that the
    organisation does not have, and for an address that holds the role already.
    """
    actor.require(Permission.MEMBERS_MANAGE)
    organisation = queries.organisation_of(session, actor)
    address = rules.clean_email(email)
    offered = _role(organisation, role)
    _refuse_held(session, organisation.id, address, offered)
    session.execute(
        update(Invitation)
        .where(Invitation.organisation_id == organisation.id, Invitation.email == address)
        .where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
    )
    plain = new_token("mki")
    row = Invitation(
        id=new_id(),
        organisation_id=organisation.id,
        email=address,
        role=offered,
        token_hash=token_hash(plain),
        invited_by=actor.person(),
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(days=rules.INVITATION_DAYS),
    )
    session.add(row)
    mail.send(
        session,
        to=address,
        template="invitation",
        organisation=organisation.name,
        role=ROLE_LABELS[offered],
        token=plain,
        days=rules.INVITATION_DAYS,
    )
    audit.record(session, actor, "invited", row.id, role=offered.value)
    return row


def withdraw_invitation(session: Session, actor: Actor, invitation_id: UUID) -> None:
    """Take an open invitation back; Missing when it is another organisation's."""
    actor.require(Permission.MEMBERS_MANAGE)
    row = session.get(Invitation, invitation_id)
    if row is None or row.organisation_id != actor.organisation():
        raise Missing("This invitation is not there.")
    if row.accepted_at is None and row.withdrawn_at is None:
        row.withdrawn_at = clock.now()
        audit.record(session, actor, "withdrew invitation", row.id)


def invitation_of(session: Session, token: str) -> tuple[Invitation, Organisation]:
    """The open invitation of a mailed token and its organisation; InvitationGone otherwise."""
    row = session.scalar(
        select(Invitation)
        .where(Invitation.token_hash == token_hash(token))
        .where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
        .where(Invitation.expires_at > clock.now())
        .with_for_update()
    )
    if row is None:
        raise InvitationGone("This invitation was used, withdrawn or has expired. Ask for another.")
    return row, session.get_one(Organisation, row.organisation_id)


def accept_invitation(session: Session, actor: Actor, token: str) -> Organisation:
    """Take the offered role, as the person whose verified address was invited.

    InvitationGone when the invitation went to another address: nobody joins by a forwarded link.
    """
    row, organisation = invitation_of(session, token)
    person = queries.person_of(session, actor)
    if person.email != row.email or person.email_verified_at is None:
        raise InvitationGone("This invitation is for another e-mail address than yours.")
    _join(session, row, person)
    return organisation


def join_by_invitation(session: Session, token: str, *, name: str, password: str) -> Person:
    """A new person by an invitation, whose link proves the address.

    InvitationGone when the address has an account: then sign in and accept instead.
    """
    row, _ = invitation_of(session, token)
    person = add_person(
        session,
        email=row.email,
        name=name,
        password=password,
        timezone="UTC",
        is_specialist=False,
    )
    if person is None:
        raise InvitationGone("You have an account already. Sign in, then open the link again.")
    person.email_verified_at = clock.now()
    _join(session, row, person)
    return person


def change_roles(
    session: Session, actor: Actor, person_id: UUID, roles: Collection[str]
) -> frozenset[Role]:
    """Set all roles of a member in the actor's organisation; none of them ends the membership.

    LastKeeper when nobody would be left to look after the organisation; Missing when the person
    is no member.
    """
    actor.require(Permission.MEMBERS_MANAGE)
    # Two owners who remove each other at once must meet here.
    organisation = session.scalar(
        select(Organisation).where(Organisation.id == actor.organisation()).with_for_update()
    )
    if organisation is None:
        raise Missing("This organisation is not there.")
    wanted = frozenset(_role(organisation, role) for role in roles)
    here = Membership.organisation_id == organisation.id
    held = frozenset(
        session.scalars(select(Membership.role).where(here, Membership.person_id == person_id))
    )
    if not held:
        raise Missing("This person is not a member.")
    _keep_a_keeper(session, organisation, person_id, wanted)
    lost = Membership.role.in_(held - wanted)
    session.execute(delete(Membership).where(here, Membership.person_id == person_id, lost))
    for role in sorted(wanted - held):
        _add(session, person_id, organisation.id, role)
    audit.record(
        session, actor, "changed roles", person_id, before=sorted(held), after=sorted(wanted)
    )
    return wanted


def rename_organisation(session: Session, actor: Actor, name: str) -> None:
    """A new name for the actor's organisation."""
    actor.require(Permission.MEMBERS_MANAGE)
    organisation = queries.organisation_of(session, actor)
    organisation.name = rules.clean_name(name)
    audit.record(session, actor, "renamed organisation", organisation.id)


def _keep_a_keeper(
    session: Session, organisation: Organisation, person_id: UUID, wanted: frozenset[Role]
) -> None:
    keeper = KEEPER[organisation.kind]
    if keeper in wanted:
        return
    others = session.scalar(
        select(Membership.person_id)
        .where(Membership.organisation_id == organisation.id, Membership.role == keeper)
        .where(Membership.person_id != person_id)
        .limit(1)
    )
    if others is None:
        raise LastKeeper(f"Make someone else {keeper.value} first: somebody has to be.")


def _role(organisation: Organisation, role: str) -> Role:
    allowed = ROLES_IN[organisation.kind]
    if role not in {one.value for one in allowed}:
        names = ", ".join(one.value for one in allowed)
        raise Faulty("This role does not exist here.", [Fault("/role", f"Choose one of {names}.")])
    return Role(role)


def _refuse_held(session: Session, organisation_id: UUID, address: str, role: Role) -> None:
    held = session.scalar(
        select(Membership.role)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.organisation_id == organisation_id, Membership.role == role)
        .where(Person.email == address)
    )
    if held is not None:
        fault = Fault("/email", "This person has the role already.")
        raise Faulty("There is nobody to invite.", [fault])


def _join(session: Session, row: Invitation, person: Person) -> None:
    row.accepted_at, row.accepted_by = clock.now(), person.id
    held = session.get(Membership, (person.id, row.organisation_id, row.role))
    if held is None:
        _add(session, person.id, row.organisation_id, row.role)
    actor = queries.actor_for(person, (), None)
    audit.record(session, actor, "accepted invitation", row.id, role=row.role.value)


def _add(session: Session, person_id: UUID, organisation_id: UUID, role: Role) -> None:
    session.add(
        Membership(
            person_id=person_id,
            organisation_id=organisation_id,
            role=role,
            created_at=clock.now(),
        )
    )
