"""Two verbs at one moment on one task, on real connections: one of them is first, none is lost,
and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Refused
from marketplace.ids import ClaimId, JobId
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.review import queries as reviewed
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.work import queries, service
from marketplace.work.models import Claim, Seat, Submission
from marketplace.work.rules import ClaimState, OutcomeKind, SeatState
from tests.make import specialists
from tests.make import work as make

T = TypeVar("T")
ROUNDS = 5


def at_once(*calls: Callable[[Session], object]) -> list[object]:
    """What each call gives, or how it was refused; each in a transaction of its own."""
    ready = Barrier(len(calls))

    def run(call: Callable[[Session], object]) -> object:
        with transaction() as session:
            session.connection()
            ready.wait(10)
            try:
                with session.begin_nested():
                    return call(session)
            except Refused as refused:
                return refused

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def all_agrees() -> bool:
    checks = (queries.broken_invariants, reviewed.broken_invariants, ledger.broken_invariants)
    with transaction() as session:
        return [] == [said for check in checks for said in check(session)]


class World:
    """A job with more tasks than rounds, and two doctors."""

    def __init__(self) -> None:
        with transaction() as session:
            self.lab, self.job = make.published(
                session,
                items=ROUNDS * 2,
                overlap_min=2,
                overlap_max=2,
                review_sample_ratio=1,
                cannot_complete_ratio=0.1,
            )
            self.job_id = JobId(self.job.id)
            self.doctors = [specialists.doctor(session) for _ in range(2)]

    def claim(self, doctor: Actor, *, over: bool = False) -> Claim:
        """A fresh claim; over: its time has run out, and nobody has noticed."""
        with transaction() as session:
            claim = make.claimed(session, doctor, session.get_one(Job, self.job_id))
            if over:
                past = clock.now() - timedelta(seconds=1)
                session.execute(update(Claim).where(Claim.id == claim.id).values(expires_at=past))
            return claim

    def submit(self, doctor: Actor, claim: Claim) -> Callable[[Session], Submission]:
        return lambda session: (
            routing.submit_and_claim_next(
                session,
                doctor,
                ClaimId(claim.id),
                fence=claim.fence,
                envelope=make.answer(),
                wants_next=False,
            ).submission
        )

    def report(self, doctor: Actor, claim: Claim) -> Callable[[Session], object]:
        return lambda session: routing.report_outcome(
            session,
            doctor,
            ClaimId(claim.id),
            fence=claim.fence,
            kind=OutcomeKind.CANNOT_COMPLETE,
            evidence="Both answers are empty.",
            clearance_days=7,
        )


@pytest.fixture
def world(committed: Engine) -> World:
    return World()


def state_of(claim: Claim) -> ClaimState:
    with transaction() as session:
        return session.scalars(select(Claim.state).where(Claim.id == claim.id)).one()


def test_submit_and_expire(world: World) -> None:
    doctor = world.doctors[0]
    for _ in range(ROUNDS):
        claim = world.claim(doctor, over=True)

        given, _ = at_once(world.submit(doctor, claim), service.expire_leases)

        assert isinstance(given, Submission)
        assert ClaimState.SUBMITTED is state_of(claim)
    assert all_agrees()


def test_submit_and_release(world: World) -> None:
    doctor = world.doctors[0]
    for _ in range(ROUNDS):
        claim = world.claim(doctor)

        given, back = at_once(
            world.submit(doctor, claim),
            lambda session, claim=claim: service.release_claim(  # type: ignore[misc]
                session, doctor, claim.id, fence=claim.fence
            ),
        )

        assert 1 == [isinstance(given, Refused), isinstance(back, Refused)].count(True)
    assert all_agrees()


def test_heartbeat_and_expire(world: World) -> None:
    doctor = world.doctors[0]
    for _ in range(ROUNDS):
        claim = world.claim(doctor, over=True)

        until, _ = at_once(
            lambda session, claim=claim: service.heartbeat(  # type: ignore[misc]
                session, doctor, claim.id, fence=claim.fence
            ),
            service.expire_leases,
        )

        assert not isinstance(until, Refused)
        assert ClaimState.LIVE is state_of(claim)
        with transaction() as session:
            service.release_claim(session, doctor, claim.id, fence=claim.fence)
    assert all_agrees()


def test_two_reports_of_one_task(world: World) -> None:
    one, other = world.doctors
    for _ in range(ROUNDS):
        first, second = world.claim(one), world.claim(other)

        told = at_once(world.report(one, first), world.report(other, second))

        assert [] == [each for each in told if isinstance(each, Refused)]
    assert all_agrees()


def test_a_report_and_an_answer_of_one_task(world: World) -> None:
    one, other = world.doctors
    for _ in range(ROUNDS):
        first, second = world.claim(one), world.claim(other)

        told = at_once(world.report(one, first), world.submit(other, second))

        assert [] == [each for each in told if isinstance(each, Refused)]
    assert all_agrees()


def test_a_rejection_and_a_report_of_one_task(world: World) -> None:
    one, other = world.doctors
    for _ in range(ROUNDS):
        first, second = world.claim(one), world.claim(other)
        (given,) = at_once(world.submit(one, first))
        assert isinstance(given, Submission)

        told = at_once(
            lambda session, given=given: make.decided(  # type: ignore[misc]
                session, world.lab, given, Verdict.REJECT
            ),
            world.report(other, second),
        )

        assert [] == [each for each in told if isinstance(each, Refused)]
    assert all_agrees()


def test_two_people_claim_the_last_seat(world: World) -> None:
    with transaction() as session:
        seats = session.scalars(select(Seat.id).order_by(Seat.rank)).all()
        rest = update(Seat).where(Seat.id.in_(seats[1:])).values(state=SeatState.CLOSED)
        session.execute(rest)

    claims = at_once(
        *(
            lambda session, doctor=doctor: routing.claim_next(session, doctor, job_id=world.job_id)
            for doctor in world.doctors
        )
    )

    assert 1 == sum(isinstance(each, Claim) for each in claims)


def test_closing_a_job_that_is_in_use(world: World) -> None:
    one, other = world.doctors
    late, mine = world.claim(one, over=True), world.claim(other)

    at_once(
        lambda session: routing.close_job(session, world.lab, world.job_id),
        lambda session: routing.claim_next(session, one, job_id=world.job_id),
        world.submit(other, mine),
        world.submit(one, late),
        service.expire_leases,
    )

    with transaction() as session:
        routing.settle_closed(session, world.job_id)
    assert all_agrees()
    with transaction() as session:
        for given in session.scalars(select(Submission)).all():
            make.decided(session, world.lab, given)
    with transaction() as session:
        live = session.scalars(select(Claim).where(Claim.state == ClaimState.LIVE)).all()
        for claim in live:
            service.release_claim(session, one, claim.id, fence=claim.fence)
        routing.settle_closed(session, world.job_id)
        assert 0 == ledger.job_balance(session, world.job_id, "USD").minor
        assert not review.accept_next_arrived(session, clearance_days=7)
    assert all_agrees()
