"""The platform's own qualifications: for whom they are, and what they may cost in all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.routing import queries
from marketplace.routing.queries import Standing
from marketplace.routing.rules import BudgetSpent, NotEligible
from marketplace.specialists import service as specialists
from tests.make import identity
from tests.make import qualification as make

EACH = 4 * 4_50  # Four items at $4.50.


@pytest.fixture
def test(session: Session) -> Job:
    """One of ours, that grants a credential of software."""
    staff = identity.staff(session, Role.OPERATIONS)
    _, job = make.published(session, staff, candidates_max=9, credential_type="coder_qualification")
    return job


def coder(session: Session, *professions: str) -> Actor:
    person = identity.specialist(session)
    specialists.save_profile(session, person, professions=list(professions) or ["software"])
    session.flush()
    return person


def standing(session: Session, person: Actor, job: Job) -> Standing:
    return queries.offered_one(session, person, JobId(job.id)).standing


@contextmanager
def budget(minor: int) -> Iterator[None]:
    """What we set aside for thirty days."""
    before = settings.current()
    settings.use(replace(before, qualification_budget_minor=minor))
    try:
        yield
    finally:
        settings.use(before)


def test_it_is_for_the_profession_that_it_serves(session: Session, test: Job) -> None:
    for stranger in (identity.specialist(session), coder(session, "medicine")):
        with pytest.raises(NotEligible, match="people who work in software"):
            make.started(session, stranger, test)
        assert Standing.UNFIT is standing(session, stranger, test)
    assert Standing.OPEN is standing(session, coder(session), test)


def test_who_holds_what_it_grants_may_renew_it_in_its_last_days_only(
    session: Session, test: Job
) -> None:
    person = coder(session)
    assert make.sat(session, person, test, "aaaa").passed
    staff = identity.staff(session, Role.OPERATIONS)
    _, other = make.published(session, staff, credential_type="coder_qualification")

    with pytest.raises(NotEligible, match="You hold what it grants until"):
        make.started(session, person, other)
    with clock.shifted(timedelta(days=340)):
        assert 1 == make.started(session, person, other).attempt


def test_all_of_ours_cost_no_more_than_was_set_aside(session: Session, test: Job) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    _, other = make.published(session, staff, candidates_max=9, pay=Money(4_50, "USD"))
    lab, theirs = make.published(session)
    del lab
    with budget(2 * EACH):
        make.started(session, coder(session), test)
        make.started(session, coder(session), other)
        late = coder(session)
        for job in (test, other):
            with pytest.raises(BudgetSpent, match="nothing is held against you"):
                make.started(session, late, job)
            assert Standing.FULL is standing(session, late, job)
        assert 1 == make.started(session, late, theirs).attempt
        with clock.shifted(timedelta(days=31)):
            assert 1 == make.started(session, late, test).attempt
