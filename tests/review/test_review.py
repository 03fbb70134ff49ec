"""Verdicts: what they earn, what they open again, who may say them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Faulty, Missing
from marketplace.ids import JobId, new_id
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.review import service
from marketplace.review.models import Accrual, Decision
from marketplace.review.rules import AccrualKind, OwnWork, Verdict, is_sampled
from marketplace.review.service.pay import accrual_of
from marketplace.routing import service as routing
from marketplace.work.models import Claim, Task
from marketplace.work.rules import ClaimState, IllegalStep, SubmissionState, TaskState
from tests.make import background, identity, specialists
from tests.make import work as make


def balances(session: Session, person_id: object) -> ledger.SpecialistBalance:
    return ledger.specialist_balances(session, person_id)["USD"]  # type: ignore[arg-type]


def test_acceptance_earns_the_frozen_pay_and_charges_the_fee(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    submission = make.submitted(session, doctor, job)

    make.decided(session, lab, submission)

    assert Money(4_50, "USD") == balances(session, doctor.person()).pending
    assert Money(0, "USD") == ledger.job_balance(session, JobId(job.id), "USD")
    assert TaskState.FINAL is session.get_one(Task, submission.task_id).state


def test_pay_clears_on_its_day_and_not_before(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    make.decided(session, lab, make.submitted(session, doctor, job))

    assert not service.clear_next_due(session)
    with clock.shifted(timedelta(days=make.CLEARANCE_DAYS, seconds=1)):
        assert service.clear_next_due(session)
        assert not service.clear_next_due(session)

    assert Money(4_50, "USD") == balances(session, doctor.person()).available


def test_what_is_not_sampled_is_accepted_by_itself(session: Session) -> None:
    _, job = make.published(session, items=2, review_sample_ratio=0)
    doctor = specialists.doctor(session)
    first = make.submitted(session, doctor, job)

    assert service.accept_next_arrived(session, clearance_days=0)
    assert SubmissionState.ACCEPTED is first.state
    assert not service.accept_next_arrived(session, clearance_days=0)


def test_an_answer_that_cannot_be_accepted_holds_up_none_behind_it(session: Session) -> None:
    _, job = make.published(session, items=3, review_sample_ratio=0)
    given = [make.submitted(session, specialists.doctor(session), job) for _ in range(3)]
    stuck = given[1]
    paid = accrual_of(AccrualKind.ACCEPTED, stuck.pay, job, stuck.specialist_id, 7)
    paid.submission_id = stuck.id
    session.add(paid)  # The database refuses to pay it once more.
    session.flush()

    background.run("review.accept_arrived")

    session.expire_all()
    accepted = [each.state is SubmissionState.ACCEPTED for each in given]
    assert [True, False, True] == accepted
    name = OutboxRow.name == "review.accept_arrived"
    assert ["IntegrityError"] == session.scalars(select(OutboxRow.last_error).where(name)).all()


def test_what_is_sampled_is_written_once_as_under_review(session: Session) -> None:
    _, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.append(str(call[2]))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        given = make.sampled(session, doctor, claim, make.answer())
        session.flush()
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", note)

    session.refresh(given)
    assert SubmissionState.IN_REVIEW is given.state
    assert [] == [each for each in asked if each.startswith("UPDATE submission")]


def test_a_verdict_is_said_once(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    submission = make.submitted(session, specialists.doctor(session), job)
    make.decided(session, lab, submission)

    with pytest.raises(IllegalStep):
        make.decided(session, lab, submission)

    assert 1 == len(session.scalars(select(Accrual)).all())


def test_a_rejection_pays_nothing_and_opens_the_seat_for_somebody_else(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    rejected = make.submitted(session, doctor, job)

    make.decided(session, lab, rejected, Verdict.REJECT)

    assert {} == ledger.specialist_balances(session, doctor.person())
    assert routing.claim_next(session, doctor, job_id=JobId(job.id)) is None
    assert rejected.task_id == make.claimed(session, other, job).task_id


def test_rework_gives_its_author_the_first_refusal(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    first = make.submitted(session, doctor, job)

    make.decided(session, lab, first, Verdict.REWORK)

    assert routing.claim_next(session, other, job_id=JobId(job.id)) is None
    again = session.scalars(
        select(Claim).where(Claim.specialist_id == doctor.person(), Claim.state == ClaimState.LIVE)
    ).one()
    second = make.sampled(session, doctor, again, make.answer("b"))
    assert (2, SubmissionState.IN_REVIEW) == (second.round, second.state)
    make.decided(session, lab, second)
    assert Money(4_50, "USD") == balances(session, doctor.person()).pending
    assert TaskState.FINAL is session.get_one(Task, first.task_id).state


def test_rework_is_bounded(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    submission = make.submitted(session, doctor, job)
    for choice in ("b", "a"):
        make.decided(session, lab, submission, Verdict.REWORK)
        claim = session.scalars(
            select(Claim).where(
                Claim.specialist_id == doctor.person(), Claim.state == ClaimState.LIVE
            )
        ).one()
        submission = make.sampled(session, doctor, claim, make.answer(choice))

    with pytest.raises(Faulty):
        make.decided(session, lab, submission, Verdict.REWORK)


def test_rework_and_rejection_need_a_reason(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    submission = make.submitted(session, specialists.doctor(session), job)

    with pytest.raises(Faulty) as refused:
        service.decide(
            session, lab, submission.id, verdict=Verdict.REJECT, clearance_days=7, note="bad"
        )

    assert ["/note"] == [fault.pointer for fault in refused.value.faults]


def test_nobody_decides_for_another_lab(session: Session) -> None:
    _, job = make.published(session, items=1, review_sample_ratio=1.0)
    submission = make.submitted(session, specialists.doctor(session), job)

    with pytest.raises(Missing):
        make.decided(session, identity.lab_owner(session), submission)


def test_nobody_decides_on_their_own_work(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    submission = make.submitted(session, specialists.doctor(session), job)
    submission.specialist_id = lab.person()
    session.flush()

    with pytest.raises(OwnWork):
        make.decided(session, lab, submission)


def test_the_database_refuses_a_verdict_on_own_work(session: Session) -> None:
    _, job = make.published(session, items=1, review_sample_ratio=1.0)
    submission = make.submitted(session, specialists.doctor(session), job)

    with pytest.raises(IntegrityError, match="not_own_work"), session.begin_nested():
        session.execute(
            insert(Decision).values(
                id=new_id(),
                submission_id=submission.id,
                job_id=job.id,
                author_id=submission.specialist_id,
                reviewer_id=submission.specialist_id,
                verdict=Verdict.ACCEPT,
                defects=[],
                note="",
                decided_at=clock.now(),
            )
        )


def test_sampling_takes_about_the_share_asked_for() -> None:
    ids = [new_id() for _ in range(4_000)]

    assert 0 == sum(is_sampled(each, 0.0) for each in ids)
    assert len(ids) == sum(is_sampled(each, 1.0) for each in ids)
    assert 850 < sum(is_sampled(each, 0.25) for each in ids) < 1_150
