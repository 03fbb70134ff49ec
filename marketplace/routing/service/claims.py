"""Claim the next task, and hand in an answer together with the next claim."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId, JobId, PersonId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.quality import service as quality
from marketplace.review import service as review
from marketplace.routing import queries
from marketplace.routing.rules import NotEligible, NotOpen
from marketplace.routing.service import qualification
from marketplace.routing.service.apart import claim_apart
from marketplace.routing.service.overlap import open_if_worth
from marketplace.work import service as work
from marketplace.work.models import Claim, Submission
from marketplace.work.rules import EnoughDone, Envelope, TooManyInHand


def claim_next(session: Session, actor: Actor, *, job_id: JobId | None = None) -> Claim | None:
    """Lease the next task that fits: of one job, or of the best job that has one.

    None when there is no seat at present. Raises NotEligible with the reasons, NotOpen, and at the
    limits of the one job asked for TooManyInHand and EnoughDone.
    """
    actor.require(Permission.WORK_DO)
    if job_id is not None:
        return _claim_in(session, actor, queries.visible_job(session, job_id))
    for entry in queries.feed(session, actor):
        try:
            claim = _claim_in(session, actor, entry.job)
        except (TooManyInHand, EnoughDone):
            continue
        if claim is not None:
            return claim
    return None


def _claim_in(session: Session, actor: Actor, job: Job) -> Claim | None:
    if job.state is not JobState.OPEN:
        raise NotOpen(f"The job “{job.title}” is {job.state.value}; it hands out no tasks now.")
    person_id = actor.person()
    if job.repeat_ratio or job.distinct_by:
        return _claim_with_care(session, person_id, job)
    try:
        return work.claim_seat(
            session,
            specialist_id=person_id,
            job=job,
            permit=queries.ALLOWED,
            unless=queries.task_conflict(job, person_id),
        )
    except work.NotPermitted:
        raise NotEligible(" ".join(queries.refusals(session, person_id, job))) from None


def _claim_with_care(session: Session, person_id: PersonId, job: Job) -> Claim | None:
    """The same where a task may be asked once more, or its people must be apart."""
    allowed = queries.allowed(session, person_id, job)
    if not allowed.eligible:
        raise NotEligible(" ".join(allowed.reasons))
    level = allowed.level
    repeat = work.claim_repeat(session, specialist_id=person_id, job=job, credential_level=level)
    if repeat is not None:
        return repeat
    if job.distinct_by:
        return claim_apart(session, specialist_id=person_id, job=job, credential_level=level)
    unless = queries.task_conflict(job, person_id)
    return work.claim_seat(session, specialist_id=person_id, job=job, permit=level, unless=unless)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A submission, and the next claim where one was wanted and found, else the reason."""

    submission: Submission
    claim: Claim | None
    reason: str | None


def submit_and_claim_next(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    envelope: Envelope,
    wants_next: bool,
) -> HandedIn:
    """Hand in an answer and, in the same transaction, lease the next task of the same job."""
    submission = work.submit(
        session, actor, claim_id, fence=fence, envelope=envelope, reviewed=review.is_reviewed
    )
    job = session.get_one(Job, submission.job_id)
    open_if_worth(session, job, submission, quality.update(session, submission, job))
    if job.purpose is Purpose.QUALIFICATION:
        qualification.end_if_answered(session, actor.person(), job)
    if not wants_next:
        return HandedIn(submission, None, None)
    try:
        claim = _claim_in(session, actor, job)
    except (NotEligible, NotOpen, TooManyInHand, EnoughDone) as refused:
        return HandedIn(submission, None, refused.message)
    none = None if claim else "There is no further task for you in this job at present."
    return HandedIn(submission, claim, none)
