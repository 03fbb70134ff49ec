"""Invitations, roles, and an organisation that always keeps an owner."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Denied, Faulty, Missing
from marketplace.identity import queries, service
from marketplace.identity.rules import Role
from tests.make import identity as make


def test_an_invitation_makes_a_new_person_a_member(session: Session) -> None:
    owner = make.lab_owner(session)
    address = make.email("guest")
    service.invite(session, owner, email=address, role="reviewer")

    person = service.join_by_invitation(
        session, make.mailed_token(session, address), name="Guest", password=make.PASSWORD
    )

    assert {"reviewer"} == make.actor_of(session, person).roles
    assert person.email_verified_at is not None


def test_a_forwarded_invitation_lets_nobody_else_in(session: Session) -> None:
    owner, other = make.lab_owner(session), make.lab_owner(session)
    address = make.email("guest")
    service.invite(session, owner, email=address, role="viewer")

    with pytest.raises(service.InvitationGone):
        service.accept_invitation(session, other, make.mailed_token(session, address))


def test_an_invitation_is_accepted_once(session: Session) -> None:
    owner = make.lab_owner(session)
    guest = make.person(session)
    service.invite(session, owner, email=guest.email, role="viewer")
    token = make.mailed_token(session, guest.email)
    service.accept_invitation(session, make.actor_of(session, guest), token)
    session.flush()

    with pytest.raises(service.InvitationGone):
        service.accept_invitation(session, make.actor_of(session, guest), token)


def test_invitations_expire_and_can_be_withdrawn(session: Session) -> None:
    owner = make.lab_owner(session)
    address = make.email("guest")
    row = service.invite(session, owner, email=address, role="viewer")
    token = make.mailed_token(session, address)

    with clock.shifted(timedelta(days=8)), pytest.raises(service.InvitationGone):
        service.invitation_of(session, token)
    service.withdraw_invitation(session, owner, row.id)
    session.flush()
    with pytest.raises(service.InvitationGone):
        service.invitation_of(session, token)


def test_a_second_invitation_takes_the_place_of_the_first(session: Session) -> None:
    owner = make.lab_owner(session)
    address = make.email("guest")
    service.invite(session, owner, email=address, role="viewer")
    first = make.mailed_token(session, address)
    service.invite(session, owner, email=address, role="manager")
    session.flush()

    with pytest.raises(service.InvitationGone):
        service.invitation_of(session, first)
    assert ["manager"] == [one.role.value for one in queries.open_invitations(session, owner)]


def test_labs_cannot_give_roles_of_the_platform(session: Session) -> None:
    owner = make.lab_owner(session)

    with pytest.raises(Faulty):
        service.invite(session, owner, email="x@example.org", role="approver")


def test_reviewers_invite_nobody(session: Session) -> None:
    reviewer = make.member(session, make.lab_owner(session), Role.REVIEWER)

    with pytest.raises(Denied):
        service.invite(session, reviewer, email="x@example.org", role="viewer")


def test_members_of_another_lab_cannot_be_changed(session: Session) -> None:
    owner, other = make.lab_owner(session), make.lab_owner(session)

    with pytest.raises(Missing):
        service.change_roles(session, owner, other.person(), ["viewer"])


def test_roles_are_set_as_a_whole(session: Session) -> None:
    owner = make.lab_owner(session)
    member = make.member(session, owner, Role.VIEWER)

    service.change_roles(session, owner, member.person(), ["manager", "billing"])
    session.flush()

    person = queries.person_of(session, member)
    assert {"manager", "billing"} == make.actor_of(session, person, owner.organisation()).roles


def test_the_last_owner_stays(session: Session) -> None:
    owner = make.lab_owner(session)
    make.member(session, owner, Role.MANAGER)

    with pytest.raises(service.LastKeeper):
        service.change_roles(session, owner, owner.person(), ["manager"])


def test_losing_a_role_ends_at_once_what_a_token_may_do(session: Session) -> None:
    owner = make.lab_owner(session)
    member = make.member(session, owner, Role.MANAGER)
    token = make.token(session, member)
    service.change_roles(session, owner, member.person(), ["viewer"])
    session.flush()

    actor, _ = service.actor_of_token(session, token)

    assert {"jobs.view", "tokens.manage"} == actor.permissions


def test_two_owners_who_remove_each_other_leave_one(committed: Engine) -> None:
    with transaction() as session:
        first = make.lab_owner(session)
        second = make.member(session, first, Role.OWNER)
    refused: list[Exception] = []
    ready = threading.Barrier(2)

    def remove(actor: Actor, victim: Actor) -> None:
        ready.wait()
        try:
            with transaction() as session:
                service.change_roles(session, actor, victim.person(), [])
        except service.LastKeeper as error:
            refused.append(error)

    pairs = [(first, second), (second, first)]
    threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    with transaction() as session:
        owners = [
            one for actor in (first, second) for one in queries.belongings(session, actor.person())
        ]
    assert (1, 1) == (len(owners), len(refused))
