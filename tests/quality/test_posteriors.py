"""Labels as they are believed, contested items, and skill: what each may see of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Faulty, Missing
from marketplace.ids import JobId, PersonId, new_id
from marketplace.quality import queries
from marketplace.quality.queries import Slice
from marketplace.quality.service import EvidenceSource, learn
from tests.make import identity, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make

CHOICES = ("aa", "ab", "bb", "ba")


def test_labels_are_paged_and_the_most_contested_come_first(session: Session) -> None:
    lines = [
        make_jobs.line(f"item-{n}", make_jobs.pair(n, metadata={"ward": "AB"[n % 2]}))
        for n in range(len(CHOICES))
    ]
    lab, job = make.published(
        session, items=lines, overlap_min=2, overlap_max=2, review_sample_ratio=0
    )
    for at in range(2):
        doctor = specialists.doctor(session)
        for choices in CHOICES:
            make.submitted(
                session, doctor, job, make.answer(choices[at], rationale="The first is clearer.")
            )
    job_id = JobId(job.id)

    first = queries.labels_of_job(session, lab, job_id, limit=3)
    rest = queries.labels_of_job(session, lab, job_id, after=first[-1].cursor)
    assert [f"item-{n}" for n in range(4)] == [row.external_id for row in [*first, *rest]]
    assert ["a", "b"] == [row.label for row in (first[0], first[2])]

    shown = queries.contested_items(session, lab, job_id, limit=1)
    shown += queries.contested_items(session, lab, job_id, after=shown[0].cursor)
    assert 4 == len({each.task_id for each in shown})
    assert {"item-1", "item-3"} == {each.external_id for each in shown[:2]}
    assert [{"a", "b"}, {"a", "b"}] == [
        {voice.label for voice in each.voices} for each in shown[:2]
    ]
    assert str(doctor.person()) not in str(shown)
    ward = Slice(unit="choice", field="ward", value="B", labels=("a", "b"))
    sliced = queries.contested_items(session, lab, job_id, slice=ward)
    assert {"item-1", "item-3"} >= {each.external_id for each in sliced} > set()

    with pytest.raises(Faulty):
        queries.contested_items(session, lab, job_id, after="no place")
    other = identity.lab_owner(session)
    for asked in (queries.labels_of_job, queries.contested_items, queries.cost_curve):
        with pytest.raises(Missing):
            asked(session, other, job_id)


def test_gold_is_told_in_sums_and_once_its_day_is_over(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    now = clock.now()

    def say(source: EvidenceSource, agreement: float) -> None:
        learn(
            session,
            PersonId(doctor.person()),
            job,
            agreement,
            source=source,
            source_id=new_id(),
        )

    with clock.shifted(-timedelta(days=2)):
        say(EvidenceSource.GOLD, 1.0)
        say(EvidenceSource.GOLD, 0.0)
        say(EvidenceSource.REVIEW, 1.0)
    say(EvidenceSource.GOLD, 0.0)
    session.flush()

    (skill,) = queries.skill_history(session, doctor)

    assert 3 == skill.n
    assert pytest.approx(0.6) == skill.mean
    assert skill.lower < skill.bound < skill.mean < skill.upper
    assert [(now - timedelta(days=2)).date(), now.date()] == [day.on_date for day in skill.days]
    assert [(None, 2), (job.reference, 1)] == [
        (each.job and each.job[0], each.pieces) for each in skill.evidence
    ]
    assert skill.evidence[0].submission_id is None
    assert [] == queries.skill_history(session, specialists.doctor(session))
