"""Extra answers: reviewed and paid beside their task, out of money that counted work is not for."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.ids import JobId, OrganisationId, SubmissionId
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.ledger.rules import SourceKind
from marketplace.ledger.rules.accounts import goodwill
from marketplace.money import Money
from marketplace.review import queries, service
from marketplace.review.models import Accrual
from marketplace.review.rules import AccrualKind, Verdict
from marketplace.routing import service as routing
from marketplace.work import queries as work
from marketplace.work.models import Task
from marketplace.work.rules import NoRework, SubmissionState
from tests.make import specialists
from tests.make import work as make


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def sound(session: Session) -> bool:
    session.flush()
    checks = (ledger.broken_invariants, work.broken_invariants, queries.broken_invariants)
    return [] == [said for check in checks for said in check(session)]


def accept_all(session: Session) -> None:
    while service.accept_next_arrived(session, clearance_days=7):
        continue


def spare(session: Session, job: Job) -> Money:
    return ledger.job_money(session, JobId(job.id), "USD").contingency


@pytest.mark.parametrize(("late_pay", "pay"), [("full", 4_50), ("half", 2_25)])
def test_an_extra_answer_earns_by_the_declared_rule(
    session: Session, late_pay: str, pay: int
) -> None:
    _, job = make.published(session, items=1, late_pay=late_pay, contingency_ratio=1)
    doctor = specialists.doctor(session)

    late = make.late(session, doctor, job)
    accept_all(session)

    assert SubmissionState.SURPLUS_ACCEPTED is late.state
    assert usd(pay) == ledger.specialist_balances(session, doctor.person())["USD"].pending
    assert usd(5_40 - pay - pay // 5) == spare(session, job)
    accrual = session.scalars(select(Accrual)).one()
    assert (AccrualKind.SURPLUS, late.id) == (accrual.kind, accrual.submission_id)
    assert sound(session)


def test_an_extra_answer_never_counts_for_its_task(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1)

    late = make.late(session, specialists.doctor(session), job)
    make.decided(session, lab, late)

    task = session.get_one(Task, late.task_id)
    assert (0, 0) == (task.counted, task.decided)
    told = work.progress_of(session, lab, JobId(job.id))
    assert (0, 0, 1) == (told.accepted, told.in_review, told.surplus)


def test_a_sampled_extra_answer_waits_for_a_reviewer(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1)

    late = make.late(session, specialists.doctor(session), job)

    assert SubmissionState.SURPLUS_IN_REVIEW is late.state
    waiting = queries.review_queue(session, lab, JobId(job.id))
    assert [late.id] == [each.submission.id for each in waiting]
    assert [job.id] == [each.id for (each,) in queries.waiting_jobs(session, lab)]


def test_a_rejected_extra_answer_earns_nothing(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1, contingency_ratio=1)
    doctor = specialists.doctor(session)
    late = make.late(session, doctor, job)

    make.decided(session, lab, late, Verdict.REJECT)

    assert SubmissionState.SURPLUS_REJECTED is late.state
    assert {} == ledger.specialist_balances(session, doctor.person())
    assert sound(session)


def test_an_extra_answer_has_no_seat_to_go_back_to(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1)
    late = make.late(session, specialists.doctor(session), job)

    with pytest.raises(NoRework):
        make.decided(session, lab, late, Verdict.REWORK)


def test_without_contingency_the_labs_balance_pays(session: Session) -> None:
    lab, job = make.published(session, items=1)
    before = ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD").available

    make.late(session, specialists.doctor(session), job)
    accept_all(session)

    after = ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD").available
    assert usd(5_40) == before - after
    assert sound(session)


def test_pay_is_never_refused_for_want_of_money(session: Session) -> None:
    lab, job = make.published(session, items=1)
    lab_id = OrganisationId(lab.organisation())
    free = ledger.lab_balance(session, lab_id, "USD").available
    book.reserve_for_job(
        session, lab_id=lab_id, job_id=JobId(job.id), amount=free - usd(1_00), source_id="the rest"
    )
    reserved = ledger.job_money(session, JobId(job.id), "USD").reserved
    doctor = specialists.doctor(session)

    make.late(session, doctor, job)
    accept_all(session)

    assert usd(4_50) == ledger.specialist_balances(session, doctor.person())["USD"].pending
    assert usd(3_50) == ledger.balance(session, goodwill("USD").code)
    assert reserved == ledger.job_money(session, JobId(job.id), "USD").reserved
    assert sound(session)


def test_an_extra_answer_posts_once_whatever_is_left(session: Session) -> None:
    lab, job = make.published(session, items=1, contingency_ratio=1)
    doctor = specialists.doctor(session)
    late = make.late(session, doctor, job)
    accept_all(session)

    again = book.pay_beyond_quote(
        session,
        SourceKind.SURPLUS,
        late.id,
        lab_id=OrganisationId(lab.organisation()),
        job_id=JobId(job.id),
        specialist_id=doctor.person(),
        reward=usd(4_50),
        fee=usd(90),
    )

    assert again == book.transaction_of(session, SourceKind.SURPLUS, str(late.id))
    assert usd(4_50) == ledger.specialist_balances(session, doctor.person())["USD"].pending


def test_closing_keeps_the_contingency_while_an_extra_answer_waits(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1, contingency_ratio=1)
    late = make.late(session, specialists.doctor(session), job)

    routing.close_job(session, lab, JobId(job.id))

    assert usd(5_40) == spare(session, job)
    make.decided(session, lab, late)
    assert usd(0) == spare(session, job)
    assert sound(session)


def test_late_work_on_a_closed_job_is_extra(session: Session) -> None:
    lab, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    make.lapsed(session, claim)
    routing.close_job(session, lab, JobId(job.id))

    late = make.submit(session, doctor, claim, make.answer())
    accept_all(session)

    assert SubmissionState.SURPLUS_ACCEPTED is late.state
    assert usd(4_50) == ledger.specialist_balances(session, doctor.person())["USD"].pending
    assert sound(session)


def test_the_specialist_sees_what_an_extra_answer_earned(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    late = make.late(session, doctor, job)
    accept_all(session)

    earned = queries.earnings_of(session, doctor)

    assert [(AccrualKind.SURPLUS, SubmissionId(late.id), usd(4_50))] == [
        (each.accrual.kind, each.accrual.submission_id, each.accrual.amount) for each in earned
    ]


def test_the_quote_states_the_contingency_and_publishing_reserves_it(session: Session) -> None:
    lab, job = make.published(session, items=4, contingency_ratio=0.25)

    estimate = routing.quote_job(session, lab, JobId(job.id), fee_basis_points=0).estimate

    assert usd(5_40) == estimate.contingency.total == spare(session, job)
    assert estimate.most.total == ledger.job_balance(session, JobId(job.id), "USD")
    assert usd(21_60) == estimate.least.total
