"""Details of people that the scan finds in a job that is open already: paused, told, resumed."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict
from marketplace.ids import JobId
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, PauseReason
from marketplace.jobs.rules.scan import Declaration
from marketplace.mail import Message
from marketplace.outbox.facts import Event
from marketplace.routing import service as routing
from tests.make import background, identity, jobs


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab."""
    return identity.lab_owner(session)


def letters(session: Session) -> list[Message]:
    rows = select(Message).where(Message.template == "personal_details").order_by(Message.id)
    return list(session.scalars(rows))


def named(number: int, words: str) -> bytes:
    return jobs.line(f"late-{number}", jobs.pair(number, a=words))


def looked(session: Session, job: Job) -> None:
    """Let the scan look at what is new, with the letters that it writes still in their rows."""
    session.flush()
    background.run("jobs.scan_items", job_id=job.id)
    session.expire_all()


def test_a_late_find_pauses_the_job_until_the_lab_says_what_it_is(
    session: Session, lab: Actor
) -> None:
    job: Job = jobs.opened(session, lab)
    looked(session, job)
    assert (JobState.OPEN, []) == (job.state, letters(session))

    service.add_items(session, lab, job.id, [named(1, "His SSN is 123-45-6789.")])
    looked(session, job)

    assert (JobState.PAUSED, PauseReason.PERSONAL) == (job.state, job.pause_reason)
    told = session.scalars(select(Event).where(Event.kind == "job.changed")).all()
    assert {"fields": ["state"], "state": "paused", "reason": "personal"} in [e.facts for e in told]
    (letter,) = letters(session)
    assert f"/lab/jobs/{job.id}/scan" in str(letter.body)
    assert "social security number" in str(letter.body)
    with pytest.raises(Conflict, match="say why"):
        routing.resume_job(session, lab, JobId(job.id))

    service.declare(session, lab, job.id, Declaration.DEIDENTIFIED)
    assert (JobState.OPEN, None) == (job.state, job.pause_reason)
    looked(session, job)
    assert [letter.id] == [each.id for each in letters(session)]

    service.add_items(session, lab, job.id, [named(2, "And hers 124-45-6789.")])
    looked(session, job)
    assert (PauseReason.PERSONAL, 2) == (job.pause_reason, len(letters(session)))


def test_likely_names_pause_nothing_and_a_pause_of_the_labs_own_stays(
    session: Session, lab: Actor
) -> None:
    job: Job = jobs.opened(session, lab)
    service.add_items(session, lab, job.id, [named(1, "Seen by Mr John Smith.")])
    looked(session, job)
    assert JobState.OPEN is job.state

    service.pause_job(session, lab, job.id)
    service.add_items(session, lab, job.id, [named(2, "SSN 123-45-6789")])
    looked(session, job)
    assert PauseReason.LAB is job.pause_reason
    with pytest.raises(Conflict, match="say why"):
        service.resume_job(session, lab, job.id)
    service.declare(session, lab, job.id, Declaration.NONE)
    assert PauseReason.LAB is job.pause_reason
    assert JobState.OPEN is service.resume_job(session, lab, job.id).state
    assert not service.pause_over_finds(session, job.id)
    assert [] == queries.scan_faults(session, service.resume_job(session, SYSTEM, job.id))
