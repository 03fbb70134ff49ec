"""What one submission changes at once, and what a verdict takes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.ids import ClaimId, TaskId
from marketplace.outbox import OutboxRow
from marketplace.quality import service
from marketplace.quality.models import LabelAuthor, TaskPosterior
from marketplace.quality.queries import posterior_of
from marketplace.quality.service.updates import FIT
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.work.models import Claim
from tests.make import jobs as make_jobs
from tests.make import specialists
from tests.make import work as make

OVERLAP = 3


def test_a_submission_says_at_once_what_is_believed_and_how_far_its_author_is(
    session: Session,
) -> None:
    _, job = make.published(
        session, items=1, overlap_min=OVERLAP, overlap_max=OVERLAP, review_sample_ratio=0
    )
    doctors = [specialists.doctor(session) for _ in range(OVERLAP)]

    sure = []
    for doctor, choice in zip(doctors, "aab", strict=True):
        task = make.submitted(session, doctor, job, make.answer(choice)).task_id
        known = posterior_of(session, task)["choice"]
        assert "a" == known.label
        assert 1.0 == pytest.approx(sum(known.probabilities.values()))
        sure.append(known.confidence)

    assert sure[0] < sure[1]
    assert sure[2] < sure[1]
    assert (3, 3, 0) == (known.n, known.humans, known.models)
    believed = {
        row.author: row.reliability
        for row in session.scalars(select(LabelAuthor).where(LabelAuthor.job_id == job.id))
    }
    assert {str(doctor.person()) for doctor in doctors} == believed.keys()
    assert believed[str(doctors[1].person())] > believed[str(doctors[2].person())]
    asked = select(OutboxRow.arguments).where(OutboxRow.name == FIT)
    assert [{"job_id": str(job.id)}] == session.scalars(asked).all()


def test_a_rejected_answer_leaves_and_an_accepted_one_weighs_more(session: Session) -> None:
    lab, job = make.published(
        session, items=1, overlap_min=2, overlap_max=2, review_sample_ratio=1.0
    )
    first = make.submitted(session, specialists.doctor(session), job, make.answer("a"))
    second = make.submitted(session, specialists.doctor(session), job, make.answer("b"))
    task = TaskId(first.task_id)

    make.decided(session, lab, second, Verdict.REJECT)
    session.flush()
    service.rescore_task(session, task)
    alone = posterior_of(session, task)["choice"]
    make.decided(session, lab, first)
    session.flush()
    service.rescore_task(session, task)
    reviewed = posterior_of(session, task)["choice"]

    assert ("a", 1) == (alone.label, alone.n)
    assert alone.confidence < reviewed.confidence < 1


def test_models_are_authors_and_one_judgement_alone_costs_nothing(session: Session) -> None:
    said = {"model": "judge", "version": "1", "payload": {"choice": "b"}}
    lines = [make_jobs.line("plain"), make_jobs.line("said", make_jobs.pair(2), prelabels=[said])]
    _, job = make.published(session, items=lines, review_sample_ratio=0)
    doctor = specialists.doctor(session)

    alone = make.submitted(session, doctor, job, make.answer("b"))
    beside = make.submitted(session, doctor, job, make.answer("b"))

    assert {} == posterior_of(session, alone.task_id)
    known = posterior_of(session, beside.task_id)["choice"]
    assert ("b", 2, 1, 1) == (known.label, known.n, known.humans, known.models)


def test_the_same_answer_sent_twice_teaches_once(session: Session) -> None:
    _, job = make.published(session, items=1, overlap_min=2, overlap_max=2, review_sample_ratio=0)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    for _ in range(2):
        routing.submit_and_claim_next(
            session,
            doctor,
            ClaimId(claim.id),
            fence=claim.fence,
            envelope=make.answer(),
            wants_next=False,
        )

    rows = session.scalars(select(LabelAuthor).where(LabelAuthor.job_id == job.id)).all()
    assert [1] == [row.n for row in rows]
    assert 1.0 == pytest.approx(sum(rows[0].counts))


def test_submissions_of_one_task_at_the_same_moment_leave_the_right_posterior(
    committed: Engine,
) -> None:
    del committed
    with transaction() as session:
        _, job = make.published(
            session, items=1, overlap_min=6, overlap_max=6, review_sample_ratio=0
        )
        doctors = [specialists.doctor(session) for _ in range(6)]
        claims = [make.claimed(session, doctor, job) for doctor in doctors]

    def hand_in(at: int) -> None:
        claim: Claim = claims[at]
        with transaction() as session:
            routing.submit_and_claim_next(
                session,
                doctors[at],
                ClaimId(claim.id),
                fence=claim.fence,
                envelope=make.answer("a" if at else "b"),
                wants_next=False,
            )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hand_in, range(6)))

    with transaction() as session:
        (row,) = session.scalars(select(TaskPosterior)).all()
        assert ("a", 6, 6) == (row.label, row.n, row.revision)
        assert 6 == len(session.scalars(select(LabelAuthor)).all())
        assert 1 == len(session.scalars(select(OutboxRow).where(OutboxRow.name == FIT)).all())
