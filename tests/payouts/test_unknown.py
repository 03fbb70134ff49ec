"""Faults of the wire and crashes at every moment: one transfer in the end, one posting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit import AuditRow
from marketplace.db import transaction
from marketplace.ids import new_id
from marketplace.ledger.rules import SourceKind
from marketplace.payouts import background, rules, service, stripe_gateway
from marketplace.payouts.rules import AttemptState, LineState, RunState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd
from tests.payouts.story import later, one_line, paid_once, postings, reserved

TRANSFERS = {"method": "POST", "path": "/v1/transfers"}
# The SDK asks twice more by itself, so a fault that is to reach us lasts for three calls.
LASTING = {**TRANSFERS, "count": 3}
# The key is too old to be sent, and a listing proves absence.
NEXT_DAY = timedelta(hours=26)


def test_scenario_1_a_crash_after_stripe_accepted(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        order = service.claim_line(tx, line.id)
    assert order is not None
    stripe_gateway.send(stripe.sdk, order)
    # The worker dies here, before it records anything.

    assert LineState.SUBMITTING is later(line, timedelta(seconds=60)).state
    later(line, timedelta(seconds=rules.STUCK_SECONDS + 1))

    assert paid_once(line, stripe)


def test_scenario_2_a_crash_before_the_call(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        service.claim_line(tx, line.id)

    later(line, timedelta(seconds=rules.STUCK_SECONDS + 1))

    assert paid_once(line, stripe)
    assert 1 == len(make.attempts_of(line))


@pytest.mark.parametrize("fault", ["drop", "drop_before", "error_503"])
def test_scenario_3_silence_is_unknown_and_keeps_the_money(
    session: Session, stripe: Stripe, fault: str
) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault(fault, **LASTING)

    make.send(line)

    assert (LineState.UNKNOWN, usd(90_00)) == (make.line_now(line).state, reserved(line))
    assert RunState.RELEASING is make.run_now_of(line).state
    later(line, timedelta(seconds=61))
    assert paid_once(line, stripe)
    assert 1 == len(make.attempts_of(line))


def test_scenario_4_an_old_key_is_listed_and_found(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault("drop", **LASTING)
    make.send(line)
    stripe.controls.advance(int(NEXT_DAY.total_seconds()))

    later(line, NEXT_DAY)

    assert paid_once(line, stripe)
    assert 1 == len(make.attempts_of(line))


def test_scenario_4_complete_absence_allows_one_new_attempt(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault("drop_before", **LASTING)
    make.send(line)
    stripe.controls.advance(int(NEXT_DAY.total_seconds()))

    assert LineState.APPROVED is later(line, NEXT_DAY).state
    later(line, NEXT_DAY)

    assert paid_once(line, stripe)
    states = [attempt.state for attempt in make.attempts_of(line)]
    assert [AttemptState.ABSENT, AttemptState.TRANSFERRED] == states


def test_scenario_4_before_the_quiet_period_ends_absence_proves_nothing(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault("drop_before", **LASTING)
    make.send(line)

    waiting = later(line, timedelta(hours=24))

    assert LineState.UNKNOWN is waiting.state
    assert [] == stripe.transfers()


def test_scenario_4_the_listing_is_read_to_its_end(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        order = service.claim_line(tx, line.id)
    assert order is not None
    stripe_gateway.send(stripe.sdk, order)
    for _ in range(3):
        stripe.sdk.v1.transfers.create(
            {
                "amount": 1,
                "currency": "usd",
                "destination": order.account,
                "transfer_group": str(order.run_id),
                "metadata": {"line_id": str(new_id())},
            }
        )

    found = stripe_gateway.transfers_of_line(
        stripe.sdk, account=order.account, run_id=order.run_id, line_id=order.line_id, page=2
    )

    assert [str(line.id)] == [payment.line_id for payment in found]


def test_scenario_5_a_remembered_500_is_resolved_by_listing(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault("error_500_after", **TRANSFERS)
    make.send(line)
    assert LineState.UNKNOWN is later(line, timedelta(hours=1)).state
    stripe.controls.advance(int(NEXT_DAY.total_seconds()))

    later(line, NEXT_DAY)

    assert paid_once(line, stripe)


@pytest.mark.parametrize("fault", ["rate_limit", "lock_timeout"])
def test_scenario_6_a_busy_stripe_changes_nothing(
    session: Session, stripe: Stripe, fault: str
) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault(fault, **TRANSFERS)

    make.send(line)

    assert LineState.SUBMITTING is make.line_now(line).state
    later(line, timedelta(seconds=11))
    assert paid_once(line, stripe)
    assert 1 == len(make.attempts_of(line))


def test_scenario_8_a_reused_key_freezes_the_line(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        order = service.claim_line(tx, line.id)
    assert order is not None
    stripe.sdk.v1.transfers.create(
        {"amount": 1, "currency": "usd", "destination": order.account},
        {"idempotency_key": str(order.attempt_id)},
    )

    frozen = later(line, timedelta(seconds=rules.STUCK_SECONDS + 1))
    later(line, NEXT_DAY)

    assert (LineState.UNKNOWN, usd(90_00)) == (frozen.state, reserved(line))
    assert frozen.frozen_at is not None
    assert 1 == len(stripe.transfers())
    with transaction() as tx:
        verbs = tx.scalars(select(AuditRow.verb).where(AuditRow.subject_id == line.id)).all()
    assert 1 == verbs.count("froze a line: its key was used for another call")


def test_scenario_11_a_webhook_settles_the_line_before_our_answer(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        order = service.claim_line(tx, line.id)
    assert order is not None
    payment = stripe_gateway.send(stripe.sdk, order)

    background.resolve_transfer(
        work("payouts.resolve_transfer"), transfer_id=payment.transfer_id, line_id=str(line.id)
    )
    with transaction() as tx:
        service.record_payment(tx, line.id, payment)

    assert paid_once(line, stripe)


def test_a_transfer_without_a_line_is_looked_for_and_then_left_on_record(
    session: Session, stripe: Stripe
) -> None:
    look = work("payouts.resolve_transfer", attempt=background.LOOKS_MAX)

    background.resolve_transfer(look, transfer_id="tr_strange", line_id=str(new_id()))

    with transaction() as tx:
        verbs = tx.scalars(select(AuditRow.verb).where(AuditRow.subject_id == look.id)).all()
    assert ["met a transfer that no line explains"] == verbs


def test_a_second_transfer_for_a_line_raises_the_alarm(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    make.send(line)
    first = stripe_gateway.transfer_now(stripe.sdk, stripe.transfers()[0].id)
    second = stripe.sdk.v1.transfers.create(
        {
            "amount": 90_00,
            "currency": "usd",
            "destination": first.account,
            "metadata": {"line_id": str(line.id)},
        }
    )

    background.resolve_transfer(
        work("payouts.resolve_transfer"), transfer_id=second.id, line_id=str(line.id)
    )

    now = make.line_now(line)
    assert (LineState.TRANSFERRED, first.transfer_id) == (now.state, now.transfer_id)
    assert now.frozen_at is not None
    assert 1 == postings(SourceKind.TRANSFER)


def test_a_silent_stripe_before_the_call_only_delays(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    stripe.controls.fault("drop_before", method="GET", count=3)

    make.send(line)

    assert (LineState.APPROVED, []) == (make.line_now(line).state, make.attempts_of(line))
    later(line, timedelta(seconds=90))
    assert paid_once(line, stripe)
