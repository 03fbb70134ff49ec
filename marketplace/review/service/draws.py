"""Lots: whether a person looks at an answer, at which chance and why; and whom to watch."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, PersonId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import Purpose
from marketplace.review import rules
from marketplace.review.models import ReviewDraw, ReviewPolicy, ReviewWatch
from marketplace.review.queries import looks
from marketplace.review.rules import EndedBy, Policy
from marketplace.work.models import Submission
from marketplace.work.rules import WAITING


def is_reviewed(submission_id: SubmissionId, round_: int, job: Job) -> bool:
    """Whether a fresh submission goes to a person at once: each that was reworked, and those that
    the job's own share draws already, which no reason can make less.

    It needs nothing but what the caller has in hand. What else is known of the answer, and may
    draw it too, is asked before it is accepted by itself (`draw`). Gold judges qualifications.
    """
    if job.purpose is Purpose.QUALIFICATION:
        return False
    return rules.is_sampled(submission_id, 1.0 if round_ > 1 else float(job.review_sample_ratio))


def draw(session: Session, submission: Submission, job: Job) -> ReviewDraw | None:
    """An answer's lot, drawn now where it was not; None where nobody ever looks.

    The lot itself follows the submission's id, so it is drawn the same whenever it is asked; the
    chance is what was known of the answer when it was asked first, and is kept with its reasons.
    """
    lot = session.get(ReviewDraw, submission.id)
    if lot is not None or job.purpose is Purpose.QUALIFICATION:
        return lot
    waits = submission.state in WAITING
    if not waits and not job.review_sample_ratio and not _is_watched(session, submission):
        return None  # Nothing that is known of it could draw it.
    facts = looks.facts_of(session, submission, job)
    chance = rules.chance_of(facts)
    if facts.watched:
        _count_watched(session, submission)
    # What waits already was drawn, by a share of the job that was changed since at the latest.
    sampled = waits or rules.is_sampled(submission.id, chance.share)
    days = looks.policy_of(session, JobId(job.id)).days_max
    lot = ReviewDraw(
        submission_id=submission.id,
        job_id=job.id,
        chance=chance.share or 1.0,
        reasons=[reason.value for reason in chance.reasons],
        formula=rules.FORMULA,
        sampled=sampled,
        drawn_at=clock.now(),
        due_at=submission.submitted_at + timedelta(days=days) if sampled else None,
    )
    session.add(lot)
    return lot


def draw_waiting(session: Session, *, limit: int = 200) -> int:
    """Write down the lots of answers that came under review at once; how many."""
    waiting = looks.waiting_without_lot(session, limit=limit)
    for submission in waiting:
        draw(session, submission, session.get_one(Job, submission.job_id))
    return len(waiting)


def end_wait(session: Session, submission_id: SubmissionId, ended_by: EndedBy) -> None:
    """Write on an answer's lot that it was decided, and how."""
    session.execute(
        update(ReviewDraw)
        .where(ReviewDraw.submission_id == submission_id, ReviewDraw.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_by=ended_by)
    )


def watch(session: Session, job_id: JobId, person_id: PersonId, *, answers: int, why: str) -> None:
    """Have all of a person's next answers in a job looked at; `answers` 0 ends it. why: a code."""
    row = {"left": answers, "why": why, "set_at": clock.now()}
    session.execute(
        insert(ReviewWatch)
        .values(job_id=job_id, person_id=person_id, **row)
        .on_conflict_do_update(index_elements=["job_id", "person_id"], set_=row)
    )


def _is_watched(session: Session, submission: Submission) -> bool:
    job_id, author_id = JobId(submission.job_id), PersonId(submission.specialist_id)
    return looks.left_to_watch(session, job_id, author_id) > 0


def _count_watched(session: Session, submission: Submission) -> None:
    session.execute(
        update(ReviewWatch)
        .where(ReviewWatch.job_id == submission.job_id, ReviewWatch.left > 0)
        .where(ReviewWatch.person_id == submission.specialist_id)
        .values(left=ReviewWatch.left - 1)
    )


def set_policy(session: Session, actor: Actor, job_id: JobId, policy: Policy) -> ReviewPolicy:
    """Say how a job is reviewed from now on; what waits keeps its date. Faulty out of bounds."""
    actor.require(Permission.JOBS_EDIT)
    job = jobs.job_of(session, actor, job_id)
    rules.check_policy(policy)
    if job.purpose is Purpose.QUALIFICATION:
        raise Faulty("Gold judges a qualification; nobody reviews it.")
    row = {
        "days_max": policy.days_max,
        "second_look_ratio": policy.second_look_ratio,
        "adjudicates": policy.adjudicates,
        "changed_by": actor.person(),
        "changed_at": clock.now(),
    }
    session.execute(
        insert(ReviewPolicy)
        .values(job_id=job_id, **row)
        .on_conflict_do_update(index_elements=["job_id"], set_=row)
    )
    audit.record(
        session,
        actor,
        "set the rules of review",
        job_id,
        days_max=policy.days_max,
        second_look_ratio=policy.second_look_ratio,
        adjudicates=policy.adjudicates,
    )
    return session.get_one(ReviewPolicy, job_id, populate_existing=True)
