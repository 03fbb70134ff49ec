"""Runs: who may do what to them, and what an approval covers."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from stripe import InvalidRequestError

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied
from marketplace.identity.rules import Role
from marketplace.identity.service import WrongCode
from marketplace.ids import PersonId
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.payouts import queries, service
from marketplace.payouts.models import PayeeAccount, PayoutLine, PayoutRun
from marketplace.payouts.rules import (
    BelowMinimum,
    ContentChanged,
    LineState,
    OwnRun,
    PayeeEditor,
    RunState,
)
from tests.make import payouts as make
from tests.make.billing import Stripe
from tests.make.ledger import usd


def balance(person_id: PersonId, part: str) -> Money:
    with transaction() as session:
        return ledger.balance(session, f"L:spec:{person_id}:{part}:USD")


def test_a_draft_sets_everybodys_money_aside(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    rich = make.a_specialist_to_pay(stripe, usd(90_00))
    poor = make.a_specialist_to_pay(stripe, usd(9_99))
    unready = make.a_specialist_to_pay(stripe, usd(80_00), ready=False)

    run = finance.prepared()

    assert (1, usd(90_00), RunState.DRAFT) == (run.line_count, run.total, run.state)
    assert run.reference.startswith("PO-")
    assert run.reference.endswith("-0001")
    assert (usd(0), usd(90_00)) == (balance(rich, "available"), balance(rich, "payout_reserved"))
    assert [usd(9_99), usd(80_00)] == [balance(one, "available") for one in (poor, unready)]


def test_those_left_out_are_named_with_the_reason(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    unready = make.a_specialist_to_pay(stripe, usd(80_00), ready=False)

    with transaction() as tx:
        rows = queries.unpayable(tx, finance.preparer.actor, minimum=usd(10_00))

    assert [(unready, usd(80_00))] == [(row.specialist_id, row.available) for row in rows]


def test_nobody_to_pay_is_said(session: Session, stripe: Stripe) -> None:
    with pytest.raises(BelowMinimum):
        make.finance(session).prepared()


def test_a_second_run_does_not_take_the_same_money(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    finance.prepared()

    with pytest.raises(BelowMinimum):
        finance.prepared()


def test_scenario_26_the_preparer_cannot_approve(session: Session, stripe: Stripe) -> None:
    both = make.an_officer(session, Role.PREPARER, Role.APPROVER)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = make.Finance(both, both).prepared()

    with pytest.raises(OwnRun), transaction() as tx:
        service.approve_run(tx, both.actor, run.id, run.content_sha256, both.code())
    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(
            update(PayoutRun)
            .where(PayoutRun.id == run.id)
            .values(
                approved_by=both.actor.person_id, approved_sha256="x", approved_at=text("now()")
            )
        )


def test_an_approval_needs_a_fresh_code(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.prepared()

    with pytest.raises(WrongCode), transaction() as tx:
        service.approve_run(tx, finance.approver.actor, run.id, run.content_sha256, "000000")

    assert RunState.DRAFT is make.run_now(run).state


def test_an_approval_is_for_the_content_that_was_seen(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.prepared()

    with pytest.raises(ContentChanged), transaction() as tx:
        service.approve_run(tx, finance.approver.actor, run.id, "0" * 64, finance.approver.code())


def test_scenario_25_two_clicks_approve_once(committed: Engine, stripe: Stripe) -> None:
    with transaction() as session:
        finance = make.finance(session)
        second = make.an_officer(session, Role.APPROVER)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.prepared()
    outcomes: list[str] = []

    def approve(officer: make.Officer) -> None:
        try:
            with transaction() as tx:
                service.approve_run(tx, officer.actor, run.id, run.content_sha256, officer.code())
            outcomes.append("approved")
        except Conflict as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=approve, args=(one,)) for one in (finance.approver, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["approved", "conflict"] == sorted(outcomes)
    assert (RunState.APPROVED, 2) == (make.run_now(run).state, make.run_now(run).version)


def test_scenario_25_two_clicks_release_once(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.released()

    with pytest.raises(Conflict, match="sending"), transaction() as tx:
        service.release_run(tx, finance.approver.actor, run.id)

    with transaction() as tx:
        queued = tx.query(OutboxRow).filter(OutboxRow.name == "payouts.send_batch").count()
    assert 1 == queued


def test_scenario_27_an_edit_voids_the_approval(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    dropped = make.a_specialist_to_pay(stripe, usd(20_00))
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()

    small = make.lines_of(run)[0]
    with transaction() as tx:
        service.cancel_line(tx, finance.preparer.actor, small.id)

    edited = make.run_now(run)
    assert (RunState.DRAFT, None, usd(90_00)) == (edited.state, edited.approved_by, edited.total)
    assert run.content_sha256 != edited.content_sha256
    assert usd(20_00) == balance(dropped, "available")
    with pytest.raises(Conflict), transaction() as tx:
        service.release_run(tx, finance.preparer.actor, run.id)
    with clock.shifted(timedelta(minutes=2)), transaction() as tx:
        code = finance.approver.code()
        service.approve_run(tx, finance.approver.actor, run.id, edited.content_sha256, code)


def test_the_database_refuses_to_release_other_content(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()

    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(update(PayoutRun).where(PayoutRun.id == run.id).values(content_sha256="0" * 64))


def test_the_database_refuses_to_change_a_line(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()

    for change in ({"amount_minor": 91_00}, {"stripe_account_id": "acct_other"}):
        with pytest.raises(IntegrityError), transaction() as tx:
            tx.execute(update(PayoutLine).where(PayoutLine.run_id == run.id).values(**change))


def test_the_database_sends_no_line_of_a_run_that_is_not_released(
    session: Session, stripe: Stripe
) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()

    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(
            update(PayoutLine).where(PayoutLine.run_id == run.id).values(state=LineState.SUBMITTING)
        )


def test_only_the_preparer_or_the_approver_releases(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    third = make.an_officer(session, Role.APPROVER)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()

    with pytest.raises(Denied), transaction() as tx:
        service.release_run(tx, third.actor, run.id)


def test_whoever_changed_a_payee_last_does_not_release(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    payee = make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()
    with transaction() as tx:
        tx.get_one(PayeeAccount, payee).changed_by = finance.preparer.actor.person()

    with pytest.raises(PayeeEditor), transaction() as tx:
        service.release_run(tx, finance.preparer.actor, run.id)
    with transaction() as tx:
        service.release_run(tx, finance.approver.actor, run.id)


def test_scenario_17_a_changed_payee_is_not_approved(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    payee = make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.prepared()
    with transaction() as tx:
        tx.get_one(PayeeAccount, payee).version += 1

    with pytest.raises(ContentChanged), transaction() as tx:
        service.approve_run(
            tx, finance.approver.actor, run.id, run.content_sha256, finance.approver.code()
        )


def test_a_cancelled_run_gives_all_the_money_back(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    people = [make.a_specialist_to_pay(stripe, usd(minor)) for minor in (20_00, 90_00)]
    run = finance.approved()

    with transaction() as tx:
        service.cancel_run(tx, finance.preparer.actor, run.id)

    assert RunState.CANCELLED is make.run_now(run).state
    assert [usd(20_00), usd(90_00)] == [balance(one, "available") for one in people]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RECONCILER, Role.ADMINISTRATOR])
def test_others_in_finance_only_look(session: Session, stripe: Stripe, role: Role) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.approved()
    other: Actor = make.an_officer(session, role).actor

    with pytest.raises(Denied), transaction() as tx:
        service.prepare_run(tx, other, minimum=usd(10_00))
    with pytest.raises(Denied), transaction() as tx:
        service.approve_run(tx, other, run.id, run.content_sha256, "")
    with pytest.raises(Denied), transaction() as tx:
        service.release_run(tx, other, run.id)
    with pytest.raises(Denied), transaction() as tx:
        service.cancel_run(tx, other, run.id)


def test_runs_are_numbered_one_after_another(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    first = finance.prepared()
    make.a_specialist_to_pay(stripe, usd(70_00))

    second = finance.prepared()

    assert (1, 2) == (first.number, second.number)
    with transaction() as tx:
        listed = queries.runs(tx, finance.approver.actor)
    assert [second.id, first.id] == [run.id for run in listed]


def test_scenario_32_what_is_too_small_to_be_sent_stays_available(
    session: Session, stripe: Stripe
) -> None:
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, Money(90_005, "KWD"))
    stripe.fund(Money(200_000, "KWD"))

    run = finance.prepared(minimum=Money(3_000, "KWD"))

    (line,) = make.lines_of(run)
    assert Money(90_000, "KWD") == run.total
    with transaction() as tx:
        assert Money(5, "KWD") == ledger.balance(tx, f"L:spec:{person_id}:available:KWD")
    with pytest.raises(InvalidRequestError, match="divisible by 10"):
        stripe.sdk.v1.transfers.create(
            {"amount": 90_005, "currency": "kwd", "destination": line.stripe_account_id}
        )
