"""Sending the lines of a released run to the served sandbox."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.db import transaction
from marketplace.ids import PayoutLineId, new_id
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as ledger_service
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.payouts import background, queries, rules, service, stripe_gateway
from marketplace.payouts.models import PayeeAccount, PayoutAttempt, PayoutLine
from marketplace.payouts.rules import AttemptState, LineState, RunState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd
from tests.payouts.story import available, later, one_line, paid_once, reserved


def test_a_line_is_sent_and_posted_with_its_custody(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)

    make.send(line)

    assert paid_once(line, stripe)
    assert RunState.SENT is make.run_now_of(line).state
    with transaction() as tx:
        assert [] == queries.broken_invariants(tx)
    account = make.account_of(line.specialist_id)
    with transaction() as tx:
        custody = ledger.balance(tx, f"C:A:connected:{account}:USD")
    assert usd(90_00) == custody == make.line_now(line).destination_amount


def test_the_transfer_names_its_line_run_and_attempt(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)

    make.send(line)

    transfer = stripe.transfers()[0]
    attempt = make.attempts_of(line)[0]
    assert {
        "line_id": str(line.id),
        "run_id": str(line.run_id),
        "attempt_id": str(attempt.id),
    } == transfer.metadata.to_dict()
    assert str(line.run_id) == transfer.transfer_group


def test_scenario_7_missing_funds_pause_the_run_and_show_the_gap(
    session: Session, stripe: Stripe
) -> None:
    finance = make.finance(session)
    for minor in (20_00, 90_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    stripe.fund(usd(100_00))
    missing = usd(110_00) - stripe.available()
    run = finance.released()
    lines = make.lines_of(run)

    make.send(*lines)

    paused = make.run_now(run)
    assert (RunState.RELEASING, missing.minor) == (paused.state, paused.funding_gap_minor)
    assert [LineState.APPROVED] * 2 == [line.state for line in make.lines_of(run)]
    stripe.fund(usd(50_00))
    with transaction() as tx:
        service.resume_run(tx, finance.preparer.actor, run.id)
    make.send(*lines)
    assert RunState.SENT is make.run_now(run).state


def test_scenario_7_a_refusal_for_lack_of_funds_rejects_and_a_later_run_pays(
    session: Session, stripe: Stripe
) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.released()
    line = make.lines_of(run)[0]
    # The money was there at pre-flight and gone at the call.
    call_without_preflight(line)

    rejected = make.line_now(line)
    assert (LineState.REJECTED, "balance_insufficient") == (rejected.state, rejected.reason_code)
    assert (usd(90_00), RunState.PARTIALLY_SENT) == (available(line), make.run_now(run).state)

    stripe.fund(usd(500_00))
    with clock.shifted(timedelta(minutes=2)):
        again = make.lines_of(finance.released())[0]
        make.send(again)
    assert paid_once(again, stripe)
    assert make.attempts_of(line)[0].id != make.attempts_of(again)[0].id


def test_scenario_7_the_other_lines_of_a_refused_run_wait(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    for minor in (20_00, 90_00):
        make.a_specialist_to_pay(stripe, usd(minor))
    run = finance.released()
    small, large = make.lines_of(run)

    call_without_preflight(large)
    stripe.fund(usd(500_00))
    make.send(small)

    paused = make.run_now(run)
    assert (RunState.RELEASING, 90_00) == (paused.state, paused.funding_gap_minor)
    assert LineState.APPROVED is make.line_now(small).state


def call_without_preflight(line: PayoutLine) -> None:
    """What happens when something changes between the checks and the call."""
    background.call_stripe(line.id)


def test_scenario_15_three_of_ten_fail_and_the_totals_tie(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    people = [make.a_specialist_to_pay(stripe, usd(10_00 + minor)) for minor in range(10)]
    stripe.fund(usd(5_000_00))
    run = finance.released()
    for person_id in people[:3]:
        stripe.controls.restrict(make.account_of(person_id))

    make.send(*make.lines_of(run))

    lines = make.lines_of(run)
    states = [line.state for line in lines]
    assert RunState.PARTIALLY_SENT is make.run_now(run).state
    assert (3, 7) == (states.count(LineState.REJECTED), states.count(LineState.TRANSFERRED))
    sent = sum(line.amount_minor for line in lines if line.state is LineState.TRANSFERRED)
    back = [available(line) for line in lines if line.state is LineState.REJECTED]
    assert sum(transfer.amount for transfer in stripe.transfers()) == sent
    assert make.run_now(run).total_minor == sent + sum(amount.minor for amount in back)


def test_scenario_16_an_account_restricted_between_check_and_call(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    stripe.controls.restrict(make.account_of(line.specialist_id))

    call_without_preflight(line)

    rejected = make.line_now(line)
    assert LineState.REJECTED is rejected.state
    assert rejected.reason_code == "insufficient_capabilities_for_transfer"
    assert "back in your balance" in (rejected.reason or "")
    assert usd(90_00) == available(line)


def test_an_account_that_is_gone_is_a_reason_of_its_line(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    stripe.sdk.v1.accounts.delete(make.account_of(line.specialist_id))

    make.send(line)

    assert "account_restricted" == make.line_now(line).reason_code
    assert usd(90_00) == available(line)


def test_the_self_check_names_money_that_no_line_holds(session: Session, stripe: Stripe) -> None:
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    with transaction() as tx:
        ledger_service.reserve_payout(
            tx, specialist_id=person_id, line_id=PayoutLineId(new_id()), amount=usd(90_00)
        )

        broken = queries.broken_invariants(tx)

    assert 1 == len(broken)
    assert "9000 set aside in the book and 0 USD" in broken[0]


def test_scenario_17_a_payee_changed_after_approval_is_not_paid(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        tx.get_one(PayeeAccount, line.specialist_id).version += 1

    make.send(line)

    assert "payee_changed" == make.line_now(line).reason_code
    assert [] == stripe.transfers()


def test_scenario_28_two_workers_make_one_call(committed: Engine, stripe: Stripe) -> None:
    with transaction() as session:
        finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    stripe.fund(usd(5_000_00))
    line = make.lines_of(finance.released())[0]
    orders: list[object] = []

    def claim() -> None:
        with transaction() as tx:
            orders.append(service.claim_line(tx, line.id))

    in_parallel([claim] * 8)

    assert 1 == sum(order is not None for order in orders)
    assert 1 == len(make.attempts_of(line))


def test_scenario_28_workers_in_parallel_pay_everybody_once(
    committed: Engine, stripe: Stripe
) -> None:
    with transaction() as session:
        finance = make.finance(session)
    for minor in range(3):
        make.a_specialist_to_pay(stripe, usd(20_00 + minor))
    stripe.fund(usd(5_000_00))
    run = finance.released()
    lines = make.lines_of(run)

    in_parallel([lambda line=line: make.send(line) for line in lines for _ in range(3)])

    assert RunState.SENT is make.run_now(run).state
    assert 3 == len(stripe.transfers())
    with transaction() as tx:
        assert [] == [*ledger.broken_invariants(tx), *queries.broken_invariants(tx)]


def in_parallel(calls: Sequence[object]) -> None:
    failures: list[BaseException] = []

    def run(call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except BaseException as failed:  # noqa: BLE001 - reported below.
            failures.append(failed)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures


def test_scenario_40_lines_are_found_without_any_queue(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        tx.execute(text("DELETE FROM outbox"))

    with clock.shifted(timedelta(minutes=15)):
        background.resolve_unknown(work("payouts.resolve_unknown"))
        with transaction() as tx:
            rows = tx.scalars(select(OutboxRow).where(OutboxRow.done_at.is_(None))).all()
        for row in rows:
            background.send_line(outbox.Work(row.id, row.name, {}, 1), **row.arguments)

    assert ["payouts.send_line"] == [row.name for row in rows]
    assert paid_once(line, stripe)


def test_a_sent_line_cannot_be_cancelled(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    make.send(line)

    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(
            update(PayoutLine)
            .where(PayoutLine.id == line.id)
            .values(state=LineState.CANCELLED, ended_at=clock.now())
        )


def test_the_database_refuses_a_second_live_attempt(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)
    make.send(line)
    first = make.attempts_of(line)[0]

    with pytest.raises(IntegrityError, match="uq_payout_attempt_live"), transaction() as tx:
        tx.add(
            PayoutAttempt(
                id=new_id(),
                line_id=line.id,
                number=2,
                params_sha256=first.params_sha256,
                state=AttemptState.OPEN,
                started_at=clock.now(),
                deadline_at=clock.now(),
            )
        )


def test_sending_a_finished_line_again_does_nothing(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)

    make.send(line, line, line)

    assert paid_once(line, stripe)


def test_a_check_that_comes_late_says_nothing_about_a_claimed_line(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    with transaction() as tx:
        order = service.claim_line(tx, line.id)
    assert order is not None
    with transaction() as tx:  # Another worker's check, begun before the claim, ends now.
        service.record_unfit(tx, line.id, code="account_restricted", reason="Restricted.")

    assert (LineState.SUBMITTING, usd(90_00)) == (make.line_now(line).state, reserved(line))
    later(line, timedelta(seconds=rules.STUCK_SECONDS + 1))
    assert paid_once(line, stripe)


def test_scenario_32_stripe_counts_some_currencies_in_hundredths(
    session: Session, stripe: Stripe
) -> None:
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    stripe.fund(Money(6_000_00, "ISK"))  # As Stripe counts, less its fee: 5,825.40.
    order = rules.Order(
        new_id(), new_id(), new_id(), make.account_of(person_id), Money(5_000, "ISK")
    )
    before = stripe_gateway.available_balance(stripe.sdk, "ISK")

    payment = stripe_gateway.send(stripe.sdk, order)

    assert (Money(5_000, "ISK"), Money(5_825, "ISK")) == (payment.amount, before)
    assert [5_000_00] == [transfer.amount for transfer in stripe.transfers()]
    assert Money(825, "ISK") == stripe_gateway.available_balance(stripe.sdk, "ISK")
