"""How far jobs are: one by one and many at once, and never another organisation's."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from marketplace.errors import Missing
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.jobs.queries import current_versions
from marketplace.work import queries
from tests.make import identity, specialists
from tests.make import work as make


def test_many_jobs_are_counted_as_each_alone(session: Session) -> None:
    owner, job = make.published(session, items=3, overlap_min=2, overlap_max=2)
    _, foreign = make.published(session, items=1)
    make.submitted(session, specialists.doctor(session), job)

    alone = queries.progress_of(session, owner, JobId(job.id))
    many = queries.progress_of_many(session, owner, [job, foreign])

    assert {job.id: alone} == many
    assert (3, 5, 1) == (alone.tasks, alone.seats_open, alone.submitted + alone.in_review)
    with pytest.raises(Missing):
        queries.progress_of(session, owner, JobId(foreign.id))


@pytest.mark.parametrize("number", [1, 3])
def test_the_number_of_queries_does_not_grow_with_the_jobs(session: Session, number: int) -> None:
    owner = identity.lab_owner(session)
    jobs: list[Job] = [make.published(session, owner, items=1)[1] for _ in range(number)]
    session.flush()  # What the builders left to be written is none of the query's.
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.append(str(call[2]))

    bind = session.get_bind()
    event.listen(bind, "before_cursor_execute", note)
    try:
        queries.progress_of_many(session, owner, jobs)
    finally:
        event.remove(bind, "before_cursor_execute", note)

    assert 1 == len(asked)


def test_a_list_of_jobs_reads_their_versions_in_one_query(session: Session) -> None:
    owner = identity.lab_owner(session)
    jobs: list[Job] = [make.published(session, owner, items=1)[1] for _ in range(3)]
    session.flush()
    session.expunge_all()
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.append(str(call[2]))

    bind = session.get_bind()
    event.listen(bind, "before_cursor_execute", note)
    try:
        versions = current_versions(session, jobs)
    finally:
        event.remove(bind, "before_cursor_execute", note)

    assert {job.template_version_id for job in jobs} == set(versions)
    assert 1 == len(asked)
