"""Adjudication: a third person says which judgement of a task holds; all of them stay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId, TaskId, TemplateVersionId
from marketplace.jobs.models import Job
from marketplace.quality.service import rescore_task
from marketplace.review import rules
from marketplace.review.models import Adjudication
from marketplace.review.queries.adjudication import adjudication_of, counted_of
from marketplace.review.rules import NEXT_ADJUDICATION, AdjudicationState
from marketplace.tasktypes import task_type
from marketplace.tasktypes.votes import share_matched
from marketplace.work.models import Submission
from marketplace.work.queries import material
from marketplace.work.rules import refuse_unstorable, step


def settle_adjudication(
    session: Session,
    actor: Actor,
    adjudication_id: UUID,
    *,
    rationale: str,
    chosen_id: SubmissionId | None = None,
    judgement: Any = None,
) -> Adjudication:
    """Say which judgement holds: one of those that count (`chosen_id`), or the actor's own.

    Nothing that was accepted, paid or said changes. Denied for whoever asked, judged the item
    themselves or shares an organisation with one who did; Faulty without a reason or with a
    judgement that does not fit; Conflict once it is settled.
    """
    case = _open_case(session, actor, adjudication_id)
    _check_third(session, actor, case)
    counted = {each.id: each for each in counted_of(session, TaskId(case.task_id))}
    said = _reason(rationale)
    chosen = counted.get(chosen_id) if chosen_id is not None else None
    job = session.get_one(Job, case.job_id)
    if chosen is not None:
        version_id, judgement = chosen.template_version_id, chosen.judgement
    elif chosen_id is not None:
        raise Faulty("Choose again.", [Fault("/chosen_id", "This judgement does not count here.")])
    else:
        version_id = TemplateVersionId(job.template_version_id)
        _check_own(session, case, job, judgement)
    case.state = step(NEXT_ADJUDICATION, case.state, AdjudicationState.SETTLED)
    case.adjudicator_id, case.rationale = actor.person(), said
    case.template_version_id, case.judgement = version_id, judgement
    case.chosen_id = chosen.id if chosen is not None else None
    case.ended_at = clock.now()
    case.agreements = _agreements(job, judgement, list(counted.values()))
    session.flush()  # The database asks once more who settles.
    rescore_task(session, TaskId(case.task_id))
    audit.record(session, actor, "settled a contested task", case.task_id)
    _announce(session, case, job)
    return case


def withdraw_adjudication(session: Session, actor: Actor, adjudication_id: UUID) -> Adjudication:
    """Take the question back, as a reviewer; aggregation speaks alone."""
    case = _open_case(session, actor, adjudication_id)
    case.state = step(NEXT_ADJUDICATION, case.state, AdjudicationState.WITHDRAWN)
    case.ended_at = clock.now()
    audit.record(session, actor, "withdrew a contested task", case.task_id)
    return case


def lapse_next_adjudication(session: Session) -> bool:
    """End the case whose time is over and that nobody settled; False when there is none."""
    case = session.scalar(
        select(Adjudication)
        .where(Adjudication.state == AdjudicationState.OPEN, Adjudication.due_at <= clock.now())
        .order_by(Adjudication.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if case is None:
        return False
    case.state = step(NEXT_ADJUDICATION, case.state, AdjudicationState.LAPSED)
    case.ended_at = clock.now()
    audit.record(session, SYSTEM, "ended a contested task that nobody settled", case.task_id)
    return True


def _open_case(session: Session, actor: Actor, adjudication_id: UUID) -> Adjudication:
    actor.require(Permission.WORK_REVIEW)
    case = adjudication_of(session, actor, adjudication_id)
    session.refresh(case, with_for_update=True)
    if case.state is not AdjudicationState.OPEN:
        raise Conflict(f"This is {case.state.value} already.")
    return case


def _check_third(session: Session, actor: Actor, case: Adjudication) -> None:
    if case.opened_by == actor.person():
        raise Denied("You asked; somebody else settles it.")
    judged = select(Submission.id).where(
        Submission.task_id == case.task_id,
        (Submission.specialist_id == actor.person())
        | func.shares_organisation(Submission.specialist_id, actor.person()),
    )
    if session.scalar(select(judged.exists())):
        raise Denied("You, or somebody of an organisation of yours, judged this item.")


def _reason(rationale: str) -> str:
    refuse_unstorable({"rationale": rationale})
    said = rationale.strip()
    if not rules.RATIONALE_MIN <= len(said) <= rules.RATIONALE_MAX:
        raise Faulty("Say why.", [Fault("/rationale", "Say in a sentence why this holds.")])
    return said


def _check_own(session: Session, case: Adjudication, job: Job, judgement: Any) -> None:
    refuse_unstorable({"judgement": judgement})
    payload, template = material(session, case.task_id, job.template_version_id)
    faults = [
        Fault(f"/judgement{fault.pointer}", fault.message)
        for fault in task_type(job.task_type).check_judgement(template, payload, judgement)
    ]
    if faults:
        raise Faulty("Choose one of the judgements, or write one that fits.", faults)


def _agreements(job: Job, judgement: Any, counted: list[Submission]) -> dict[str, float]:
    """By submission, the share of what holds that it has in common with it."""
    kind = task_type(job.task_type)
    holds = kind.units(judgement)
    shares = {str(each.id): share_matched(kind.units(each.judgement), holds) for each in counted}
    return {name: share for name, share in shares.items() if share is not None}


def _announce(session: Session, case: Adjudication, job: Job) -> None:
    outbox.announce(
        session,
        "task.adjudicated",
        case.task_id,
        {"units": len(case.units)},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
