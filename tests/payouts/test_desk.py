"""What the finance desk looks up of payouts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.ids import new_id
from marketplace.payouts import queries, service
from marketplace.payouts.models import PayeeAccount
from marketplace.payouts.rules import AttemptState, LineState
from tests.make import payouts as make
from tests.make.billing import Stripe, a_person
from tests.make.ledger import cleared_pay, usd


def test_who_can_be_paid_and_why_others_cannot(session: Session, stripe: Stripe) -> None:
    for minor in (90_00, 40_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    make.a_specialist_to_pay(stripe, usd(30_00), ready=False)
    restricted = make.a_specialist_to_pay(stripe, usd(20_00))
    make.a_specialist_to_pay(stripe, usd(5_00))
    with transaction() as tx:
        tx.get_one(PayeeAccount, restricted).disabled_reason = "requirements.past_due"
        cleared_pay(tx, a_person(tx), usd(15_00))

    with transaction() as tx:
        found = queries.groups(tx, SYSTEM, minimum=usd(10_00))
        single = queries.unpayable(tx, SYSTEM, minimum=usd(10_00))

    assert [
        (None, 2, usd(130_00)),
        ("has not finished Stripe's form", 1, usd(30_00)),
        ("Stripe wants more details of the person (requirements.past_due)", 1, usd(20_00)),
        ("has not said where to be paid", 1, usd(15_00)),
    ] == [(one.reason, one.count, one.total) for one in found]
    assert [one.reason for one in found[1:]] == [one.reason for one in single]


def test_lines_without_an_answer_are_listed_oldest_first(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    for minor in (10_00, 20_00, 30_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    run = finance.released()
    young, old, frozen = make.lines_of(run)
    with transaction() as tx:
        for line, hours in ((young, 1), (old, 2)):
            with clock.shifted(timedelta(hours=-hours)):
                tx.get_one(type(line), line.id).next_look_at = clock.now()
        service.claim_line(tx, young.id)
        service.claim_line(tx, old.id)
        with clock.shifted(timedelta(hours=1)):
            service.record_doubt(tx, young.id, code="api_connection_error")
        service.record_doubt(tx, old.id, code=None)
        service.freeze_line(tx, frozen.id, "froze a line for the test", "nothing")

    with transaction() as tx:
        found = queries.unresolved(tx, SYSTEM)
        attempts = queries.attempts_by_line(tx, SYSTEM, [young.id, frozen.id])

    assert {frozen.id, old.id} == {line.id for line, _ in found[:2]}
    assert (young.id, run.reference) == (found[2][0].id, found[2][1].reference)
    assert {young.id} == set(attempts)
    assert [(1, AttemptState.OPEN, "api_connection_error")] == [
        (one.number, one.state, one.error_code) for one in attempts[young.id]
    ]


def test_a_changed_payee_is_told_until_its_line_is_cancelled(
    session: Session, stripe: Stripe
) -> None:
    finance = make.finance(session)
    payee = make.a_specialist_to_pay(stripe, usd(90_00))
    make.a_specialist_to_pay(stripe, usd(40_00))
    run = finance.prepared()
    with transaction() as tx:
        assert frozenset() == queries.changed_payees(tx, SYSTEM, run.id)
        tx.get_one(PayeeAccount, payee).version += 1

    with transaction() as tx:
        (changed,) = queries.changed_payees(tx, SYSTEM, run.id)
        assert payee == queries.line_of(tx, SYSTEM, changed).specialist_id
        service.cancel_line(tx, finance.preparer.actor, changed)
        assert frozenset() == queries.changed_payees(tx, SYSTEM, run.id)


def test_what_was_sent_is_summed_by_currency(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    for minor in (90_00, 40_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    stripe.fund(usd(500_00))
    first, second = make.lines_of(finance.released())

    make.send(first)

    with transaction() as tx:
        assert {"USD": usd(40_00)} == queries.sent_totals(tx, SYSTEM)
        assert LineState.APPROVED is queries.line_of(tx, SYSTEM, second.id).state
        with pytest.raises(Missing):
            queries.line_of(tx, SYSTEM, new_id())
