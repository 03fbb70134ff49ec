"""Many people at once, on real connections: overlap stays exact."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, func, select

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Conflict
from marketplace.ids import JobId
from marketplace.routing import service as routing
from marketplace.work import service
from marketplace.work.models import Claim, Submission, Task
from marketplace.work.rules import SubmissionState
from tests.make import specialists
from tests.make import work as make

PEOPLE, ITEMS, OVERLAP = 6, 12, 2


def test_people_at_once_never_exceed_the_overlap(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(
            session, items=ITEMS, overlap_min=OVERLAP, overlap_max=OVERLAP, review_sample_ratio=0
        )
        doctors = [specialists.doctor(session) for _ in range(PEOPLE)]

    def work_off(doctor: Actor) -> int:
        done = 0
        while True:
            with transaction() as session:
                claim = routing.claim_next(session, doctor, job_id=JobId(job.id))
            if claim is None:
                return done
            with transaction() as session:
                routing.submit_and_claim_next(
                    session,
                    doctor,
                    claim.id,
                    fence=claim.fence,
                    envelope=make.answer(),
                    wants_next=False,
                )
            done += 1

    with ThreadPoolExecutor(PEOPLE) as pool:
        done = list(pool.map(work_off, doctors))

    assert ITEMS * OVERLAP == sum(done)
    with transaction() as session:
        counted = session.scalars(select(Task.counted)).all()
        per_person = session.execute(
            select(Submission.task_id, Submission.specialist_id, func.count()).group_by(
                Submission.task_id, Submission.specialist_id
            )
        ).all()
    assert [OVERLAP] * ITEMS == list(counted)
    assert {1} == {count for _, _, count in per_person}


def test_one_person_in_two_windows_gets_two_different_tasks(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(session, items=4, overlap_min=2, overlap_max=2)
        doctor = specialists.doctor(session)

    def claim(_: int) -> Claim | None:
        try:
            with transaction() as session:
                return routing.claim_next(session, doctor, job_id=JobId(job.id))
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        claims = [each for each in pool.map(claim, range(4)) if each is not None]

    assert {1} == set(Counter(each.task_id for each in claims).values())


def test_a_double_submit_is_one_submission(committed: Engine) -> None:
    with transaction() as session:
        _, job = make.published(session, items=1)
        doctor = specialists.doctor(session)
        claim = make.claimed(session, doctor, job)

    def submit(_: int) -> object:
        with transaction() as session:
            return service.submit(
                session, doctor, claim.id, fence=claim.fence, envelope=make.answer()
            ).id

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(submit, range(8)))

    assert 1 == len(ids)
    with transaction() as session:
        states = session.scalars(select(Submission.state)).all()
    assert [SubmissionState.SUBMITTED] == list(states)
