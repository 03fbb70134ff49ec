"""Deadlines: what nobody decided in time is accepted by itself; those who could are reminded."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox
from marketplace.actor import SYSTEM
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId
from marketplace.jobs.models import Job
from marketplace.review.models import HeldDecision, ReviewDraw
from marketplace.review.rules import EndedBy, HeldState, Verdict
from marketplace.review.service.carrying import Spoken, carry_out
from marketplace.work.models import Submission
from marketplace.work.rules import WAITING

TELL = "review.tell_due"
# Early enough that there is a working day left.
TOLD_BEFORE = timedelta(days=2)


def accept_next_overdue(
    session: Session, *, clearance_days: int, now: outbox.Round | None = None
) -> bool:
    """Accept the answer whose date passed first, with its pay; False when none is overdue.

    A rejection that a brake holds keeps its answer waiting: the brake has a date of its own.
    now: the round that this belongs to, which passes over what failed.
    """
    now = now or outbox.Round()
    held = select(HeldDecision.id).where(
        HeldDecision.submission_id == ReviewDraw.submission_id,
        HeldDecision.state == HeldState.HELD,
    )
    submission = session.scalar(
        select(Submission)
        .join(ReviewDraw, ReviewDraw.submission_id == Submission.id)
        .where(ReviewDraw.sampled, ReviewDraw.ended_at.is_(None))
        .where(ReviewDraw.due_at <= clock.now(), Submission.state.in_(WAITING), ~held.exists())
        .where(Submission.id.not_in(now.failed))
        .order_by(ReviewDraw.due_at)
        .limit(1)
        .with_for_update(of=Submission, skip_locked=True, key_share=True)
    )
    if submission is None:
        return False
    now.at = submission.id
    job = session.get_one(Job, submission.job_id)
    carry_out(
        session,
        SYSTEM,
        submission,
        job,
        Spoken(Verdict.ACCEPT),
        clearance_days=clearance_days,
        ended_by=EndedBy.DEADLINE,
    )
    return True


def remind_soon_due(session: Session, *, limit: int = 500) -> int:
    """Have the labs told whose answers are accepted by themselves within two days; once a day
    each. How many letters were asked for."""
    at = clock.now()
    soon = (
        select(Job.organisation_id)
        .join(ReviewDraw, ReviewDraw.job_id == Job.id)
        .where(ReviewDraw.sampled, ReviewDraw.ended_at.is_(None))
        .where(ReviewDraw.due_at <= at + TOLD_BEFORE)
        .distinct()
        .limit(limit)
    )
    return sum(
        outbox.enqueue_once(session, f"review-due:{lab}:{at:%Y-%m-%d}", TELL, organisation_id=lab)
        for lab in session.scalars(soon).all()
    )


def tell_due(session: Session, organisation_id: OrganisationId) -> int:
    """Write to those who may review in a lab what is accepted by itself soon; how many letters."""
    at = clock.now()
    count = session.scalar(
        select(func.count())
        .select_from(ReviewDraw)
        .join(Job, Job.id == ReviewDraw.job_id)
        .where(Job.organisation_id == organisation_id, ReviewDraw.sampled)
        .where(ReviewDraw.ended_at.is_(None), ReviewDraw.due_at <= at + TOLD_BEFORE)
    )
    if not count:
        return 0
    told = identity.lab_addressees(session, organisation_id, Permission.WORK_REVIEW)
    for each in told:
        mail.send(session, to=each.email, template="review_due", name=each.name, count=count)
    audit.record(session, SYSTEM, "told of reviews soon due", organisation_id, count=count)
    return len(told)
