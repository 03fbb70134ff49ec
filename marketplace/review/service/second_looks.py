"""Second looks: some rejections are looked at by somebody else, who does not know of the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import SYSTEM, Actor
from marketplace.ids import SubmissionId, new_id
from marketplace.review import rules
from marketplace.review.models import Decision, SecondLook
from marketplace.review.queries.decisions import standing_decisions
from marketplace.review.rules import (
    NEXT_SECOND_LOOK,
    OverturnCause,
    Policy,
    SecondLookState,
    Verdict,
)
from marketplace.review.service.overturning import overturn
from marketplace.work.models import Submission
from marketplace.work.rules import step


def open_second_look(session: Session, decision: Decision, policy: Policy) -> SecondLook | None:
    """Have a rejection looked at again: the first of its job, and by lot the job's share of all.

    None where it is not drawn, or the job wants none.
    """
    if decision.reviewer_id is None or not policy.second_look_ratio:
        return None
    drawn = rules.is_looked_at_again(decision.submission_id, policy.second_look_ratio)
    if not drawn and _has_one(session, decision):
        return None
    session.flush()  # The look names its decision.
    look = SecondLook(
        id=new_id(),
        decision_id=decision.id,
        submission_id=decision.submission_id,
        job_id=decision.job_id,
        author_id=decision.author_id,
        first_reviewer_id=decision.reviewer_id,
        state=SecondLookState.OPEN,
        opened_at=clock.now(),
        due_at=clock.now() + timedelta(days=policy.days_max),
    )
    session.add(look)
    return look


def _has_one(session: Session, decision: Decision) -> bool:
    of_job = select(SecondLook.id).where(SecondLook.job_id == decision.job_id)
    return bool(session.scalar(select(of_job.exists())))


def second_look_for(
    session: Session, actor: Actor, submission_id: SubmissionId
) -> SecondLook | None:
    """The open second look at a submission that this actor may take, locked; None without one."""
    look = session.scalar(
        select(SecondLook)
        .where(SecondLook.submission_id == submission_id, SecondLook.state == SecondLookState.OPEN)
        .with_for_update(key_share=True)
    )
    if look is None or look.first_reviewer_id == actor.person():
        return None
    return look


def look_again(
    session: Session,
    actor: Actor,
    look: SecondLook,
    submission: Submission,
    *,
    verdict: Verdict,
    note: str,
    defects: Sequence[Mapping[str, Any]],
    clearance_days: int,
) -> SecondLook:
    """Say a second verdict on a rejection, in the place of a first one as far as its reviewer
    knows. Whoever does not reject as well overturns it: its author is paid.

    The caller has asked who may, and for reasons. Where the rejection does not stand any more,
    since an appeal was quicker, the second verdict is only kept.
    """
    look.state = step(NEXT_SECOND_LOOK, look.state, rules.state_after(verdict))
    look.reviewer_id, look.verdict = actor.person(), verdict
    look.note, look.defects = note, [dict(defect) for defect in defects]
    look.ended_at = clock.now()
    session.flush()  # The row's own guards speak before anything is paid.
    standing = standing_decisions(session, [submission.id])[submission.id]
    if look.state is SecondLookState.DISAGREED and standing.id == look.decision_id:
        overturn(
            session,
            actor,
            SubmissionId(submission.id),
            verdict=Verdict.ACCEPT,
            cause=OverturnCause.SECOND_LOOK,
            note=note,
            defects=defects,
            clearance_days=clearance_days,
        )
    audit.record(session, actor, "looked at a rejection again", submission.id, state=look.state)
    return look


def lapse_next_look(session: Session) -> bool:
    """End the second look whose time is over and that nobody took; False when there is none."""
    look = session.scalar(
        select(SecondLook)
        .where(SecondLook.state == SecondLookState.OPEN, SecondLook.due_at <= clock.now())
        .order_by(SecondLook.due_at)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if look is None:
        return False
    look.state = step(NEXT_SECOND_LOOK, look.state, SecondLookState.LAPSED)
    look.ended_at = clock.now()
    audit.record(session, SYSTEM, "ended a second look that nobody took", look.submission_id)
    return True
