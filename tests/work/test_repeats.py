"""Tasks that are asked once more: when they come, and that they never count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import ClaimId, JobId
from marketplace.jobs.models import Job
from marketplace.review import queries as review
from marketplace.review import service as reviewing
from marketplace.routing import service as routing
from marketplace.work import queries, service
from marketplace.work.models import Claim, Submission, Task, WorkProgress
from marketplace.work.rules import REPEATS_AFTER, ClaimState, OutcomeKind, SubmissionState
from tests.make import specialists
from tests.make import work as make

ITEMS = 40


@pytest.fixture
def job(session: Session) -> Job:
    """A job that asks a fifth of its tasks once more."""
    _, job = make.published(session, items=ITEMS, repeat_ratio=0.2, lease_seconds=1_800)
    return job


def work_on(session: Session, doctor: Actor, job: Job, most: int = 3 * ITEMS) -> list[Submission]:
    """What a doctor hands in until there is no more."""
    found = []
    for _ in range(most):
        claim = routing.claim_next(session, doctor, job_id=JobId(job.id))
        if claim is None:
            break
        found.append(make.submit(session, doctor, claim, make.answer()))
    return found


def next_repeat(session: Session, doctor: Actor, job: Job) -> Claim:
    """The first repeat that a doctor is handed, with all before it handed in."""
    for _ in range(2 * ITEMS):
        claim = make.claimed(session, doctor, job)
        if claim.repeats_submission_id is not None:
            return claim
        make.submit(session, doctor, claim, make.answer())
    raise AssertionError("No repeat came.")


def sound(session: Session) -> list[str]:
    session.flush()
    return [*queries.broken_invariants(session), *review.broken_invariants(session)]


def test_a_share_of_ones_own_answers_is_asked_once_more(session: Session, job: Job) -> None:
    given = work_on(session, specialists.doctor(session), job)

    first = [each for each in given if each.repeats_submission_id is None]
    again = [each for each in given if each.repeats_submission_id is not None]
    assert ITEMS == len(first)
    assert ITEMS * 0.2 * 0.5 < len(again) <= ITEMS * 0.2
    assert all(each.repeats_submission_id is None for each in given[:REPEATS_AFTER])
    by_id = {each.id: each for each in first}
    for each in again:
        assert each.repeats_submission_id is not None
        former = by_id.pop(each.repeats_submission_id)
        assert (former.task_id, former.pay) == (each.task_id, each.pay)
        assert list(reversed(former.presented_order)) == each.presented_order
    assert [] == sound(session)


def test_a_repeat_is_paid_and_never_counts(session: Session, job: Job) -> None:
    doctor = specialists.doctor(session)
    work_on(session, doctor, job)
    while reviewing.accept_next_arrived(session, clearance_days=0):
        continue

    again = session.scalars(
        select(Submission).where(Submission.repeats_submission_id.is_not(None))
    ).all()
    assert {SubmissionState.SURPLUS_ACCEPTED} == {each.state for each in again}
    assert {SubmissionState.ACCEPTED} == {each.state_for_author for each in again}
    earned = review.earnings_of(session, doctor, limit=200)
    assert {each.id for each in again} <= {each.accrual.submission_id for each in earned}
    assert {job.pay} == {each.accrual.amount for each in earned}
    tasks = session.scalars(select(Task)).all()
    assert {(1, 1, 1)} == {(task.counted, task.decided, task.wanted) for task in tasks}
    assert [] == sound(session)


def test_a_repeat_that_ends_otherwise_opens_no_seat(session: Session, job: Job) -> None:
    doctor, colleague = specialists.doctor(session), specialists.doctor(session)
    claim = next_repeat(session, doctor, job)
    make.lapsed(session, claim)
    assert [] == sound(session)

    until = service.heartbeat(session, doctor, claim.id, fence=claim.fence)
    assert (ClaimState.LIVE, True) == (claim.state, until > clock.now())
    assert [] == sound(session)

    service.release_claim(session, doctor, claim.id, fence=claim.fence)
    assert [] == sound(session)
    task_id = claim.task_id
    assert task_id not in {each.task_id for each in work_on(session, colleague, job)}


def test_a_repeat_cannot_be_reported_away(session: Session, job: Job) -> None:
    doctor = specialists.doctor(session)
    claim = next_repeat(session, doctor, job)

    routing.report_outcome(
        session,
        doctor,
        ClaimId(claim.id),
        fence=claim.fence,
        kind=OutcomeKind.CANNOT_COMPLETE,
        evidence="The second answer is cut off.",
        clearance_days=0,
    )

    assert session.get_one(Task, claim.task_id).dropped_at is None
    assert [] == sound(session)


def test_a_late_repeat_is_kept_and_paid_whole(session: Session) -> None:
    _, job = make.published(session, items=ITEMS, repeat_ratio=0.2, late_pay="half")
    doctor = specialists.doctor(session)
    claim = next_repeat(session, doctor, job)

    with clock.shifted(timedelta(days=2)):
        service.expire_leases(session)
        given = make.submit(session, doctor, claim, make.answer())

    assert (job.pay, claim.repeats_submission_id) == (given.pay, given.repeats_submission_id)
    assert [] == sound(session)


def test_jobs_without_a_share_repeat_nothing(session: Session) -> None:
    _, job = make.published(session, items=12)
    doctor = specialists.doctor(session)

    given = work_on(session, doctor, job)

    assert [None] * 12 == [each.repeats_submission_id for each in given]
    progress = session.get_one(WorkProgress, (doctor.person(), job.id))
    assert (12, 0) == (progress.done, progress.repeats)
