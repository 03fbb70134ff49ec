"""Submissions: taking them in, counting them, and what a verdict does to them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing
from marketplace.ids import ClaimId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.tasktypes import task_type
from marketplace.work import queries, rules
from marketplace.work.models import Claim, Seat, Submission, Task, TimeInterval
from marketplace.work.rules import (
    ClaimState,
    Envelope,
    SeatState,
    SubmissionState,
    TaskState,
    step,
)
from marketplace.work.service import tally
from marketplace.work.service.claims import book_time, own_claim
from marketplace.work.service.seats import held_state, reopen_seat


def submit(
    session: Session, actor: Actor, claim_id: ClaimId, *, fence: int, envelope: Envelope
) -> Submission:
    """Turn a claim into a submission; the same content again gives the same submission.

    After the lease it counts while the seat is free, else it is kept as surplus, for review and
    pay by the job's rule for late work. Raises Faulty with pointers into the judgement.
    """
    claim = own_claim(session, actor, claim_id, fence)
    rules.refuse_unstorable(envelope.content())
    repeated = _already(session, claim, envelope)
    if repeated is not None:
        return repeated
    # A key-share lock: settling a closed job waits for what is being handed in.
    job = session.get_one(Job, claim.job_id, with_for_update={"read": True, "key_share": True})
    _check(session, claim, job, envelope)
    seat = session.get_one(Seat, claim.seat_id, with_for_update={"key_share": True})
    counts = _seat_is_theirs(claim, seat, job)
    book_time(session, claim, envelope.intervals)
    tally.count(session, claim, live=-1 if claim.state is ClaimState.LIVE else 0, done=1)
    claim.state = step(rules.NEXT_CLAIM, claim.state, ClaimState.SUBMITTED)
    claim.ended_at = clock.now()
    submission = _submission(session, claim, job, envelope, counts=counts)
    session.add(submission)
    session.flush()  # The facts below name the submission.
    if counts:
        seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.SUBMITTED)
        _count(session, claim)
    outbox.announce(
        session,
        "task.submitted",
        submission.id,
        {"task_id": claim.task_id, "counted": counts},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return submission


def _already(session: Session, claim: Claim, envelope: Envelope) -> Submission | None:
    if claim.state is ClaimState.RELEASED:
        raise rules.GivenBack("You gave this task back, so it can no longer be submitted.")
    if claim.state in {ClaimState.LIVE, ClaimState.EXPIRED}:
        return None
    former = session.scalars(select(Submission).where(Submission.claim_id == claim.id)).one()
    if former.content_sha256 != envelope.sha256():
        raise rules.AlreadySubmitted("Another answer was submitted for this task already.")
    return former


def _check(session: Session, claim: Claim, job: Job, envelope: Envelope) -> None:
    payload, template = queries.material(session, claim.task_id, claim.template_version_id)
    kind = task_type(job.task_type)
    faults = [
        Fault(f"/judgement{fault.pointer}", fault.message)
        for fault in kind.check_judgement(template, payload, envelope.judgement)
    ]
    faults += [
        Fault(f"/rationale{fault.pointer}", fault.message)
        for fault in kind.check_rationale(template, envelope.rationale)
    ]
    if job.ai_policy == "forbidden" and (envelope.ai_use or {}).get("used"):
        faults.append(
            Fault("/ai_use", "This job wants answers made without AI. Give the task back instead.")
        )
    if faults:
        raise Faulty("The answer is not complete yet.", faults)


def _seat_is_theirs(claim: Claim, seat: Seat, job: Job) -> bool:
    if claim.state is ClaimState.LIVE:
        return True
    return seat.state is SeatState.OPEN and job.state is not JobState.CLOSED


def _active_seconds(session: Session, claim: Claim, job: Job) -> int:
    """The time on a claim; where its page reported none, up to the expected time of the task."""
    booked = session.scalars(select(TimeInterval).where(TimeInterval.claim_id == claim.id)).all()
    spent = [rules.Interval(each.kind, each.started_at, each.ended_at) for each in booked]
    if not spent:
        read = rules.unreported(claim.claimed_at, clock.now(), job.expected_seconds)
        spent = [read] if read is not None else []
        book_time(session, claim, spent)
    return rules.working_seconds(spent)


def _submission(
    session: Session, claim: Claim, job: Job, envelope: Envelope, *, counts: bool
) -> Submission:
    price = claim.pay if counts else rules.late_price(claim.pay, job.late_pay)
    former = (
        session.get(Submission, claim.reworks_submission_id)
        if claim.reworks_submission_id
        else None
    )
    return Submission(
        id=SubmissionId(new_id()),
        claim_id=claim.id,
        seat_id=claim.seat_id,
        task_id=claim.task_id,
        job_id=claim.job_id,
        specialist_id=claim.specialist_id,
        template_version_id=claim.template_version_id,
        judgement=envelope.judgement,
        rationale=envelope.rationale,
        confidence=envelope.confidence,
        references=list(envelope.references),
        ai_use=dict(envelope.ai_use) if envelope.ai_use is not None else None,
        content_sha256=envelope.sha256(),
        state=SubmissionState.SUBMITTED if counts else SubmissionState.SURPLUS,
        presented_order=claim.presented_order,
        credential_level=claim.credential_level,
        # An hourly seat pays for the time of all its rounds.
        active_seconds=_active_seconds(session, claim, job)
        + (former.active_seconds if former else 0),
        price_minor=price.minor,
        currency=claim.currency,
        paid_seconds_max=claim.paid_seconds_max,
        round=former.round + 1 if former else 1,
        claimed_at=claim.claimed_at,
        submitted_at=clock.now(),
    )


def _count(session: Session, claim: Claim) -> None:
    task = session.get_one(Task, claim.task_id, with_for_update={"key_share": True})
    task.counted += 1
    if task.counted == task.wanted:
        task.state = step(rules.NEXT_TASK, task.state, TaskState.FILLED)
        task.filled_at = clock.now()


def locked_submission(session: Session, submission_id: SubmissionId) -> Submission:
    """A submission, locked against another verdict at the same moment; Missing without it."""
    submission = session.get(Submission, submission_id, with_for_update={"key_share": True})
    if submission is None:
        raise Missing("This submission is not there.")
    return submission


def settle(session: Session, submission: Submission, verdict: SubmissionState) -> None:
    """Carry a verdict into seats and tasks; for `review`, which decided it.

    accepted counts towards a final task; rejected opens the seat for somebody else; rework gives
    the seat back to its author, with the first refusal, under a longer lease. A surplus answer
    has neither task nor seat to carry it into: NoRework for rework.
    """
    if submission.is_surplus:
        _settle_surplus(submission, verdict)
        return
    submission.state = step(rules.NEXT_SUBMISSION, submission.state, verdict)
    if verdict is SubmissionState.IN_REVIEW:
        return
    submission.decided_at = clock.now()
    if verdict is SubmissionState.ACCEPTED:
        _count_accepted(session, submission)
        return
    held_state(session, submission.job_id)
    session.get_one(Seat, submission.seat_id, with_for_update={"key_share": True})
    task = session.get_one(Task, submission.task_id, with_for_update={"key_share": True})
    task.counted -= 1
    if task.state is TaskState.FILLED:
        task.state, task.filled_at = step(rules.NEXT_TASK, task.state, TaskState.OPEN), None
    if verdict is SubmissionState.REJECTED:
        reopen_seat(session, submission)
    else:
        _return_for_rework(session, submission)


def _settle_surplus(submission: Submission, verdict: SubmissionState) -> None:
    then = rules.SURPLUS_AFTER.get(verdict)
    if then is None:
        raise rules.NoRework("This is an extra answer without a seat. Accept it or reject it.")
    submission.state = step(rules.NEXT_SUBMISSION, submission.state, then)
    if verdict is not SubmissionState.IN_REVIEW:
        submission.decided_at = clock.now()


def _count_accepted(session: Session, submission: Submission) -> None:
    task = session.get_one(Task, submission.task_id, with_for_update={"key_share": True})
    task.decided += 1
    if task.decided == task.wanted and task.state is TaskState.FILLED:
        task.state = step(rules.NEXT_TASK, task.state, TaskState.FINAL)


def _return_for_rework(session: Session, submission: Submission) -> None:
    former = session.get_one(Claim, submission.claim_id, with_for_update={"key_share": True})
    former.state = step(rules.NEXT_CLAIM, former.state, ClaimState.RETURNED)
    session.flush()  # The former claim leaves the unique index before its successor enters it.
    seat = session.get_one(Seat, submission.seat_id, with_for_update={"key_share": True})
    seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.CLAIMED)
    at = clock.now()
    tally.count(session, former, live=1, done=-1)
    session.add(
        Claim(
            id=ClaimId(new_id()),
            seat_id=former.seat_id,
            task_id=former.task_id,
            job_id=former.job_id,
            specialist_id=former.specialist_id,
            template_version_id=former.template_version_id,
            reworks_submission_id=submission.id,
            seat_rank=former.seat_rank,
            state=ClaimState.LIVE,
            claimed_at=at,
            expires_at=at + rules.REWORK_LEASE,
            price_minor=former.price_minor,
            currency=former.currency,
            paid_seconds_max=former.paid_seconds_max,
            credential_level=former.credential_level,
            presented_order=former.presented_order,
        )
    )
