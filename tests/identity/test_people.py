"""Signing up, proving an address, new passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Faulty, Refused
from marketplace.identity import queries, service
from marketplace.identity.models import Organisation, Person
from marketplace.identity.rules import OrganisationKind, Role
from marketplace.mail import Message
from tests.make import identity as make


def signed_up(session: Session, address: str, kind: str = "lab") -> Person:
    """A new person whose address is not proved yet."""
    found = service.sign_up(
        session,
        email=address,
        name="Ada Byron",
        password=make.PASSWORD,
        kind=kind,
        organisation_name="Engine Lab",
    )
    assert found is not None
    return found


def test_a_lab_signs_up_with_its_owner(session: Session) -> None:
    person = signed_up(session, make.email())
    session.flush()

    organisations = queries.belongings(session, person.id)

    assert [("Engine Lab", OrganisationKind.LAB, frozenset({Role.OWNER}))] == [
        (one.name, one.kind, one.roles) for one in organisations
    ]


def test_a_specialist_belongs_to_nobody(session: Session) -> None:
    person = signed_up(session, make.email(), "specialist")
    session.flush()

    assert (True, ()) == (person.is_specialist, queries.belongings(session, person.id))


def test_the_mailed_link_proves_the_address_once(session: Session) -> None:
    person = signed_up(session, make.email())
    token = make.mailed_token(session, person.email)

    service.verify_email(session, token)

    assert person.email_verified_at is not None
    with pytest.raises(service.LinkGone):
        service.verify_email(session, token)


def test_a_link_of_one_purpose_does_not_serve_another(session: Session) -> None:
    person = signed_up(session, make.email())
    token = make.mailed_token(session, person.email)

    with pytest.raises(service.LinkGone):
        service.reset_password(session, token, "another good passphrase")


def test_signing_up_with_a_known_address_changes_nothing_and_mails_its_owner(
    session: Session,
) -> None:
    person = make.person(session)
    before = session.scalar(select(func.count()).select_from(Organisation))

    again = service.sign_up(
        session,
        email=person.email,
        name="Mallory",
        password="another good passphrase",
        kind="lab",
        organisation_name="Theirs",
    )
    session.flush()

    assert again is None
    assert before == session.scalar(select(func.count()).select_from(Organisation))
    newest = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    assert ("already_here", person.email) == (newest.template, newest.to)


def test_faults_of_a_sign_up_name_their_fields(session: Session) -> None:
    with pytest.raises(Faulty) as refusal:
        service.sign_up(
            session, email="x@example.org", name="A", password=make.PASSWORD, kind="lab"
        )

    assert ["/organisation_name"] == [fault.pointer for fault in refusal.value.faults]


def test_markup_in_names_stays_text_in_mail(session: Session) -> None:
    service.sign_up(
        session,
        email="markup@example.org",
        name="<script>alert(1)</script>",
        password=make.PASSWORD,
        kind="specialist",
    )
    session.flush()
    newest = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()

    assert "Hello <script>alert(1)</script>," in (newest.body or "")


def test_a_reset_ends_all_sign_ins_and_proves_the_address(session: Session) -> None:
    person = signed_up(session, make.email())
    _, cookie = service.sign_in(session, email=person.email, password=make.PASSWORD)
    service.ask_for_reset(session, person.email)
    token = make.mailed_token(session, person.email)

    service.reset_password(session, token, "another good passphrase")
    session.flush()

    assert service.visitor_of_sign_in(session, cookie) is None
    assert person.email_verified_at is not None
    service.sign_in(session, email=person.email, password="another good passphrase")


def test_a_reset_link_ends_after_an_hour(session: Session) -> None:
    person = make.person(session)
    service.ask_for_reset(session, person.email)
    token = make.mailed_token(session, person.email)

    with clock.shifted(timedelta(minutes=61)), pytest.raises(service.LinkGone):
        service.reset_password(session, token, "another good passphrase")


def test_one_reset_uses_up_the_other_links(session: Session) -> None:
    person = make.person(session)
    service.ask_for_reset(session, person.email)
    first = make.mailed_token(session, person.email)
    service.ask_for_reset(session, person.email)
    second = make.mailed_token(session, person.email)
    service.reset_password(session, second, "another good passphrase")
    session.flush()

    with pytest.raises(service.LinkGone):
        service.reset_password(session, first, "a third good passphrase")


def test_asking_for_an_unknown_address_mails_nothing(session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(Message))

    service.ask_for_reset(session, "nobody-at-all@example.org")
    session.flush()

    assert before == session.scalar(select(func.count()).select_from(Message))


def test_changing_the_password_needs_the_present_one(session: Session) -> None:
    owner = make.lab_owner(session)

    with pytest.raises(Faulty) as refusal:
        service.change_password(
            session, owner, current="not it", password="another good passphrase", kept=None
        )

    assert ["/current_password"] == [fault.pointer for fault in refusal.value.faults]


def test_vouching_for_a_taken_address_is_refused(session: Session) -> None:
    person = make.person(session)

    with pytest.raises(Refused) as refusal:
        service.register_verified(session, email=person.email, name="X", password=make.PASSWORD)

    assert "email_taken" == refusal.value.code
