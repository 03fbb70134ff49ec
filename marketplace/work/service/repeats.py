"""Asking a person once more what they have answered, to see how steady their judgements are.

A repeat is a claim beside the task's seats: it neither holds nor fills one, so a task never has
two counted judgements of one person. It shows the answers in the opposite order, is paid like any
task from what is set aside beyond the quote, and its author is not told which tasks are repeats.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from marketplace import clock
from marketplace.ids import ClaimId, JobId, PersonId, new_id
from marketplace.jobs.models import Item, Job
from marketplace.jobs.rules import JobState, PayPer, Purpose, seat_price
from marketplace.work import rules
from marketplace.work.models import Claim, Submission, Task, WorkProgress
from marketplace.work.rules import ClaimState, SubmissionState
from marketplace.work.service.seats import held_state

STANDING = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)


def claim_repeat(
    session: Session, *, specialist_id: PersonId, job: Job, credential_level: int
) -> Claim | None:
    """Lease the person's own earliest answer of the job that was not repeated; mostly None.

    It comes at moments that nobody can tell, never to more than the job's share of what the person
    has done, and from ten tasks on. The caller has decided that they may work on the job.
    """
    if not job.repeat_ratio or job.purpose is not Purpose.WORK:
        return None
    if job.task_type not in rules.REPEATED_TYPES:
        return None
    progress = session.get(WorkProgress, (specialist_id, job.id), populate_existing=True)
    if progress is None or not _is_due(job, progress):
        return None
    found = _earliest(session, specialist_id, job)
    if found is None or held_state(session, JobId(job.id)) is not JobState.OPEN:
        return None
    if not _count(session, job, progress):
        return None  # Another window of theirs claimed meanwhile.
    claim = _claim(session, job, found, credential_level)
    session.add(claim)
    session.flush()  # The fence comes from the database.
    return claim


def _is_due(job: Job, progress: WorkProgress) -> bool:
    """Whether the next task is a repeat: by a draw that is the same however often it is asked."""
    ratio = float(job.repeat_ratio)
    if progress.done < rules.REPEATS_AFTER or progress.repeats + 1 > ratio * progress.done:
        return False
    most = job.tasks_a_person_max
    if progress.stopped_at is not None:
        return False
    if most is not None and progress.live + progress.done >= most:
        return False
    drawn = hashlib.sha256(f"{progress.person_id} {job.id} {progress.done}".encode()).digest()
    # Twice the share, so that the cap above, and not chance, says how many come in the end.
    return int.from_bytes(drawn[:8]) < 2 * ratio * 2**64


def _earliest(session: Session, specialist_id: PersonId, job: Job) -> Submission | None:
    once_more = aliased(Claim)
    # What has a known answer is shown to nobody twice.
    known = select(Task.id).join(Item, Item.id == Task.item_id)
    known = known.where(Task.id == Submission.task_id, Item.gold.is_not(None))
    return session.scalar(
        select(Submission)
        .where(Submission.specialist_id == specialist_id, Submission.job_id == job.id)
        .where(Submission.state.in_(STANDING), Submission.repeats_submission_id.is_(None))
        .where(func.cardinality(Submission.presented_order) >= 2, ~known.exists())
        .where(~select(once_more.id)
            .where(once_more.repeats_submission_id == Submission.id,
                   once_more.specialist_id == specialist_id, once_more.job_id == job.id)
            .exists())
        .order_by(Submission.id)
        .limit(1)
    )  # fmt: skip


def _count(session: Session, job: Job, seen: WorkProgress) -> bool:
    """Count the claim, where the person's place is still the one that was seen."""
    counted = session.execute(
        update(WorkProgress)
        .where(WorkProgress.person_id == seen.person_id, WorkProgress.job_id == job.id)
        .where(WorkProgress.repeats == seen.repeats, WorkProgress.done == seen.done)
        .where(WorkProgress.live < func.least(job.claims_live_max, WorkProgress.live_cap))
        .values(live=WorkProgress.live + 1, repeats=WorkProgress.repeats + 1)
        .returning(WorkProgress.live)
        .execution_options(synchronize_session=False)
    ).first()
    session.expire(seen)
    return counted is not None


def _claim(session: Session, job: Job, repeated: Submission, credential_level: int) -> Claim:
    former = session.get_one(Claim, repeated.claim_id)
    price = seat_price(job.terms(0)).pay
    at = clock.now()
    return Claim(
        id=ClaimId(new_id()),
        seat_id=repeated.seat_id,
        task_id=repeated.task_id,
        job_id=job.id,
        specialist_id=repeated.specialist_id,
        template_version_id=repeated.template_version_id,  # The same question, so also its version.
        repeats_submission_id=repeated.id,
        seat_rank=former.seat_rank,
        state=ClaimState.LIVE,
        claimed_at=at,
        expires_at=at + timedelta(seconds=job.lease_seconds),
        price_minor=price.minor,
        currency=price.currency,
        paid_seconds_max=job.time_cap_seconds if job.pay_per is PayPer.HOUR else None,
        credential_level=credential_level,
        presented_order=list(reversed(repeated.presented_order)),
    )
