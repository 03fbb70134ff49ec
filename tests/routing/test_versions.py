"""A new version in a running job: who works under which, and what it costs, to the cent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Faulty
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import VersionChange
from marketplace.jobs.rules.versions import Step, version_kept
from marketplace.ledger import queries as ledger
from marketplace.ledger.service import InsufficientFunds
from marketplace.money import Money
from marketplace.review import queries as reviewed
from marketplace.routing import service
from marketplace.work import queries as work_queries
from marketplace.work import service as work
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import SeatState, SubmissionState, TaskState
from tests.make import specialists
from tests.make import work as make

NEW = {"question": "Which one is safer?"}
FINISH, REOPEN, REQUALIFY = VersionChange


def usd(minor: int) -> Money:
    """An amount in dollars."""
    return Money(minor, "USD")


def sound(session: Session) -> None:
    """Everything that must always be true."""
    session.flush()
    for check in (
        work_queries.broken_invariants,
        reviewed.broken_invariants,
        ledger.broken_invariants,
    ):
        assert [] == check(session)


def number_of(session: Session, work: Claim | Submission) -> int:
    """The number of the version that somebody works under."""
    return session.get_one(TemplateVersion, work.template_version_id).number


def changed(
    session: Session, lab: Actor, job: Job, change: VersionChange, pay: Money | None = None
) -> TemplateVersion:
    """A new version."""
    return service.change_version(session, lab, JobId(job.id), change=change, template=NEW, pay=pay)


@pytest.mark.parametrize(
    ("begun", "changes", "kept"),
    [
        (1, [None], None),
        (1, [None, None], None),
        (1, [None, FINISH], 1),
        (2, [None, FINISH], None),
        (1, [None, None, FINISH, FINISH], 2),
        (1, [None, FINISH, REOPEN], None),
        (1, [None, REOPEN, FINISH], 2),
        (1, [None, REQUALIFY, None], 1),
    ],
)
def test_which_version_a_begun_task_keeps(
    begun: int, changes: list[VersionChange | None], kept: int | None
) -> None:
    steps = [Step(number, change) for number, change in enumerate(changes, start=1)]

    assert kept == version_kept(begun, steps)


def test_begun_tasks_finish_on_the_old_and_fresh_ones_take_the_new(session: Session) -> None:
    lab, job = make.published(session, items=2, overlap_min=2)
    first, second = specialists.doctor(session), specialists.doctor(session)
    held = make.claimed(session, first, job)

    changed(session, lab, job, FINISH)

    seats = [make.claimed(session, second, job) for _ in range(2)]
    versions = {claim.task_id: number_of(session, claim) for claim in seats}
    assert 1 == versions.pop(held.task_id)
    assert [2] == list(versions.values())
    assert 1 == number_of(session, make.submit(session, first, held, make.answer()))
    sound(session)


def test_judged_tasks_are_asked_again_at_the_stated_price(session: Session) -> None:
    lab, job = make.published(session, items=2, overlap_min=1, pay=usd(4_50))
    first, second = specialists.doctor(session), specialists.doctor(session)
    old = make.submitted(session, first, job)
    before = ledger.job_balance(session, JobId(job.id), "USD")

    quoted = service.quote_again(session, lab, JobId(job.id), pay=usd(6_05))
    changed(session, lab, job, REOPEN, pay=usd(6_05))

    # Pay and our fee of 20 percent, for the one judgement that is in.
    assert (1, usd(7_26)) == (quoted.seats, quoted.most)
    assert usd(7_26) == ledger.job_balance(session, JobId(job.id), "USD") - before
    claims = [make.claimed(session, second, job) for _ in range(2)]
    assert {old.task_id: usd(6_05)}.items() <= {c.task_id: c.pay for c in claims}.items()
    assert {2} == {number_of(session, claim) for claim in claims}
    for claim in claims:
        make.decided(session, lab, make.submit(session, second, claim, make.answer("b")))
    make.decided(session, lab, old)
    sound(session)
    assert {TaskState.FINAL} == set(session.scalars(select(Task.state)))
    # Both were paid what they were promised, and nothing is left over.
    service.close_job(session, lab, JobId(job.id))
    assert usd(0) == ledger.job_balance(session, JobId(job.id), "USD")
    earned = session.execute(
        select(Submission.price_minor, Seat.set_aside_at.is_not(None))
        .join(Seat, Seat.id == Submission.seat_id)
        .order_by(Submission.id)
    )
    assert [(4_50, True), (4_50, False), (6_05, False)] == sorted(
        (tuple(row) for row in earned), key=lambda row: (row[0], not row[1])
    )


def test_without_the_money_nothing_changes(session: Session) -> None:
    lab, job = make.published(session, items=1)
    make.submitted(session, specialists.doctor(session), job)

    with pytest.raises(InsufficientFunds), session.begin_nested():
        changed(session, lab, job, REOPEN, pay=usd(99_000_00))

    session.expire_all()
    assert 1 == number_of(session, session.scalars(select(Submission)).one())
    assert 0 == session.scalar(select(func.count()).where(Seat.set_aside_at.is_not(None)))
    sound(session)


def test_a_price_that_rose_meanwhile_is_asked_about_again(session: Session) -> None:
    lab, job = make.published(session, items=1)
    agreed = service.quote_again(session, lab, JobId(job.id)).most
    make.submitted(session, specialists.doctor(session), job)

    with pytest.raises(Faulty, match="price has changed"):
        service.change_version(
            session, lab, JobId(job.id), change=REOPEN, template=NEW, most=agreed
        )


def test_a_claim_in_hand_that_is_given_back_opens_no_old_seat(session: Session) -> None:
    lab, job = make.published(session, items=1, overlap_min=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    changed(session, lab, job, REOPEN)

    work.release_claim(session, doctor, claim.id, fence=claim.fence)

    session.expire_all()
    states = session.scalars(select(Seat.state).order_by(Seat.round)).all()
    assert [SeatState.CLOSED, SeatState.OPEN] == list(states)
    assert [1] == session.scalars(select(Task.wanted)).all()
    sound(session)


@pytest.mark.parametrize("verdict", [SubmissionState.ACCEPTED, SubmissionState.REJECTED])
def test_what_was_set_aside_is_decided_as_ever(session: Session, verdict: SubmissionState) -> None:
    lab, job = make.published(session, items=1, overlap_min=1)
    old = make.submitted(session, specialists.doctor(session), job)
    changed(session, lab, job, REOPEN)

    work.settle(session, old, verdict)
    session.flush()

    assert 2 - (verdict is SubmissionState.REJECTED) == session.scalar(select(Task.wanted))
    assert [] == work_queries.broken_invariants(session)


def test_a_rise_in_pay_leaves_stated_prices_alone(session: Session) -> None:
    lab, job = make.published(session, items=1, overlap_min=1, pay=usd(4_00))
    make.submitted(session, specialists.doctor(session), job)
    changed(session, lab, job, REOPEN, pay=usd(5_00))
    before = ledger.job_balance(session, JobId(job.id), "USD")

    service.change_job(session, lab, JobId(job.id), pay=usd(6_00))

    # One judgement may still be paid at the new price: the one that was asked for at first.
    assert usd(2_40) == ledger.job_balance(session, JobId(job.id), "USD") - before
    assert usd(5_00) == make.claimed(session, specialists.doctor(session), job).pay
    sound(session)


REFUSED: list[tuple[Callable[[Session, Actor, Job], object], str]] = [
    (lambda s, lab, job: jobs.close_job(s, lab, job.id), "closed"),
    (lambda s, lab, job: service.change_version(
        s, lab, JobId(job.id), change=FINISH, template=NEW), "Nothing is different"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "words"), REFUSED)
def test_what_cannot_change_is_refused(
    session: Session, first: Callable[[Session, Actor, Job], object], words: str
) -> None:
    lab, job = make.published(session, items=1)
    first(session, lab, job)

    with pytest.raises(Conflict, match=words):
        changed(session, lab, job, FINISH)


def test_nobody_qualifies_again_for_a_job_that_asks_for_nothing(session: Session) -> None:
    lab, job = make.published(session, items=1)

    with pytest.raises(Conflict, match="no qualification"):
        changed(session, lab, job, REQUALIFY)
