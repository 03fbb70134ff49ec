"""Passwords, sign-ins and their ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.audit import AuditRow
from marketplace.errors import Denied, Missing, SignInNeeded
from marketplace.identity import queries, service
from marketplace.identity.models import SignIn
from marketplace.identity.rules import PersonState, Role
from marketplace.identity.service.sign_ins import NOBODY
from marketplace.secrets import token_hash
from tests.make import identity as make


def test_the_right_password_signs_in(session: Session) -> None:
    someone = make.person(session)

    row, token = service.sign_in(session, email=someone.email.upper(), password=make.PASSWORD)

    found = service.visitor_of_sign_in(session, token)
    assert found is not None
    assert (someone.id, row.id) == (found.person_id, found.sign_in_id)


def test_the_token_is_stored_only_as_a_hash(session: Session) -> None:
    someone = make.person(session)

    row, token = service.sign_in(session, email=someone.email, password=make.PASSWORD)

    assert token_hash(token) == row.token_hash
    assert token.encode() not in row.token_hash


def test_wrong_passwords_and_unknown_addresses_read_the_same(session: Session) -> None:
    someone = make.person(session)
    refusals = []
    for address in (someone.email, make.email("unknown")):
        with pytest.raises(service.WrongPassword) as refusal:
            service.sign_in(session, email=address, password="not the password")
        refusals.append((refusal.value.message, refusal.value.faults))

    assert refusals[0] == refusals[1]


def test_an_unknown_address_costs_as_much_work_as_a_known_one() -> None:
    known = extract_parameters(PasswordHasher().hash("some password"))

    assert known == extract_parameters(NOBODY)


def test_suspended_people_are_told_only_after_the_right_password(session: Session) -> None:
    someone = make.person(session)
    someone.state = PersonState.SUSPENDED
    session.flush()

    with pytest.raises(service.WrongPassword):
        service.sign_in(session, email=someone.email, password="not the password")
    with pytest.raises(Denied):
        service.sign_in(session, email=someone.email, password=make.PASSWORD)


def test_suspending_ends_what_is_signed_in(session: Session) -> None:
    owner = make.lab_owner(session)
    token, bearer = make.cookie(session, owner), make.token(session, owner)
    queries.person_of(session, owner).state = PersonState.SUSPENDED
    session.flush()

    assert service.visitor_of_sign_in(session, token) is None
    with pytest.raises(SignInNeeded):
        service.visitor_of_token(session, bearer)


def test_an_ended_sign_in_opens_nothing(session: Session) -> None:
    owner = make.lab_owner(session)
    token = make.cookie(session, owner)
    row = session.scalars(select(SignIn).where(SignIn.token_hash == token_hash(token))).one()

    service.end_sign_in(session, owner, row.id)
    session.flush()

    assert service.visitor_of_sign_in(session, token) is None


def test_nobody_ends_the_sign_in_of_another_person(session: Session) -> None:
    owner, other = make.lab_owner(session), make.lab_owner(session)
    make.cookie(session, owner)
    row = queries.sign_ins_of(session, owner)[0]

    with pytest.raises(Missing):
        service.end_sign_in(session, other, row.id)


def test_staff_idle_for_two_hours_are_out_and_labs_are_not(session: Session) -> None:
    lab = make.cookie(session, make.lab_owner(session))
    staff = make.cookie(session, make.staff(session, Role.PREPARER))

    with clock.shifted(timedelta(hours=3)):
        found = [service.visitor_of_sign_in(session, token) is not None for token in (lab, staff)]

    assert [True, False] == found


def test_only_own_sign_ins_are_listed(session: Session) -> None:
    owner, other = make.lab_owner(session), make.lab_owner(session)
    make.cookie(session, other)
    make.cookie(session, owner)

    assert 1 == len(queries.sign_ins_of(session, owner))


def test_signing_in_leaves_a_line_in_the_trail(session: Session) -> None:
    owner = make.lab_owner(session)
    make.cookie(session, owner)
    verbs = session.scalars(select(AuditRow.verb).where(AuditRow.person_id == owner.person_id))

    assert "signed in" in list(verbs)


def test_acting_for_a_foreign_organisation_is_refused(session: Session) -> None:
    owner, other = make.lab_owner(session), make.lab_owner(session)
    visitor = service.visitor_of_sign_in(session, make.cookie(session, owner))
    assert visitor is not None

    with pytest.raises(Missing):
        service.act_for(session, visitor, other.organisation())


def test_a_person_with_two_hats_wears_one_at_a_time(session: Session) -> None:
    both = make.lab_owner(session, is_specialist=True)
    token = make.cookie(session, both)
    in_lab = service.visitor_of_sign_in(session, token)
    assert in_lab is not None
    service.act_for(session, in_lab, None)
    session.flush()

    alone = service.visitor_of_sign_in(session, token)

    assert alone is not None
    assert {"owner"} == in_lab.actor.roles
    assert {"specialist"} == alone.actor.roles
    assert frozenset() == in_lab.actor.permissions & alone.actor.permissions - {"tokens.manage"}
