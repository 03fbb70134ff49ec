"""Adaptive overlap: further judgements where they are worth it, never two for one need."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.ids import ClaimId, JobId, TaskId
from marketplace.jobs import service as jobs
from marketplace.outbox import Event
from marketplace.quality import queries as quality_queries
from marketplace.routing import queries as routing_queries
from marketplace.routing import service as routing
from marketplace.work import queries as work_queries
from marketplace.work import service as work
from marketplace.work.models import Seat, Task
from marketplace.work.rules import SeatState, TaskState
from tests.make import identity, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make

ADAPTIVE = {"overlap_min": 2, "overlap_max": 4, "confidence_target": 0.72}


def seats(session: Session, task_id: TaskId) -> list[SeatState]:
    session.expire_all()
    asked = select(Seat.state).where(Seat.task_id == task_id).order_by(Seat.round)
    return list(session.scalars(asked))


@pytest.mark.parametrize(("choices", "more"), [("aa", 0), ("ab", 1), ("abab", 2)])
def test_another_seat_opens_where_two_do_not_agree(
    session: Session, choices: str, more: int
) -> None:
    _, job = make.published(session, items=1, review_sample_ratio=0, **ADAPTIVE)  # type: ignore[arg-type]
    for choice in choices:
        task_id = TaskId(
            make.submitted(session, specialists.doctor(session), job, make.answer(choice)).task_id
        )

    assert 2 + more == len(seats(session, task_id))
    assert min(2 + more, len(choices)) == seats(session, task_id).count(SeatState.SUBMITTED)
    state = session.get_one(Task, task_id).state
    assert (TaskState.OPEN if choices == "ab" else TaskState.FILLED) is state
    told = session.scalars(select(Event.facts).where(Event.kind == "task.seat_opened")).all()
    assert more == len(told)
    assert all("worth its price" in facts["why"] for facts in told)
    assert [] == work_queries.broken_invariants(session)
    assert [] == routing_queries.broken_invariants(session)
    assert [] == quality_queries.broken_invariants(session)


def test_without_a_target_nothing_more_is_bought(session: Session) -> None:
    _, job = make.published(session, items=1, review_sample_ratio=0, overlap_min=2, overlap_max=4)
    for choice in "ab":
        done = make.submitted(session, specialists.doctor(session), job, make.answer(choice))

    assert 2 == len(seats(session, TaskId(done.task_id)))


def test_no_seat_opens_in_a_closed_job_or_beyond_what_is_reserved(session: Session) -> None:
    lab, _ = make.published(session, items=1, review_sample_ratio=0, **ADAPTIVE)  # type: ignore[arg-type]
    task_id = TaskId(session.scalars(select(Task.id)).one())
    opened = [work.open_seat(session, task_id, why="It is asked for.") for _ in range(3)]
    assert [True, True, False] == [seat is not None for seat in opened]

    _, other = make.published(session, lab, items=1, review_sample_ratio=0, **ADAPTIVE)  # type: ignore[arg-type]
    claims = []
    for choice in "ab":
        doctor = specialists.doctor(session)
        claims.append((doctor, make.claimed(session, doctor, other), choice))
    jobs.close_job(session, lab, JobId(other.id))
    for doctor, claim, choice in claims:
        routing.submit_and_claim_next(
            session,
            doctor,
            ClaimId(claim.id),
            fence=claim.fence,
            envelope=make.answer(choice),
            wants_next=False,
        )
    assert 2 == len(seats(session, TaskId(claims[0][1].task_id)))


def test_two_at_once_open_one_seat_for_one_need(committed: Engine) -> None:
    del committed
    with transaction() as session:
        _, job = make.published(session, items=6, review_sample_ratio=0, **ADAPTIVE)  # type: ignore[arg-type]
        doctors = [specialists.doctor(session) for _ in range(2)]

    def work_off(at: int) -> None:
        for _ in range(6):
            with transaction() as session:
                claim = routing.claim_next(session, doctors[at], job_id=JobId(job.id))
            if claim is None:
                return
            with transaction() as session:
                routing.submit_and_claim_next(
                    session,
                    doctors[at],
                    ClaimId(claim.id),
                    fence=claim.fence,
                    envelope=make.answer("ab"[at]),
                    wants_next=False,
                )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work_off, range(2)))

    with transaction() as session:
        wanted = session.scalars(select(Task.wanted).order_by(Task.id)).all()
        assert [3] * 6 == list(wanted)
        assert 6 * 3 == len(session.scalars(select(Seat.id)).all())
        assert [] == work_queries.broken_invariants(session)


def test_the_quote_says_whether_a_confidence_can_be_reached(session: Session) -> None:
    lab = identity.lab_owner(session)
    far = make_jobs.filled(session, lab, overlap_min=2, overlap_max=3, confidence_target=0.99)
    near = make_jobs.filled(session, lab, overlap_min=2, overlap_max=9, confidence_target=0.9)
    plain = make_jobs.filled(session, lab)

    told = [
        routing.quote_job(session, lab, JobId(job.id), fee_basis_points=2_000).overlap
        for job in (far, near, plain)
    ]

    assert [False, True, None] == [each and each.reachable for each in told]
    assert told[0] is not None
    assert "99" in told[0].why
