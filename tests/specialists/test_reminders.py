"""Reminders before a credential runs out: each stage once, in the holder's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity import queries as identity_queries
from marketplace.identity.rules import Role
from marketplace.mail import Message
from marketplace.specialists import service
from marketplace.specialists.models import CredentialReminder
from marketplace.specialists.queries.expiring import expiring
from marketplace.specialists.rules.reminders import due_stage
from tests.make import background, identity, specialists

TEMPLATE = "credential_expiring"


@pytest.mark.parametrize(
    ("days_left", "stage"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)],
)
def test_the_stage_nearest_to_the_end_counts(days_left: int, stage: int | None) -> None:
    """Sixty, thirty and seven days before; none after the last day."""
    assert stage == due_stage(days_left)


def letters(session: Session) -> list[tuple[str | None, str]]:
    """Subjects and texts of the reminders, oldest first."""
    rows = select(Message).where(Message.template == TEMPLATE).order_by(Message.id)
    return [(each.subject, each.body or "") for each in session.scalars(rows)]


def holder(session: Session, days: int) -> Actor:
    """A doctor whose licence ends in so many days."""
    person = identity.specialist(session)
    specialists.verified(session, person, valid_until=clock.now().date() + timedelta(days=days))
    session.flush()
    return person


def test_each_stage_is_written_once(session: Session) -> None:
    """However often it runs; and three letters in all until the end."""
    holder(session, 75)
    sent = []
    for days in (0, 14, 15, 16, 44, 45, 46, 67, 68, 69, 75):
        with clock.shifted(timedelta(days=days)):
            background.run("specialists.remind")
            background.run("specialists.remind")
        sent.append(len(letters(session)))

    assert [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3] == sent
    subjects = [subject for subject, _ in letters(session)]
    assert [
        "Your State medical licence, US-CA runs out in 60 days",
        "Your State medical licence, US-CA runs out in 30 days",
        "7 days left: your State medical licence, US-CA",
    ] == subjects
    assert "/work/credentials/" in letters(session)[0][1]


def test_who_comes_late_gets_the_one_stage_that_fits(session: Session) -> None:
    """Nobody is written three times on one day."""
    holder(session, 5)
    background.run("specialists.remind")
    with clock.shifted(timedelta(days=1)):
        background.run("specialists.remind")

    assert ["5 days left: your State medical licence, US-CA"] == [
        subject for subject, _ in letters(session)
    ]


def test_a_renewed_licence_is_reminded_of_anew(session: Session) -> None:
    """Another last day has its own stages."""
    person = holder(session, 5)
    background.run("specialists.remind")
    staff = identity.staff(session, Role.OPERATIONS)
    (claim_id,) = session.scalars(select(CredentialReminder.claim_id)).all()
    service.decide_credential(
        session,
        staff,
        claim_id,
        outcome="verify",
        level=4,
        note=specialists.NOTE,
        checklist=specialists.ticks(4),
        valid_until=clock.now().date() + timedelta(days=30),
    )
    background.run("specialists.remind")

    assert [7, 30] == list(
        session.scalars(select(CredentialReminder.days).order_by(CredentialReminder.sent_at))
    )
    (row,) = expiring(session, staff)
    assert (30, [30]) == (row.days_left, [each.days for each in row.reminders])
    assert person.person() == row.claim.person_id


def test_the_day_is_counted_where_the_holder_is(session: Session) -> None:
    """At eleven in the evening in London it is the next day in Auckland."""
    evening = datetime.combine(clock.now().date(), datetime.min.time(), UTC) + timedelta(hours=23)
    away = identity.specialist(session)
    near = identity.specialist(session)
    for person, zone in ((away, "Pacific/Auckland"), (near, "Europe/London")):
        identity_queries.person_of(session, person).timezone = zone
        specialists.verified(session, person, valid_until=evening.date() + timedelta(days=61))
    session.flush()
    with clock.shifted(evening - clock.now()):
        background.run("specialists.remind")

    rows = select(Message.to).where(Message.template == TEMPLATE)
    assert [identity_queries.person_of(session, away).email] == list(session.scalars(rows))


def test_the_last_day_is_said_as_such(session: Session) -> None:
    """Not as nought days."""
    holder(session, 0)
    background.run("specialists.remind")
    ((subject, body),) = letters(session)

    assert "Last day of your State medical licence, US-CA" == subject
    assert f"{clock.now():%B %Y}, today." in body
