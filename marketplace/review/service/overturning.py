"""Overturning: another verdict takes the place of one that stands, with all that hangs on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict
from marketplace.ids import DecisionId, PersonId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.quality.rules.posterior import worth_of_verdict
from marketplace.quality.service import EvidenceSource, learn, rescore_task, unlearn
from marketplace.review import rules
from marketplace.review.models import Decision
from marketplace.review.queries import sealing, standing_decisions
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.review.service.appeal_evidence import end_overtaken
from marketplace.review.service.appeal_letters import tell_overturned
from marketplace.review.service.repaying import earn_after_all, take_back
from marketplace.work import service as work
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState


def overturn(
    session: Session,
    actor: Actor,
    submission_id: SubmissionId,
    *,
    verdict: Verdict,
    cause: OverturnCause,
    note: str,
    clearance_days: int,
    defects: Sequence[Mapping[str, Any]] = (),
) -> Decision:
    """Put another verdict, ACCEPT or REJECT, in the place of the one that stands.

    The caller has asked whether the actor may. Accepted after all, an answer takes its seat again
    where that is free, else it is kept beside; either way it earns its full pay. Rejected after
    all, its pay goes back to whoever paid it and its seat opens. Its author's skill and the task's
    posterior are told. Raises OwnWork, SameOrganisation, SameReviewer, StandsAlready, Conflict for
    a qualification, AnsweredAgain where a later round is in, Faulty without reasons.
    """
    submission = work.locked_submission(session, submission_id)
    job = session.get_one(Job, submission.job_id)
    was = submission.state
    former = standing_decisions(session, [submission_id]).get(submission_id)
    former = _checked(actor, submission, job, former, verdict)
    check_apart(session, actor, PersonId(submission.specialist_id))
    rules.check_reasons(verdict, note, defects)
    decision = _decision(
        actor, submission, former, verdict=verdict, cause=cause, note=note, defects=defects
    )
    if verdict is Verdict.ACCEPT:
        lapsed = cause is OverturnCause.APPEAL_LAPSED
        counts = work.accept_after_all(session, submission, beside=lapsed)
        _tell_skill(session, submission, job, verdict, cause)
        session.add(decision)
        session.flush()  # Its pay names it.
        earn_after_all(
            session, decision, submission, job, counts=counts, clearance_days=clearance_days
        )
    else:
        work.reject_after_all(session, submission)
        _tell_skill(session, submission, job, verdict, cause)
        session.add(decision)
        ended = work.held_state(session, submission.job_id) is JobState.CLOSED
        take_back(session, submission, job, job_ended=ended)
    end_overtaken(session, former.id)
    tell_overturned(session, decision, job)
    _announce(session, actor, submission, job, decision, was=was)
    return decision


def _checked(
    actor: Actor, submission: Submission, job: Job, former: Decision | None, verdict: Verdict
) -> Decision:
    """The verdict that stands, which this actor may put another in the place of."""
    if job.purpose is Purpose.QUALIFICATION:
        raise Conflict("Answers in a qualification are paid for the effort; gold judges them.")
    if verdict is Verdict.REWORK:
        raise Conflict("What was decided cannot be sent back; accept it or reject it.")
    if former is None or former.verdict is verdict:
        raise rules.StandsAlready(
            "No other verdict stands on this answer that could be overturned."
        )
    if former.verdict is Verdict.REWORK and verdict is Verdict.REJECT:
        raise rules.StandsAlready("This went back to its author, who may still mend it.")
    if actor.person_id == submission.specialist_id:
        raise rules.OwnWork("Nobody reviews their own work; ask a colleague.")
    if actor.person_id is not None and actor.person_id == former.reviewer_id:
        raise rules.SameReviewer("You said the verdict yourself; somebody else looks at it again.")
    return former


def check_apart(session: Session, actor: Actor, author_id: PersonId) -> None:
    """SameOrganisation where the actor shares an organisation with an author; the database asks
    the same of every row that says who reviewed."""
    if actor.person_id is None:
        return
    if session.scalar(select(func.shares_organisation(actor.person_id, author_id))):
        raise rules.SameOrganisation(
            "You and the author of this answer belong to the same organisation, or one of you "
            "named it as an employer. Ask a colleague who does not."
        )


def _decision(
    actor: Actor,
    submission: Submission,
    former: Decision,
    *,
    verdict: Verdict,
    cause: OverturnCause,
    note: str,
    defects: Sequence[Mapping[str, Any]],
) -> Decision:
    return Decision(
        id=DecisionId(new_id()),
        submission_id=submission.id,
        job_id=submission.job_id,
        author_id=submission.specialist_id,
        reviewer_id=actor.person_id,
        verdict=verdict,
        defects=[dict(defect) for defect in defects],
        note=note.strip(),
        decided_at=clock.now(),
        overturns_id=former.id,
        cause=cause,
    )


def _tell_skill(
    session: Session, submission: Submission, job: Job, verdict: Verdict, cause: OverturnCause
) -> None:
    """Say the new verdict of the author's skill in the place of the former, and what it makes of
    the task; where an appeal was only not decided in time, nothing is known of the work."""
    if cause is OverturnCause.APPEAL_LAPSED:
        unlearn(session, EvidenceSource.REVIEW, submission.id)
    else:
        accepted = verdict is Verdict.ACCEPT
        learn(
            session,
            PersonId(submission.specialist_id),
            job,
            worth_of_verdict(accepted=accepted, round_number=submission.round),
            source=EvidenceSource.REVIEW,
            source_id=submission.id,
        )
    session.flush()  # The task is scored from what its submissions are now.
    rescore_task(session, submission.task_id)


def _announce(
    session: Session,
    actor: Actor,
    submission: Submission,
    job: Job,
    decision: Decision,
    *,
    was: SubmissionState,
) -> None:
    cause = decision.cause.value if decision.cause is not None else ""
    audit.record(
        session,
        actor,
        f"overturned to {decision.verdict.value}",
        submission.id,
        decision_id=decision.id,
        overturns_id=decision.overturns_id,
        cause=cause,
    )
    outbox.announce(
        session,
        f"task.{submission.state.value}",
        submission.id,
        {
            "task_id": submission.task_id,
            "round": submission.round,
            "overturned": cause,
            "was": was.value,
            **sealing.bound(submission, decision, job),
        },
        organisation_id=job.organisation_id,
        job_id=job.id,
        person_id=submission.specialist_id,
    )
