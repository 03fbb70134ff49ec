"""Asking a third person: where counted judgements of a task disagree, and where a reviewer asks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, TaskId, new_id
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import Purpose
from marketplace.review import rules
from marketplace.review.models import Adjudication
from marketplace.review.queries import looks
from marketplace.review.queries.adjudication import counted_of
from marketplace.review.rules import AdjudicationCause, AdjudicationState
from marketplace.tasktypes import filled, scale_of, task_type
from marketplace.work.models import Submission, Task
from marketplace.work.queries import submission_of

# Where a job names no target: two who disagree are contested, two against one are not.
TARGET = 0.6


def ask_where_contested(session: Session, submission: Submission, job: Job) -> Adjudication | None:
    """Ask a third person once all judgements of a task are accepted and too few of them agree.

    None in jobs that settle nothing, and while judgements are missing.
    """
    if job.purpose is not Purpose.WORK or submission.is_surplus or job.overlap_max < 2:
        return None
    if not looks.policy_of(session, JobId(job.id)).adjudicates:
        return None
    session.flush()  # The task's count has this one in it.
    task = session.get_one(Task, submission.task_id)
    if task.decided < task.wanted:
        return None
    target = float(job.confidence_target or TARGET)
    units = rules.contested(ballots_of(session, job, counted_of(session, task.id)), target)
    if not units:
        return None
    cause = AdjudicationCause.DISAGREEMENT
    return _open(session, SYSTEM, TaskId(task.id), job, cause=cause, units=[*units])


def ask_adjudication(session: Session, actor: Actor, submission_id: SubmissionId) -> Adjudication:
    """Ask, as a reviewer, that a third person settles the task of a submission.

    Conflict where that is asked already, or the task has one judgement only.
    """
    actor.require(Permission.WORK_REVIEW)
    submission = submission_of(session, actor, submission_id).submission
    job = session.get_one(Job, submission.job_id)
    counted = counted_of(session, submission.task_id)
    if len(counted) < 2 or job.purpose is not Purpose.WORK:
        raise Conflict("There is one judgement of this item so far; a third person needs two.")
    units = sorted(rules.contested(ballots_of(session, job, counted), 1.0))
    cause = AdjudicationCause.ASKED
    opened = _open(session, actor, TaskId(submission.task_id), job, cause=cause, units=units)
    if opened is None:
        raise Conflict("A third person is asked about this item already.")
    return opened


def ballots_of(
    session: Session, job: Job, submissions: Sequence[Submission]
) -> list[Mapping[str, Hashable]]:
    """The units of judgements of one task that can be voted on as they stand, silence with them."""
    if not submissions:
        return []
    kind = task_type(job.task_type)
    version = session.get_one(TemplateVersion, submissions[-1].template_version_id)
    template = version.template
    ballots = filled(kind, template, [kind.units(each.judgement) for each in submissions])
    return [
        {unit: label for unit, label in each.items() if scale_of(kind, template, unit).voted}
        for each in ballots
    ]


def _open(
    session: Session,
    actor: Actor,
    task_id: TaskId,
    job: Job,
    *,
    cause: AdjudicationCause,
    units: Sequence[str],
) -> Adjudication | None:
    at = clock.now()
    days = looks.policy_of(session, JobId(job.id)).days_max
    opened = session.scalar(
        insert(Adjudication)
        .values(
            id=new_id(),
            task_id=task_id,
            job_id=job.id,
            state=AdjudicationState.OPEN,
            cause=cause,
            units=list(units),
            opened_by=actor.person_id,
            opened_at=at,
            due_at=at + timedelta(days=days),
        )
        .on_conflict_do_nothing()
        .returning(Adjudication.id)
    )
    if opened is None:
        return None
    audit.record(session, actor, "asked a third person", task_id, cause=cause)
    outbox.announce(
        session,
        "task.contested",
        task_id,
        {"units": len(units)},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return session.get_one(Adjudication, opened)
