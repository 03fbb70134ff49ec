"""The brake on rejections: beyond what a job's past explains they wait for two confirmations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.review import rules
from marketplace.review.models import Brake, HeldDecision, ReviewDraw
from marketplace.review.queries import brake as queries
from marketplace.review.rules import (
    NEXT_BRAKE,
    NEXT_HELD,
    BrakeState,
    HeldState,
    Pull,
    Tally,
    Verdict,
)
from marketplace.review.rules.brake import (
    AGAIN_DAYS,
    HELD_DAYS,
    REASON_MAX,
    REASON_MIN,
    REJECTIONS_IN_JOB_MIN,
)
from marketplace.review.service.carrying import Spoken, carry_out
from marketplace.work import service as work
from marketplace.work.models import Submission
from marketplace.work.rules import ARRIVED, WAITING, SubmissionState, step

CARRY = "review.carry_held"
TELL = "review.tell_brake"


def hold(
    session: Session,
    actor: Actor,
    submission: Submission,
    job: Job,
    *,
    note: str,
    defects: Sequence[Mapping[str, Any]],
) -> HeldDecision | None:
    """Hold a rejection where a brake holds already, or falls with this one; None where it may be
    carried out. Nothing is posted or told to its author meanwhile."""
    brake_id = _holding(session, JobId(job.id), actor)
    if brake_id is None and not queries.confirmed_lately(session, JobId(job.id), actor.person()):
        brake_id = _pull(session, actor, job)
    if brake_id is None:
        return None
    if submission.state in ARRIVED:
        work.settle(session, submission, SubmissionState.IN_REVIEW)
    held = HeldDecision(
        id=new_id(),
        brake_id=brake_id,
        submission_id=submission.id,
        job_id=job.id,
        author_id=submission.specialist_id,
        reviewer_id=actor.person(),
        state=HeldState.HELD,
        verdict=Verdict.REJECT,
        defects=[dict(defect) for defect in defects],
        note=note,
        decided_at=clock.now(),
    )
    session.add(held)
    audit.record(session, actor, "rejected, held by the brake", submission.id)
    return held


def refuse_if_held(session: Session, submission: Submission) -> None:
    """Conflict where a held rejection is about this submission already."""
    if queries.held_submissions(session, [submission.id]):
        raise Conflict(
            "A rejection of this answer is held until an owner and our operations have looked at "
            "it. It is not lost."
        )


def _holding(session: Session, job_id: JobId, actor: Actor) -> UUID | None:
    """The brake that holds this actor's rejections, locked against being let go meanwhile."""
    return session.scalar(
        select(Brake.id)
        .where(Brake.job_id == job_id, Brake.state == BrakeState.HOLDING)
        .where(Brake.reviewer_id.is_(None) | (Brake.reviewer_id == actor.person()))
        .order_by(Brake.id)
        .limit(1)
        .with_for_update(read=True)
    )


def _pull(session: Session, actor: Actor, job: Job) -> UUID | None:
    """The brake that falls with one more rejection by this actor; None where none does."""
    now = queries.rejections_of(session, JobId(job.id), actor.person())
    own = rules.pulled(_one_more(now.own), now.others)
    whole = rules.pulled(_one_more(now.lately), now.before, rejections_min=REJECTIONS_IN_JOB_MIN)
    pull = own or whole
    if pull is None:
        return None
    return _fall(session, actor, job, pull, of_reviewer=own is not None)


def _one_more(tally: Tally) -> Tally:
    return Tally(tally.rejected + 1, tally.decided + 1)


def _fall(session: Session, actor: Actor, job: Job, pull: Pull, *, of_reviewer: bool) -> UUID:
    at = clock.now()
    row: dict[str, Any] = {
        "id": new_id(),
        "job_id": job.id,
        "organisation_id": job.organisation_id,
        "reviewer_id": actor.person() if of_reviewer else None,
        "state": BrakeState.HOLDING,
        "rate": pull.rate,
        "lower": pull.lower,
        "bound": pull.bound,
        "opened_at": at,
        "due_at": at + timedelta(days=HELD_DAYS),
    }
    # Two rejections at once make one brake; the second finds the first one's, and holds it, so that
    # it is not let go before what it holds is written. Where it was, a brake of its own falls.
    fell: UUID | None = None
    while fell is None:
        fell = session.scalar(
            insert(Brake).values(**row).on_conflict_do_nothing().returning(Brake.id)
        )
        if fell is None:
            others = _holding(session, JobId(job.id), actor)
            if others is not None:
                return others
    audit.record(session, SYSTEM, "put the brake on rejections", job.id, rate=round(pull.rate, 4))
    outbox.enqueue(session, TELL, brake_id=fell)
    return fell


