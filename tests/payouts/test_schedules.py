"""Runs that are drafted on a schedule, and never more than drafted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.models import Person
from marketplace.identity.rules import OrganisationKind, Role
from marketplace.identity.service import people
from marketplace.payouts import background, service
from marketplace.payouts.models import PayoutRun, PayoutSchedule
from marketplace.payouts.rules import Every, RunState, next_draft
from marketplace.payouts.service import Planned
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd

WEEK = timedelta(days=8)


@pytest.mark.parametrize(
    ("every", "day", "zone", "after", "expected"),
    [
        # A Monday after eight: the next one.
        (Every.WEEK, 1, "UTC", "2026-11-23T08:00", "2026-11-30T08:00"),
        (Every.WEEK, 1, "UTC", "2026-11-23T07:59", "2026-11-23T08:00"),
        # Eight in New York, before and after its clocks go forward.
        (Every.WEEK, 6, "America/New_York", "2026-03-06T00:00", "2026-03-07T13:00"),
        (Every.WEEK, 7, "America/New_York", "2026-03-06T00:00", "2026-03-08T12:00"),
        # A month's end never matters, since days go to the 28th.
        (Every.MONTH, 28, "UTC", "2028-02-28T09:00", "2028-03-28T08:00"),
        (Every.MONTH, 1, "Asia/Tokyo", "2026-12-31T12:00", "2026-12-31T23:00"),
    ],
)
def test_the_next_draft(every: Every, day: int, zone: str, after: str, expected: str) -> None:
    found = next_draft(every, day, zone, datetime.fromisoformat(after).replace(tzinfo=UTC))

    assert expected == found.strftime("%Y-%m-%dT%H:%M")


def drafts() -> list[PayoutRun]:
    with transaction() as tx:
        return list(tx.scalars(select(PayoutRun).order_by(PayoutRun.id)))


def planned(officer: make.Officer) -> PayoutSchedule:
    with transaction() as tx:
        return service.add_schedule(tx, officer.actor, Planned(Every.WEEK, 1, usd(10_00)))


def run_due() -> None:
    background.draft_scheduled(work("payouts.draft_scheduled"))


def a_preparer(session: Session) -> make.Officer:
    """A preparer who is a member of the platform, as a schedule asks."""
    officer = make.an_officer(session, Role.PREPARER)
    person = session.get_one(Person, officer.actor.person())
    people.found_organisation(session, person, OrganisationKind.PLATFORM, "Us", Role.PREPARER)
    session.flush()  # The schedule asks the database who prepares.
    return officer


def test_a_due_schedule_drafts_once_and_sends_nothing(session: Session, stripe: Stripe) -> None:
    officer = a_preparer(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    row = planned(officer)

    run_due()
    assert [] == drafts()
    with clock.shifted(WEEK):
        run_due()
        run_due()

    (run,) = drafts()
    assert (RunState.DRAFT, row.id, officer.actor.person_id) == (
        run.state,
        run.schedule_id,
        run.prepared_by,
    )
    with transaction() as tx:
        kept = tx.get_one(PayoutSchedule, row.id)
        assert run.reference in (kept.last_outcome or "")
        assert kept.next_at > row.next_at


def test_who_prepares_no_longer_drafts_nothing(session: Session, stripe: Stripe) -> None:
    officer = make.an_officer(session, Role.PREPARER)
    make.a_specialist_to_pay(stripe, usd(90_00))
    row = planned(officer)

    with clock.shifted(WEEK):
        run_due()

    assert [] == drafts()
    with transaction() as tx:
        assert "no longer" in (tx.get_one(PayoutSchedule, row.id).last_outcome or "")


def test_a_stopped_schedule_drafts_nothing(session: Session, stripe: Stripe) -> None:
    officer = make.an_officer(session, Role.PREPARER)
    row = planned(officer)
    with transaction() as tx:
        service.switch_schedule(tx, officer.actor, row.id, enabled=False)

    with clock.shifted(WEEK):
        run_due()

    with transaction() as tx:
        assert None is tx.get_one(PayoutSchedule, row.id).last_outcome


def test_a_day_that_there_is_not_is_refused(session: Session, stripe: Stripe) -> None:
    officer = make.an_officer(session, Role.PREPARER)

    with pytest.raises(Faulty), transaction() as tx:
        service.add_schedule(tx, officer.actor, Planned(Every.MONTH, 31, usd(10_00)))
