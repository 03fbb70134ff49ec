"""An empty answer about what was found before is not believed until it came three times, spaced."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.outbox import OutboxRow
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules.levels import empty_again
from tests.make.billing import Stripe
from tests.specialists.test_verification import doctor, npi, runs, shown, stands, verify, work_off

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("ago", "wait"),
    [(None, 6), (0, 6), (5, 1), (6, 24), (29, 1), (30, None), (500, None)],
)
def test_it_is_asked_again_after_six_hours_and_after_a_day(
    ago: int | None, wait: int | None
) -> None:
    now = clock.now()
    first = None if ago is None else now - ago * HOUR

    assert (None if wait is None else now + wait * HOUR) == empty_again(first, now)


@pytest.fixture
def claim(session: Session, world: Stripe) -> CredentialClaim:
    """A number that the register had, and that verified its holder."""
    person = doctor(session)
    shown(session, person)
    made = npi(session, person)
    work_off(session)
    assert ("verified", 3, None) == stands(session, made)
    return made


def waiting(session: Session) -> int:
    """How many times the register is to be asked again."""
    keys = select(OutboxRow.once_key).where(OutboxRow.once_key.like("empty:%"))
    return len(session.scalars(keys).all())


def test_an_outage_suspends_nobody(session: Session, world: Stripe, claim: CredentialClaim) -> None:
    world.controls.registry_fault("empty")
    verify(session, claim.id)
    meanwhile = stands(session, claim)
    with clock.shifted(6.5 * HOUR):
        verify(session, claim.id)

    said = [(run.outcome.value, run.reasons) for run in runs(session, claim)]
    assert ("verified", 3, None) == meanwhile == stands(session, claim)
    assert [("pass", []), ("unavailable", ["empty_answer"]), ("pass", [])] == said
    assert 1 == waiting(session)


def test_a_number_that_is_gone_suspends_the_third_time(
    session: Session, world: Stripe, claim: CredentialClaim
) -> None:
    states = []
    for hours in (0, 1, 6.5, 31):
        world.controls.registry_fault("empty")
        with clock.shifted(hours * HOUR):
            verify(session, claim.id)
        states.append(stands(session, claim)[0])

    assert ["verified", "verified", "verified", "suspended"] == states
    assert "not_in_registry" == stands(session, claim)[2]
    assert ["empty_answer"] * 3 + ["not_in_registry"] == [
        run.reasons[0] for run in runs(session, claim) if run.reasons
    ]
