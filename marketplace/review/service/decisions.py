"""Verdicts: who may say them, on what; and what is accepted by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, SubmissionId
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import Purpose
from marketplace.review import rules
from marketplace.review.models import Decision, HeldDecision, SecondLook
from marketplace.review.rules import EndedBy, Verdict
from marketplace.review.rules import defects as named
from marketplace.review.service.brake import hold, refuse_if_held
from marketplace.review.service.carrying import Spoken, carry_out
from marketplace.review.service.draws import draw
from marketplace.review.service.overturning import check_apart
from marketplace.review.service.second_looks import look_again, second_look_for
from marketplace.tasktypes import task_type
from marketplace.work import service as work
from marketplace.work.models import Submission
from marketplace.work.rules import ARRIVED, WAITING, IllegalStep, SubmissionState

Said = Decision | HeldDecision | SecondLook
_UNDECIDED = ARRIVED | WAITING


def decide(
    session: Session,
    actor: Actor,
    submission_id: SubmissionId,
    *,
    verdict: Verdict,
    clearance_days: int,
    note: str = "",
    defects: Sequence[Mapping[str, Any]] = (),
    ended_by: EndedBy = EndedBy.VERDICT,
) -> Said:
    """Say accept, rework or reject on a submission of the actor's organisation.

    Acceptance earns the pay frozen at claim, in this transaction; a surplus answer earns by the
    job's rule for late work. A rejection may be held by the brake: the HeldDecision says so. Where
    the answer is up for a second look, this is it, and what is answered looks the same. Raises
    OwnWork, SameOrganisation, Faulty without reasons, NoRework for a surplus answer, IllegalStep
    when it is decided already.
    """
    submission, job = _to_decide(session, actor, submission_id)
    if job.purpose is Purpose.QUALIFICATION and verdict is not Verdict.ACCEPT:
        raise Conflict("Answers in a qualification are paid for the effort; gold judges them.")
    note = note.strip()
    rules.check_reasons(verdict, note, defects)
    defects = _written(session, submission, job, defects)
    if submission.state not in _UNDECIDED:
        look = second_look_for(session, actor, submission_id)
        if look is None:  # Overturning takes such steps, a reviewer does not.
            raise IllegalStep(f"This is {submission.state.value} now; it was decided already.")
        return look_again(
            session,
            actor,
            look,
            submission,
            verdict=verdict,
            note=note,
            defects=defects,
            clearance_days=clearance_days,
        )
    refuse_if_held(session, submission)
    rules.check_round(verdict, submission.round)
    draw(session, submission, job)
    if verdict is Verdict.REJECT:
        held = hold(session, actor, submission, job, note=note, defects=defects)
        if held is not None:
            return held
    return carry_out(
        session,
        actor,
        submission,
        job,
        Spoken(verdict, actor.person(), note, defects),
        clearance_days=clearance_days,
        ended_by=ended_by,
    )


def _to_decide(
    session: Session, actor: Actor, submission_id: SubmissionId
) -> tuple[Submission, Job]:
    """A submission that this actor may decide on, locked, and its job."""
    actor.require(Permission.WORK_REVIEW)
    submission = work.locked_submission(session, submission_id)
    job = session.get_one(Job, submission.job_id)
    if job.organisation_id != actor.organisation():
        raise Missing("This submission is not there, or it belongs to another organisation.")
    if submission.specialist_id == actor.person():
        raise rules.OwnWork("Nobody reviews their own work; ask a colleague.")
    check_apart(session, actor, PersonId(submission.specialist_id))
    return submission, job


def _written(
    session: Session, submission: Submission, job: Job, defects: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    if not defects:
        return []
    kind, version = (
        task_type(job.task_type),
        session.get_one(TemplateVersion, submission.template_version_id),
    )
    faults = list(named.faults_of(defects, kind, version.template, submission.judgement))
    if faults:
        raise Faulty("The defects need mending.", faults)
    return named.written(defects, kind, version.template, version.number)


def accept_next_arrived(
    session: Session, *, clearance_days: int, now: outbox.Round | None = None
) -> bool:
    """Draw the oldest submission that waits for it: to a person, or accepted by itself.

    False when there is none. now: the round that this belongs to, which passes over what failed.
    """
    now = now or outbox.Round()
    submission = session.scalar(
        select(Submission)
        .where(Submission.state.in_(ARRIVED), Submission.id.not_in(now.failed))
        .order_by(Submission.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if submission is None:
        return False
    now.at = submission.id
    job = session.get_one(Job, submission.job_id)
    lot = draw(session, submission, job)
    if lot is not None and lot.sampled:
        work.settle(session, submission, SubmissionState.IN_REVIEW)
        return True
    accepted = Spoken(Verdict.ACCEPT)
    carry_out(session, SYSTEM, submission, job, accepted, clearance_days=clearance_days)
    return True
