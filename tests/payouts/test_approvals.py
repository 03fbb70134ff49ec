"""How many approve, how much one may approve in a day, and what voids it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.db import transaction
from marketplace.errors import Conflict
from marketplace.identity.rules import Role
from marketplace.money import Money
from marketplace.payouts import queries, rules, service
from marketplace.payouts.models import PayoutRun
from marketplace.payouts.queries import Filters
from marketplace.payouts.rules import BelowMinimum, LineState, OverLimit, RunState, Thresholds
from tests.make import payouts as make
from tests.make.billing import Stripe
from tests.make.ledger import usd
from tests.payouts.story import available

LIMITS = Thresholds(two_from={"USD": 100_00}, new_payee_from={"USD": 50_00}, day_limit={"USD": 1})


@contextmanager
def policy(**wanted: object) -> Iterator[None]:
    """Other limits for a while."""
    former = settings.current()
    settings.use(replace(former, **wanted))  # type: ignore[arg-type]
    try:
        yield
    finally:
        settings.use(former)


@pytest.mark.parametrize(
    ("total", "first", "needed"),
    [
        (usd(99_99), None, 1),
        (usd(100_00), None, 2),
        (usd(60_00), usd(49_99), 1),
        (usd(60_00), usd(50_00), 2),
        (Money(1, "KRW"), None, 2),
    ],
)
def test_how_many_people_approve(total: Money, first: Money | None, needed: int) -> None:
    assert needed == LIMITS.approvals(total, first)


def test_the_limit_says_how_much_is_left() -> None:
    rules.check_limit(usd(40_00), used_minor=60_00, limit_minor=100_00)
    rules.check_limit(usd(40_00), used_minor=10**9, limit_minor=None)

    with pytest.raises(OverLimit, match=r"leave you 40.00 USD of 100.00 USD"):
        rules.check_limit(usd(40_01), used_minor=60_00, limit_minor=100_00)


def approve(run: PayoutRun, officer: make.Officer) -> PayoutRun:
    with transaction() as tx:
        return service.approve_run(tx, officer.actor, run.id, run.content_sha256, officer.code())


def test_a_large_run_needs_two_approvers(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    second = make.an_officer(session, Role.APPROVER)
    make.a_specialist_to_pay(stripe, usd(90_00))
    with policy(payout_two_approvers_from=(("USD", 50_00),)):
        run = finance.prepared()

        assert RunState.DRAFT is approve(run, finance.approver).state
        with pytest.raises(Conflict), transaction() as tx:
            service.release_run(tx, finance.preparer.actor, run.id)
        with clock.shifted(timedelta(minutes=2)), pytest.raises(Conflict, match="already"):
            approve(run, finance.approver)
        assert RunState.APPROVED is approve(run, second).state

    with transaction() as tx:
        signed = queries.approvals_of(tx, second.actor, run.id)
        assert [finance.approver.actor.person_id, second.actor.person_id] == [
            one.person_id for one in signed
        ]
        assert [] == queries.broken_invariants(tx)


def test_an_edit_voids_the_first_of_two_approvals(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    second = make.an_officer(session, Role.APPROVER)
    for minor in (20_00, 90_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    with policy(payout_two_approvers_from=(("USD", 50_00),)):
        run = finance.prepared()
        approve(run, finance.approver)
        small = make.lines_of(run)[0]
        with transaction() as tx:
            service.cancel_line(tx, finance.preparer.actor, small.id)
        edited = make.run_now(run)

        assert RunState.DRAFT is approve(edited, second).state


def test_the_database_counts_signatures(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.prepared()

    signed = {
        "state": RunState.APPROVED,
        "approved_by": finance.approver.actor.person(),
        "approved_at": clock.now(),
        "approved_sha256": run.content_sha256,
    }
    with pytest.raises(IntegrityError, match="as many people"), transaction() as tx:
        tx.execute(update(PayoutRun).where(PayoutRun.id == run.id).values(**signed))


def test_a_days_approvals_count_together(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(60_00))
    with policy(payout_approver_day_limits=(("USD", 100_00),)):
        first = finance.prepared()
        approve(first, finance.approver)
        make.a_specialist_to_pay(stripe, usd(50_00))
        second = finance.prepared()

        with clock.shifted(timedelta(minutes=2)), pytest.raises(OverLimit):
            approve(second, finance.approver)
        with clock.shifted(timedelta(hours=25)):
            assert RunState.APPROVED is approve(second, finance.approver).state

    with transaction() as tx:
        (kept,) = queries.approvals_of(tx, finance.approver.actor, second.id)
    assert (0, 100_00, 50_00) == (kept.day_used_minor, kept.day_limit_minor, kept.total_minor)


def test_filters_and_a_preview_that_writes_nothing(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    people = [make.a_specialist_to_pay(stripe, usd(minor)) for minor in (20_00, 30_00, 40_00)]
    wanted = Filters(without=frozenset({people[2]}), country="US")

    with transaction() as tx:
        seen = service.preview_run(tx, finance.preparer.actor, minimum=usd(25_00), filters=wanted)
        assert [] == queries.runs(tx, finance.preparer.actor)
    assert ([people[1]], usd(30_00), 1) == (
        [part.row.specialist_id for part in seen.parts],
        seen.total,
        seen.approvals_needed,
    )
    with transaction() as tx:
        run = service.prepare_run(tx, finance.preparer.actor, minimum=usd(25_00), filters=wanted)
    assert (usd(30_00), {"without": [str(people[2])], "country": "US"}) == (run.total, run.asked)
    nobody = Filters(country="DE")
    with pytest.raises(BelowMinimum), transaction() as tx:
        service.prepare_run(tx, finance.preparer.actor, minimum=usd(10_00), filters=nobody)


def test_a_run_pauses_by_hand_and_the_rest_is_cancelled(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    for minor in (20_00, 90_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    stripe.fund(usd(500_00))
    run = finance.released()
    first, second = make.lines_of(run)
    make.send(first)
    with transaction() as tx:
        service.pause_by_hand(tx, finance.approver.actor, run.id)

    make.send(second)
    assert LineState.APPROVED is make.line_now(second).state
    with pytest.raises(Conflict), transaction() as tx:
        service.pause_by_hand(tx, finance.approver.actor, run.id)
    with transaction() as tx:
        service.cancel_run(tx, finance.preparer.actor, run.id)

    assert (RunState.PARTIALLY_SENT, usd(90_00)) == (make.run_now(run).state, available(second))
    assert 1 == len(stripe.transfers())
