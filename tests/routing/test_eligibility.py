"""Conditions beyond credentials, each with its reason; the counts; the statements' plans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, event, text, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.models import Person
from marketplace.identity.rules import PersonState
from marketplace.ids import JobId, PersonId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobFields
from marketplace.quality.models import Skill
from marketplace.quality.service import EvidenceSource, learn
from marketplace.routing import queries, service
from marketplace.routing.queries.eligibility import allowed_statement
from marketplace.routing.queries.feed import with_seats
from marketplace.routing.service.exposure import count_exposure
from marketplace.specialists import service as profiles
from marketplace.work.models import WorkProgress
from tests.make import identity, specialists
from tests.make import work as make


def codes(session: Session, person: Actor, job: Job) -> list[str]:
    """The codes of the reasons, after checking that a claim hears the same but for the caps."""
    told = queries.eligibility(session, person, JobId(job.id))
    claim = queries.allowed(session, PersonId(person.person()), job)
    caps = {"claims_live", "tasks_a_person", "job_not_open"}
    assert [each for each in told.details if each.code not in caps] == list(claim.details)
    assert claim.eligible == (not claim.details)
    return [each.code for each in told.details]


def taught(session: Session, person: Actor, job: Job, agreement: float) -> None:
    """Let a verdict say that much of one more piece of somebody's work."""
    learn(
        session,
        PersonId(person.person()),
        job,
        agreement,
        source=EvidenceSource.REVIEW,
        source_id=new_id(),
    )


def test_who_fits_is_allowed_with_the_level_of_the_credential_that_fits(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session, level=3)

    assert [] == codes(session, doctor, job)
    assert 3 == queries.allowed(session, PersonId(doctor.person()), job).level


def test_every_reason_is_told_at_once_with_where_to_mend_it(session: Session) -> None:
    _, job = make.published(session, languages=["de"], skill_min=0.8, profession="law")

    told = queries.eligibility(session, identity.specialist(session), JobId(job.id))

    assert ["profession", "languages", "skill"] == [each.code for each in told.details]
    assert all(each.action_url for each in told.details)
    assert [each.message for each in told.details] == list(told.reasons)


def test_skill_counts_by_its_lower_bound_in_the_jobs_own_field(session: Session) -> None:
    _, job = make.published(session, skill_min=0.7, domain="Cardiology")
    _, other = make.published(session, skill_min=0.7, domain="oncology")
    doctor = specialists.doctor(session)
    for _ in range(6):
        taught(session, doctor, job, 1.0)
    session.flush()
    assert ["skill"] == codes(session, doctor, other)
    assert 0.7 < session.get_one(Skill, (doctor.person(), "cardiology", "pairwise")).lower
    assert [] == codes(session, doctor, job)

    for _ in range(3):
        taught(session, doctor, job, 0.0)
    session.flush()
    assert ["skill"] == codes(session, doctor, job)


@pytest.mark.parametrize("employer", ["ACME Health", "acme health, Inc.", "Acme-Health LLC"])
def test_a_declared_employer_is_a_conflict_however_it_is_written(
    session: Session, employer: str
) -> None:
    lab = identity.lab_owner(session, name="Acme Health, Inc.")
    _, job = make.published(session, lab)
    doctor = specialists.doctor(session)
    profiles.save_profile(session, doctor, employers=["Other Clinic", employer])

    assert ["employer"] == codes(session, doctor, job)
    assert [] == queries.feed(session, doctor)


def test_the_suspended_may_not_work(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    session.execute(
        update(Person).where(Person.id == doctor.person()).values(state=PersonState.SUSPENDED)
    )

    assert ["account"] == codes(session, doctor, job)


def test_a_full_day_keeps_claims_back_until_midnight_of_the_persons_zone(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    profiles.save_profile(session, doctor, daily_minutes_max=10, time_zone="Pacific/Auckland")
    submission = make.submitted(session, doctor, job)
    submission.active_seconds = 599
    session.flush()
    assert [] == codes(session, doctor, job)

    submission.active_seconds = 600
    session.flush()
    assert ["daily_minutes"] == codes(session, doctor, job)
    with clock.shifted(timedelta(hours=25)):
        assert [] == codes(session, doctor, job)


def test_caps_are_reasons(session: Session) -> None:
    _, job = make.published(session, claims_live_max=1, tasks_a_person_max=1)
    doctor = specialists.doctor(session)
    session.merge(WorkProgress(person_id=doctor.person(), job_id=job.id, live=1, done=0, front=0))
    session.flush()

    assert ["claims_live", "tasks_a_person"] == codes(session, doctor, job)


def test_a_quote_says_what_each_requirement_leaves_out(session: Session) -> None:
    fields: JobFields = {"credential_level_min": 4, "languages": ["de"]}
    lab, job = make.published(session, **fields)
    fits = specialists.doctor(session)
    profiles.save_profile(session, fits, languages=["de", "en"])
    low = specialists.doctor(session, level=2)
    profiles.save_profile(session, low, languages=["de"])
    specialists.doctor(session)
    before = queries.supply_of(session, lab, JobId(job.id))

    specialists.doctor(session)
    after = queries.supply_of(session, lab, JobId(job.id))

    assert (1, True) == (before.eligible, before.is_coarse)
    assert {"level": 1, "languages": 1} == before.removed
    assert {"level": 1, "languages": 2} == after.removed


def explained(session: Session, statement: Select[Any], **given: object) -> str:
    """The plan of a statement as it runs, with sequential scans as dear as they can be made."""

    def explain(*call: Any) -> tuple[str, Any]:
        return f"EXPLAIN {call[2]}", call[3]

    connection = session.connection()
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    event.listen(connection, "before_cursor_execute", explain, retval=True)
    try:
        rows = connection.execute(statement, given).cursor.fetchall()
    finally:
        event.remove(connection, "before_cursor_execute", explain)
    return "\n".join(str(row[0]) for row in rows)


@pytest.mark.parametrize("table", ["claim", "seat", "submission", "work_progress", "skill"])
def test_no_table_of_work_is_read_whole(session: Session, table: str) -> None:
    person, job = identity.specialist(session), JobId(identity.person(session).id)
    me = PersonId(person.person())
    plans = [
        explained(session, allowed_statement(), person_id=me, job_id=job),
        explained(session, with_seats(me, frozenset({"cardiology"}))),
    ]

    assert [] == [plan for plan in plans if f"Seq Scan on {table} " in plan]
    assert f" on {table} " in "\n".join(plans)


def test_the_feed_shows_what_waits_and_leaves_out_what_is_taken(session: Session) -> None:
    _, full = make.published(session, items=1)
    _, behind = make.published(session, items=3)
    make.submitted(session, specialists.doctor(session), full)
    doctor = specialists.doctor(session)
    count_exposure(session)

    assert [behind.id] == [entry.job.id for entry in queries.feed(session, doctor)]
    claim = service.claim_next(session, doctor)
    assert claim is not None
    assert behind.id == claim.job_id
