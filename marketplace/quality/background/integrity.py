"""Background functions that look for signs of dishonest work and put evidence packs together."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox
from marketplace.db import transaction
from marketplace.quality.rules.suspicions import suspicions
from marketplace.quality.service import gathering
from marketplace.quality.service.likeness import sign_fresh


@outbox.background("quality.gather_evidence", time_limit_seconds=120, every_seconds=60)
def gather_evidence(work: outbox.Work) -> None:
    """Have jobs with new answers looked at, and packs made for rules that ask for them."""
    more = True
    while more:
        with transaction() as session:
            more, jobs = gathering.jobs_with_news(session)
            for job_id in sorted(jobs):
                gathering.ask_to_look(session, job_id)
    with transaction() as session:
        gathering.keep_firings(session)
        outbox.done(session, work)


@outbox.background("quality.look_for_signs", time_limit_seconds=900)
def look_for_signs(work: outbox.Work, job_id: str) -> None:
    """Look at a job's answers: read, worked out without a connection, and kept."""
    job = UUID(job_id)
    with transaction() as session:
        outbox.release_key(session, work)
    more = True
    while more:
        with transaction() as session:
            more = sign_fresh(session, job)
    with transaction() as session:
        seen = gathering.read_answers(session, job)
    found = suspicions(seen) if seen is not None else []
    with transaction() as session:
        gathering.keep_findings(session, job, found)
        outbox.done(session, work)


@outbox.background("quality.look_at_devices", time_limit_seconds=120, every_seconds=3_600)
def look_at_devices(work: outbox.Work) -> None:
    """Look for browsers with which several people sign in."""
    with transaction() as session:
        gathering.find_shared_devices(session)
        outbox.done(session, work)
