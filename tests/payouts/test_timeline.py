"""The way of each task's pay, and statements that sum to the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Missing
from marketplace.ids import AccrualId, PayoutLineId
from marketplace.ledger import queries as balances
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.payouts import queries
from marketplace.payouts.models import PayoutLine
from marketplace.payouts.rules import BankState
from marketplace.review.models import Accrual
from marketplace.review.service.repaying import take_back
from marketplace.web.pay_words import steps_of
from marketplace.work.models import Submission
from tests.make import pay, specialists, work
from tests.make.ledger import usd


def _cleared(session: Session, accrual: Accrual, hours_ago: int) -> None:
    """Pay whose days are over."""
    ledger.clear_pay(
        session,
        specialist_id=accrual.specialist_id,
        accrual_id=AccrualId(accrual.id),
        amount=accrual.amount,
    )
    accrual.cleared_at = clock.now() - timedelta(hours=hours_ago)
    session.flush()


def _paid(session: Session, accrual: Accrual, amount: Money, *, sent: bool) -> PayoutLineId:
    person = accrual.specialist_id
    line = pay.an_old_line(session, person, amount, sent=sent)
    ledger.reserve_payout(session, specialist_id=person, line_id=line, amount=amount)
    if sent:
        ledger.confirm_transfer(
            session,
            specialist_id=person,
            line_id=line,
            amount=amount,
            transfer_id=f"tr_{line.hex}",
            balance_transaction_id=f"txn_{line.hex}",
            connected_account="acct_1",
            destination_amount=amount,
        )
    session.flush()
    return line


def test_each_tasks_pay_is_found_in_its_payout_to_the_cent(session: Session) -> None:
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    lab, job = work.published(session, items=4, pay=usd(4_50), review_sample_ratio=1)
    for _ in range(4):
        work.decided(session, lab, work.submitted(session, doctor, job))
    session.flush()
    newest, third, second, oldest = (each.accrual for each in queries.task_pay(session, doctor))
    for hours, accrual in ((9, oldest), (6, second), (3, third)):
        _cleared(session, accrual, hours)
    sent = _paid(session, oldest, usd(6_00), sent=True)
    _paid(session, oldest, usd(5_00), sent=False)
    for state in (BankState.PENDING, BankState.PAID):
        session.execute(
            update(PayoutLine)
            .where(PayoutLine.id == sent)
            .values(bank_state=state, bank_since=clock.now())
        )
    session.expire_all()

    found = queries.task_pay(session, doctor)

    assert [
        ("pending", []),
        ("available", [usd(2_00)]),
        ("payout_reserved", [usd(1_50), usd(3_00)]),
        ("paid", [usd(4_50)]),
    ] == [(each.state, [part.amount for part in each.parts]) for each in found]
    assert usd(2_50) == found[1].left
    steps = [[step.code for step in steps_of(each)] for each in found]
    assert [
        ["accepted", "clears"],
        ["accepted", "available", "in_run", "sending", "waiting"],
        ["accepted", "available", "in_run", "transferred", "bank_paid", "in_run", "sending"],
        ["accepted", "available", "in_run", "transferred", "bank_paid"],
    ] == steps
    one = queries.task_pay_of(session, doctor, oldest.id)
    assert found[3].parts == one.parts
    assert [newest.id] == [each.id for each in queries.clearing(session, doctor, "USD")]
    with pytest.raises(Missing):
        queries.task_pay_of(session, other, oldest.id)

    today = clock.now().date()
    first = today.replace(day=1)
    statement = queries.statement_of(session, doctor, "USD", first=first, last=today)
    has = balances.specialist_balances(session, doctor.person())["USD"]
    assert usd(0) == statement.opening
    assert has.pending + has.available + has.payout_reserved == statement.closing
    assert [("Earned", usd(18_00)), ("Paid out", usd(-6_00))] == statement.sums
    assert {job.title} == {line.about for line in statement.lines if line.what == "Earned"}
    assert [("USD", first)] == queries.statement_months(session, doctor)


def test_pay_taken_back_after_it_went_out_is_covered_by_the_next(session: Session) -> None:
    doctor = specialists.doctor(session)
    lab, job = work.published(session, items=2, pay=usd(4_50), review_sample_ratio=1)
    for _ in range(2):
        work.decided(session, lab, work.submitted(session, doctor, job))
    session.flush()
    later, first = (each.accrual for each in queries.task_pay(session, doctor))
    _cleared(session, first, 5)
    _paid(session, first, usd(4_50), sent=True)
    submission = session.get_one(Submission, first.submission_id)
    take_back(session, submission, job, job_ended=False)
    _cleared(session, later, 1)
    session.expire_all()

    covered, gone = queries.task_pay(session, doctor)

    assert ("netted", "reversed") == (covered.state, gone.state)
    assert "netted" in [step.code for step in steps_of(covered)]
    assert ["accepted", "available", "in_run", "transferred", "bank", "reversed"] == [
        step.code for step in steps_of(gone)
    ]
