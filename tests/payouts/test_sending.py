"""Sending lines to the served sandbox: every fault of the wire, every crash, and one transfer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.audit import AuditRow
from marketplace.db import transaction
from marketplace.ids import new_id
from marketplace.ledger import queries as ledger
from marketplace.ledger.models import LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.payouts import background, rules, service, stripe_gateway
from marketplace.payouts.models import PayeeAccount, PayoutAttempt, PayoutLine
from marketplace.payouts.rules import AttemptState, LineState, RunState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd

TRANSFERS = {"method": "POST", "path": "/v1/transfers"}
# The SDK asks twice more by itself, so a fault that is to reach us lasts for three calls.
LASTING = {**TRANSFERS, "count": 3}
# The key is too old to be sent, and a listing proves absence.
NEXT_DAY = timedelta(hours=26)


def one_line(session: Session, stripe: Stripe) -> PayoutLine:
    """The only line of a released run, with enough money at Stripe."""
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    stripe.fund(usd(5_000_00))
    return make.lines_of(finance.released())[0]


def reserved(line: PayoutLine) -> Money:
    with transaction() as session:
        code = f"L:spec:{line.specialist_id}:payout_reserved:USD"
        return ledger.balance(session, code)


def available(line: PayoutLine) -> Money:
    with transaction() as session:
        return ledger.balance(session, f"L:spec:{line.specialist_id}:available:USD")


def postings(kind: SourceKind) -> int:
    with transaction() as session:
        rows = select(func.count()).select_from(LedgerTransaction)
        return session.scalars(rows.where(LedgerTransaction.source_kind == kind)).one()


def paid_once(line: PayoutLine, stripe: Stripe) -> bool:
    """One transfer at Stripe, one posting, the line settled by it, nothing left reserved."""
    now = make.line_now(line)
    ids = [transfer.id for transfer in stripe.transfers()]
    return (
        (LineState.TRANSFERRED, ids) == (now.state, [now.transfer_id])
        and postings(SourceKind.TRANSFER) == 1
        and reserved(line) == usd(0)
    )


def later(line: PayoutLine, by: timedelta) -> PayoutLine:
    """What a worker does with the line when that much time has passed."""
    with clock.shifted(by):
        make.send(line)
    return make.line_now(line)


def test_a_line_is_sent_and_posted_with_its_custody(session: Session, stripe: Stripe) -> None:
    line = one_line(session, stripe)

    make.send(line)

    assert paid_once(line, stripe)
    assert RunState.SENT is make.run_now_of(line).state
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
        assert [] == ledger.broken_invariants(tx)


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

    with clock.shifted(timedelta(minutes=5)):
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
