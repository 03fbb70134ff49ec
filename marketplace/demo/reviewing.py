"""The labs' reviewers at work, and the exports that the labs take home."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.db import transaction
from marketplace.delivery import queries as exports
from marketplace.delivery import service as delivery
from marketplace.delivery.rules import ExportState
from marketplace.demo import phrases
from marketplace.demo.people import actor_of
from marketplace.demo.plan import JOBS, PlannedJob
from marketplace.demo.quiet import wait_for
from marketplace.demo.work import job_of
from marketplace.ids import JobId, SubmissionId
from marketplace.review import queries, service
from marketplace.review.models import Decision
from marketplace.review.rules import Verdict
from marketplace.work.models import Submission
from marketplace.work.rules import IllegalStep

# Reviewers look at work of the day before; the newest waits in the queue.
AGE = timedelta(hours=20)
REWORK_AFTER, REJECT_AFTER = 2, 4
DEFECT_WHERE = "the reason"


def review_day(planned: PlannedJob) -> None:
    """A reviewer goes through what waits, one decision a transaction."""
    before = clock.now() - AGE
    for submission_id in _waiting(planned, before):
        with transaction() as session:
            _decide(session, planned, submission_id, _verdict(session, submission_id))


def _verdict(session: Session, submission_id: UUID) -> Verdict:
    """Most is accepted; early on, one answer is sent back and one is rejected."""
    if session.get_one(Submission, submission_id).round > 1:
        return Verdict.ACCEPT
    given = select(Decision.verdict, func.count()).where(Decision.reviewer_id.is_not(None))
    counts = dict(session.execute(given.group_by(Decision.verdict)).all())
    for verdict, least in ((Verdict.REWORK, REWORK_AFTER), (Verdict.REJECT, REJECT_AFTER)):
        if verdict not in counts and sum(counts.values()) >= least:
            return verdict
    return Verdict.ACCEPT


def _waiting(planned: PlannedJob, before: datetime) -> list[UUID]:
    with transaction() as session:
        job = job_of(session, planned)
        if job is None:
            return []
        reviewer = actor_of(session, planned.reviewer)
        views = queries.review_queue(session, reviewer, JobId(job.id), limit=200)
        return [one.submission.id for one in views if one.submission.submitted_at < before]


def send_back(planned: PlannedJob, author: str) -> None:
    """The reviewer asks one author for a better reason; the claim is theirs for three days."""
    with transaction() as session:
        person_id = actor_of(session, author).person()
        job = job_of(session, planned)
        if job is None:
            return
        open_one = session.scalar(
            select(Decision.id)
            .where(Decision.job_id == job.id, Decision.author_id == person_id)
            .where(Decision.verdict == Verdict.REWORK)
            .limit(1)
        )
        reviewer = actor_of(session, planned.reviewer)
        views = queries.review_queue(session, reviewer, JobId(job.id), limit=200)
        own = [one.submission for one in views if one.submission.specialist_id == person_id]
        if own and open_one is None:
            _decide(session, planned, own[-1].id, Verdict.REWORK)


def reject_one(planned: PlannedJob, author: str) -> None:
    """The reviewer rejects the newest waiting answer of one author."""
    with transaction() as session:
        job = job_of(session, planned)
        if job is None:
            return
        person_id = actor_of(session, author).person()
        reviewer = actor_of(session, planned.reviewer)
        views = queries.review_queue(session, reviewer, JobId(job.id), limit=200)
        own = [one.submission for one in views if one.submission.specialist_id == person_id]
        if own:
            _decide(session, planned, own[-1].id, Verdict.REJECT)


def _decide(session: Session, planned: PlannedJob, submission_id: UUID, verdict: Verdict) -> None:
    job = job_of(session, planned)
    kind = job.task_type if job else ""
    spoken = {
        Verdict.REWORK: phrases.REWORK_NOTES,
        Verdict.REJECT: phrases.REJECT_NOTES,
    }.get(verdict)
    if spoken is None:
        notes = phrases.ACCEPT_NOTES
        what, note = "", notes[submission_id.int % len(notes)]
        defects = []
    else:
        what, severity, note = spoken[kind]
        defects = [{"what": what, "severity": severity, "where": DEFECT_WHERE}]
    # The live worker accepts what is overdue, and may have come first.
    with suppress(IllegalStep), session.begin_nested():
        service.decide(
            session,
            actor_of(session, planned.reviewer),
            SubmissionId(submission_id),
            verdict=verdict,
            clearance_days=settings.current().clearance_days,
            note=note,
            defects=defects,
        )


def ask_for_exports() -> None:
    """Two labs ask for files of what is accepted so far."""
    for planned in JOBS:
        with transaction() as session:
            job = job_of(session, planned)
            lab = actor_of(session, planned.lab)
            wanted = planned.exports
            if job is None or not wanted or exports.exports_of(session, lab, job_id=JobId(job.id)):
                continue
            for form in wanted:
                delivery.request_export(
                    session, lab, JobId(job.id), form=form, policy=planned.policy
                )


def exports_written() -> bool:
    """Wait for the files; whether all are done."""
    return wait_for(_all_written)


def _all_written() -> bool:
    with transaction() as session:
        for planned in JOBS:
            job = job_of(session, planned)
            if job is not None:
                lab = actor_of(session, planned.lab)
                rows = exports.exports_of(session, lab, job_id=JobId(job.id))
                if any(row.Export.state is not ExportState.DONE for row in rows):
                    return False
    return True
