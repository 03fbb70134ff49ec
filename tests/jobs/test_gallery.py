"""The gallery: every ready job can be posted as it is, with its examples."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from sqlalchemy.orm import Session

from marketplace.errors import Missing
from marketplace.jobs import queries, service
from marketplace.jobs.rules import fields_of
from marketplace.jobs.rules.gallery import ReadyJob, ready_job, ready_jobs
from marketplace.tasktypes import TASK_TYPES
from tests.make import identity
from tests.make.background import run_all
from tests.make.endpoints import wanted


def test_three_and_more_for_each_profession() -> None:
    counts = Counter(each.profession for each in ready_jobs())

    assert {"medicine", "law", "software"} == set(counts)
    assert min(counts.values()) >= 3
    assert len(ready_jobs()) == len({each.key for each in ready_jobs()})


@pytest.mark.parametrize("ready", ready_jobs(), ids=lambda each: each.key)
def test_a_ready_job_is_ready(session: Session, ready: ReadyJob) -> None:
    lab = identity.lab_owner(session)
    wanted(session, lab, ready.document["template"])
    kind, fields = fields_of(ready.document)

    job = service.create_job(session, lab, task_type=kind, **fields)
    assert bool(ready.items) == (kind != "regions")
    report = service.add_items(session, lab, job.id, [orjson.dumps(each) for each in ready.items])

    assert (len(ready.items), []) == (report.accepted, report.rejected)
    assert ([] if ready.items else ["/items"]) == [
        each.pointer for each in queries.lint(session, job)
    ]
    session.flush()
    run_all()  # The scan for personal details looks through the items.
    session.expire_all()
    assert [] == queries.advice(session, job)


def test_every_task_type_has_a_ready_job() -> None:
    assert set(TASK_TYPES) == {each.task_type for each in ready_jobs()}


def test_an_unknown_key_says_which_there_are() -> None:
    with pytest.raises(Missing, match="discharge-advice"):
        ready_job("nothing")