def confirm_brake(session: Session, actor: Actor, brake_id: UUID, *, reason: str) -> Brake:
    """Say, for the lab as its owner or for operations, why the held rejections are right.

    With both, they are carried out, one a transaction. Denied for other roles, and for operations
    whose own rejections they are.
    """
    brake = _own_brake(session, actor, brake_id)
    said = _reason(reason)
    if actor.may(Permission.APPEALS_DECIDE):
        if actor.person() in (brake.reviewer_id, brake.lab_confirmed_by):
            raise Denied("Somebody else of operations looks at this one.")
        brake.operations_confirmed_by, brake.operations_reason = actor.person(), said
    else:
        if actor.person() == brake.operations_confirmed_by:
            raise Denied("Another owner speaks for the lab.")
        brake.lab_confirmed_by, brake.lab_reason = actor.person(), said
    audit.record(session, actor, "confirmed held rejections", brake.id)
    if brake.lab_confirmed_by and brake.operations_confirmed_by:
        brake.state = step(NEXT_BRAKE, brake.state, BrakeState.CONFIRMED)
        brake.ended_at = clock.now()
        outbox.enqueue(session, CARRY, brake_id=brake.id)
    return brake


def release_brake(session: Session, actor: Actor, brake_id: UUID, *, reason: str) -> Brake:
    """Let held rejections go, as an owner of the lab or as operations: the answers wait for a
    reviewer again, three days at least, and what was said of them is kept."""
    brake = _own_brake(session, actor, brake_id)
    _let_go(session, actor, brake, _reason(reason))
    brake.released_by = actor.person()
    return brake


def _own_brake(session: Session, actor: Actor, brake_id: UUID) -> Brake:
    brake = queries.brake_of(session, actor, brake_id)
    session.refresh(brake, with_for_update=True)
    if not actor.may(Permission.APPEALS_DECIDE):
        actor.require(Permission.MEMBERS_MANAGE)
    if brake.state is not BrakeState.HOLDING:
        raise Conflict(f"These rejections are {brake.state.value} already.")
    return brake


def _reason(reason: str) -> str:
    said = reason.strip()
    if not REASON_MIN <= len(said) <= REASON_MAX:
        raise Faulty("Say why.", [Fault("/reason", "A sentence that others can follow.")])
    return said


def _let_go(session: Session, actor: Actor, brake: Brake, reason: str) -> None:
    at = clock.now()
    brake.state = step(NEXT_BRAKE, brake.state, BrakeState.RELEASED)
    brake.ended_at, brake.release_reason = at, reason
    dropped = (
        update(HeldDecision)
        .where(HeldDecision.brake_id == brake.id, HeldDecision.state == HeldState.HELD)
        .values(state=HeldState.DROPPED, ended_at=at)
        .returning(HeldDecision.submission_id)
    )
    again = session.scalars(dropped).all()
    session.execute(
        update(ReviewDraw)
        .where(ReviewDraw.submission_id.in_(again), ReviewDraw.due_at.is_not(None))
        .values(due_at=func.greatest(ReviewDraw.due_at, at + timedelta(days=AGAIN_DAYS)))
    )
    audit.record(session, actor, "released held rejections", brake.id, count=len(again))


def release_next_overdue(session: Session) -> bool:
    """Let the oldest hold go that was not confirmed in time; False when there is none."""
    brake = session.scalar(
        select(Brake)
        .where(Brake.state == BrakeState.HOLDING, Brake.due_at <= clock.now())
        .order_by(Brake.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if brake is None:
        return False
    _let_go(session, SYSTEM, brake, "Nobody confirmed them in time.")
    return True


def carry_next_held(session: Session, brake_id: UUID, *, clearance_days: int) -> bool:
    """Carry out the oldest rejection of a confirmed brake; False when there is none left."""
    held = session.scalar(
        select(HeldDecision)
        .where(HeldDecision.brake_id == brake_id, HeldDecision.state == HeldState.HELD)
        .order_by(HeldDecision.id)
        .limit(1)
    )
    brake = session.get_one(Brake, brake_id)
    if held is None or brake.state is not BrakeState.CONFIRMED:
        return False
    submission = work.locked_submission(session, SubmissionId(held.submission_id))
    session.refresh(held, with_for_update=True)
    if held.state is not HeldState.HELD:
        return True  # Another worker was quicker; there may be more.
    # Whoever came to share an organisation with the author since rejects nothing of theirs; the
    # answer waits for another reviewer then, and what comes behind it is carried out.
    apart = not session.scalar(select(func.shares_organisation(held.reviewer_id, held.author_id)))
    waits = submission.state in ARRIVED | WAITING and apart
    held.state = step(NEXT_HELD, held.state, HeldState.CARRIED_OUT if waits else HeldState.DROPPED)
    held.ended_at = clock.now()
    if waits:
        job = session.get_one(Job, held.job_id)
        spoken = Spoken(Verdict.REJECT, held.reviewer_id, held.note, held.defects)
        carry_out(session, SYSTEM, submission, job, spoken, clearance_days=clearance_days)
    return True
