"""Fits in the background: right after what came in, never over what came meanwhile."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import JobId, TaskId
from marketplace.jobs.models import Job
from marketplace.quality import queries
from marketplace.quality.models import JobFit, LabelAuthor, Skill, TaskPosterior
from marketplace.quality.queries import posterior_of
from marketplace.quality.rules.polls import fitted as fit_poll
from marketplace.quality.service import fit_rows, fits, rescore_task
from marketplace.work.models import Task
from tests.make import background, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make

TASKS, PEOPLE = 6, 3


def answered(session: Session, *, gold: str | None = None) -> tuple[Actor, Job, list[Actor]]:
    """A job of which three people judged every task: two alike, the third the other way."""
    known = {"gold": {"judgement": {"choice": gold}}} if gold else {}
    lines = [make_jobs.line(f"item-{n}", make_jobs.pair(n), **known) for n in range(TASKS)]
    lab, job = make.published(
        session, items=lines, overlap_min=PEOPLE, overlap_max=PEOPLE, review_sample_ratio=0
    )
    doctors = [specialists.doctor(session) for _ in range(PEOPLE)]
    for doctor, choices in zip(doctors, ("ab", "ab", "ba"), strict=True):
        for at in range(TASKS):
            make.submitted(session, doctor, job, make.answer(choices[at % 2]))
    return lab, job, doctors


def fitted(session: Session, job: Job) -> None:
    """Let the job be fitted, as the worker would."""
    background.run("quality.fit_job", job_id=str(job.id))
    session.expire_all()


def test_a_fit_says_how_far_people_agree_and_how_far_each_can_be_trusted(
    session: Session,
) -> None:
    lab, job, doctors = answered(session)
    assert queries.quality_of(session, lab, JobId(job.id)).computed_at is None

    fitted(session, job)

    known = queries.quality_of(session, lab, JobId(job.id))
    (unit,) = known.units
    assert (18, "choice", TASKS, 18) == (known.submissions, unit.unit, unit.items, unit.labels)
    assert 1 / 3 == pytest.approx(unit.agreement_ratio)
    assert unit.lower is not None
    assert unit.alpha is not None
    assert unit.upper is not None
    assert unit.lower <= unit.alpha <= unit.upper
    assert {"observed", "alpha", "ac1", "fleiss"} == unit.measures.keys()
    assert {1.0, 0.0} == {pair.agreement_ratio for pair in known.pairs}
    trusted = sorted(each.reliability for each in known.authors)
    assert trusted[0] < 0.5 < trusted[1]
    curve = queries.cost_curve(session, lab, JobId(job.id))["choice"]
    assert [TASKS, 2 * TASKS, 3 * TASKS] == [point.judgements for point in curve]
    skills = session.scalars(select(Skill).where(Skill.person_id == doctors[0].person())).all()
    assert [TASKS] == [skill.n for skill in skills]
    assert not fits.jobs_to_fit(session)


def test_the_fit_agrees_with_what_each_submission_said(session: Session) -> None:
    _, job, _ = answered(session)
    tasks = session.scalars(select(Task.id).where(Task.job_id == job.id).order_by(Task.id)).all()
    online = [posterior_of(session, task)["choice"] for task in tasks]

    fitted(session, job)
    batch = [posterior_of(session, task)["choice"] for task in tasks]
    for task in tasks:
        rescore_task(session, TaskId(task))
    then = [posterior_of(session, task)["choice"] for task in tasks]

    assert [each.label for each in online] == [each.label for each in batch]
    assert [each.label for each in then] == [each.label for each in batch]
    online_sure, batch_sure = ([each.confidence for each in told] for told in (then, batch))
    assert np.allclose(online_sure, batch_sure, atol=0.12)
    assert {1} == {row.fit for row in session.scalars(select(LabelAuthor))}


def test_gold_is_known_truth(session: Session) -> None:
    lab, job, _ = answered(session, gold="b")
    fitted(session, job)

    rows = session.scalars(select(TaskPosterior).where(TaskPosterior.job_id == job.id)).all()

    assert {("b", True, 1.0)} == {(row.label, row.decided, row.confidence) for row in rows}
    curve = queries.cost_curve(session, lab, JobId(job.id))["choice"]
    assert all(point.accuracy is not None for point in curve)


def test_a_fit_writes_nothing_over_what_came_while_it_ran(session: Session) -> None:
    _, job, _ = answered(session)
    begun = fits.begin_fit(session, job.id)
    assert begun is not None
    fits.read_votes(session, begun)
    moved = session.scalars(select(TaskPosterior).order_by(TaskPosterior.task_id)).first()
    assert moved is not None
    moved.revision += 1
    moved.label, moved.confidence = "tie", 0.9
    session.flush()
    later = fits.begin_fit(session, job.id)
    assert later is not None

    found = {name: fit_poll(poll, begun.scheme) for name, poll in begun.polls.items()}
    kept = {name: each for name, each in found.items() if each is not None}
    assert fits.write_fit(session, begun, kept, seconds=0.1)
    assert not fits.write_fit(session, begun, kept, seconds=0.1)
    for rows in fit_rows.of_posteriors(begun.polls, begun.scheme, kept, begun.revisions):
        fits.write_posteriors(session, begun, rows)

    session.expire_all()
    rest = session.scalars(select(TaskPosterior).where(TaskPosterior.job_id == job.id)).all()
    assert {0, 1} == {row.fit for row in rest}
    assert ["tie"] == [row.label for row in rest if row.fit == 0]


def test_a_job_without_overlap_is_fitted_by_the_round(session: Session) -> None:
    lab, job = make.published(session, items=2, review_sample_ratio=0)
    make.submitted(session, specialists.doctor(session), job)
    background.run("quality.fit_changed")
    with clock.shifted(timedelta(seconds=3)):
        background.run_all()
    session.expire_all()

    known = queries.quality_of(session, lab, JobId(job.id))
    assert (1, [0]) == (known.submissions, [unit.items for unit in known.units])
    assert 1 == len(session.scalars(select(TaskPosterior)).all())
    assert 1 == session.get_one(JobFit, job.id).fit
