"""Two at once: starts, last places, last answers; all with real connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine, select

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.ids import ClaimId, JobId
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.service import NoPlaceLeft
from marketplace.routing import service
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.rules.qualifications import AttemptState
from marketplace.work.models import Seat
from tests.make import identity
from tests.make import qualification as make
from tests.make import work as make_work

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The answers of calls that begin together, each in a thread."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def start(person: Actor, job: Job) -> UUID | None:
    """The attempt's id, or None without a place."""
    try:
        with transaction() as session:
            return service.start_attempt(session, person, JobId(job.id)).id
    except NoPlaceLeft:
        return None


def test_two_starts_of_one_person_are_one_attempt(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(session)
        person = identity.specialist(session)

    started = at_once([lambda: start(person, job)] * 4)

    with transaction() as session:
        assert set(session.scalars(select(QualificationResult.id))) == set(started)
        assert 4 == len(session.scalars(select(Seat.id)).all())


def test_the_last_place_goes_to_one_of_several(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(session, candidates_max=2)
        people = [identity.specialist(session) for _ in range(4)]

    started = at_once([partial(start, person, job) for person in people])

    assert 2 == sum(each is not None for each in started)
    with transaction() as session:
        assert 2 == session.get_one(Qualification, job.id).places_taken


def test_two_last_answers_at_once_mark_the_attempt(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(session, items_a_form=2, forms=1)
        person = identity.specialist(session)
        make.started(session, person, job)
    with transaction() as session:
        claims = [make_work.claimed(session, person, job) for _ in range(2)]

    def hand_in(number: int) -> None:
        claim = claims[number]
        with transaction() as session:
            service.submit_and_claim_next(
                session,
                person,
                ClaimId(claim.id),
                fence=claim.fence,
                envelope=make_work.answer("a"),
                wants_next=False,
            )

    at_once([lambda: hand_in(0), lambda: hand_in(1)])

    with transaction() as session:
        attempt = session.scalars(select(QualificationResult)).one()
        assert (AttemptState.SCORED, True) == (attempt.state, attempt.passed)


def test_the_last_answer_and_the_end_of_time_meet(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(session, items_a_form=2, forms=1)
        person = identity.specialist(session)
        attempt = make.started(session, person, job)
        make.answered(session, person, job, "a")
        claim = make_work.claimed(session, person, job)

    def hand_in() -> None:
        with transaction() as session:
            service.submit_and_claim_next(
                session,
                person,
                ClaimId(claim.id),
                fence=claim.fence,
                envelope=make_work.answer("a"),
                wants_next=False,
            )

    def end() -> None:
        with transaction() as session:
            service.end_attempt(session, attempt.id)

    at_once([hand_in, end])

    with transaction() as session:
        row = session.scalars(select(QualificationResult)).one()
        assert AttemptState.SCORED == row.state
        assert row.score in {1, 0.5}
