"""Everybody's accounts: made, invited, joined. Each step is skipped when it was done before."""

from __future__ import annotations

import re

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.demo.cast import LABS, SECOND_APPROVER, SPECIALISTS, STAFF, Lab, Member
from marketplace.demo.timeline import Timeline, at
from marketplace.errors import Missing
from marketplace.identity import queries, service
from marketplace.identity.models import Person
from marketplace.mail import Message

ZONE = "Europe/Berlin"


def person_of(session: Session, email: str) -> Person:
    """The person with this address; Missing before their step."""
    person = queries.person_by_email(session, email)
    if person is None:
        raise Missing(f"{email} is not there yet.")
    return person


def actor_of(session: Session, email: str) -> Actor:
    """The person acting for their organisation, or for themselves where they have none."""
    person = person_of(session, email)
    organisations = queries.belongings(session, person.id)
    acted_for = organisations[0].organisation_id if organisations else None
    return queries.actor_for(person, organisations, acted_for)


def is_empty(session: Session) -> bool:
    """Whether nobody has an account, or those who have came with an unfinished demonstration."""
    anybody = session.scalar(select(Person.id).limit(1))
    first = queries.person_by_email(session, STAFF[0].email)
    return anybody is None or first is not None


def make_staff(timeline: Timeline, password: str) -> None:
    """The platform's people, each with a role; the second approver turns TOTP on."""
    with at(timeline.on(22, 8)):
        for member in STAFF:
            with transaction() as session:
                _make_officer(session, member, password)
        with transaction() as session:
            _turn_totp_on(session, SECOND_APPROVER)


def _make_officer(session: Session, member: Member, password: str) -> None:
    if queries.person_by_email(session, member.email) is not None:
        return
    person = service.register_verified(
        session, email=member.email, name=member.name, password=password, timezone=ZONE
    )
    service.found_platform(session, person, frozenset({member.role, *member.also}))


def _turn_totp_on(session: Session, email: str) -> None:
    if person_of(session, email).totp_confirmed_at is None:
        actor = actor_of(session, email)
        secret, _ = service.start_totp(session, actor)
        service.confirm_totp(session, actor, pyotp.TOTP(secret).at(clock.now()))


def make_labs(timeline: Timeline, password: str) -> None:
    """Three labs with their owners; colleagues follow their invitations."""
    for days, lab in zip((21, 20, 20), LABS, strict=True):
        with at(timeline.on(days, 9)):
            _make_owner(lab, password)
            for member in lab.others:
                _invite(lab, member, password)


def _make_owner(lab: Lab, password: str) -> None:
    with transaction() as session:
        if queries.person_by_email(session, lab.owner.email) is None:
            service.register_verified(
                session,
                email=lab.owner.email,
                name=lab.owner.name,
                password=password,
                lab_name=lab.name,
                timezone=ZONE,
            )


def _invite(lab: Lab, member: Member, password: str) -> None:
    with transaction() as session:
        if queries.person_by_email(session, member.email) is not None:
            return
        owner = actor_of(session, lab.owner.email)
        service.invite(session, owner, email=member.email, role=member.role.value)
        session.flush()  # The letter is read back below.
        token = _token_mailed_to(session, member.email)
        service.join_by_invitation(session, token, name=member.name, password=password)


def _token_mailed_to(session: Session, email: str) -> str:
    """The token in the newest letter to this address, which this transaction wrote."""
    letters = session.scalars(select(Message).order_by(Message.id.desc()).limit(5))
    body = next(letter.body or "" for letter in letters if letter.to == email)
    return str(re.findall(r"token=(\S+)", body)[0])


def make_specialists(timeline: Timeline, password: str) -> None:
    """A dozen people who give judgements; their credentials come in the next step."""
    for number, one in enumerate(SPECIALISTS):
        with at(timeline.on(20, 9 + number // 2, 30 * (number % 2))), transaction() as session:
            if queries.person_by_email(session, one.email) is None:
                service.register_verified(
                    session,
                    email=one.email,
                    name=one.name,
                    password=password,
                    is_specialist=True,
                    timezone=one.time_zone,
                )


def present_code(session: Session, email: str) -> str:
    """The code that this person's authenticator shows, or the next one when it was used already.

    Missing when the person has not begun to set up a second factor.
    """
    person = person_of(session, email)
    if person.totp_secret is None:
        raise Missing(f"{email} has no second factor yet: start one under Account, Security.")
    totp = pyotp.TOTP(person.totp_secret)
    step = totp.timecode(clock.now())
    return totp.generate_otp(max(step, (person.totp_last_step or 0) + 1))
