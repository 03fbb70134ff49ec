"""Runs of a judge over a job's items: started, stopped, let go on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.quality.models import JudgeReport, JudgeRun, JudgeVersion
from marketplace.quality.queries.judges import report_of, run_of
from marketplace.quality.rules.judges import asking
from marketplace.quality.rules.judges.runs import (
    CALLS_A_MINUTE,
    CALLS_A_MINUTE_MAX,
    CALLS_MAX,
    RUN_NEXT,
    RunPurpose,
    RunState,
)
from marketplace.quality.service.judges import live_version

WORK = "quality.ask_judge"


def start_run(
    session: Session,
    actor: Actor,
    *,
    judge_version_id: UUID,
    job_id: UUID,
    calls_max: int,
    calls_a_minute_max: int = CALLS_A_MINUTE,
) -> JudgeRun:
    """Ask a version about all items of a job; its verdicts become pre-labels.

    Raises Faulty where the judge does not fit the job, Conflict where it is asked already.
    """
    actor.require(Permission.JOBS_EDIT)
    job = jobs.job_of(session, actor, job_id)
    try:
        _, version = live_version(session, actor, judge_version_id)
    except Missing as missing:
        raise Faulty(missing.message, [Fault("/judge", missing.message)]) from None
    template = session.get_one(TemplateVersion, job.template_version_id).template
    wrong = asking.fits(job.task_type, template, version.aspects)
    if wrong:
        raise Faulty("This judge does not fit the job.", [Fault("/judge", each) for each in wrong])
    if not job.item_count:
        raise Faulty("The job has no items yet.", [Fault("/judge", "Add the job's items first.")])
    return _started(
        session,
        actor,
        version=version,
        job=job,
        purpose=RunPurpose.VERDICTS,
        epoch=0,
        report=None,
        items=job.item_count,
        limits=_limits(calls_max, calls_a_minute_max),
    )


def start_check(
    session: Session,
    actor: Actor,
    report_id: UUID,
    *,
    judge_version_id: UUID | None = None,
    calls_a_minute_max: int = CALLS_A_MINUTE,
) -> JudgeRun:
    """Ask the items of a report anew, past all kept answers, to see whether the judge drifted.

    judge_version_id: another version of the same judge; that of the report where none is given.
    """
    actor.require(Permission.JOBS_EDIT)
    report = report_of(session, actor, report_id)
    wanted = judge_version_id or report.judge_version_id
    if wanted is None:
        raise Conflict("These verdicts were recorded elsewhere, so there is no judge to ask anew.")
    judge, version = live_version(session, actor, wanted)
    made = session.get(JudgeVersion, report.judge_version_id) if report.judge_version_id else None
    if made is None or made.judge_id != judge.id:
        raise Conflict("The report is about another judge.")
    job = jobs.job_of(session, actor, report.job_id)
    template = session.get_one(TemplateVersion, job.template_version_id).template
    wrong = asking.fits(job.task_type, template, version.aspects)
    if wrong:
        raise Faulty("This version does not fit the report's job.", [Fault("/judge", wrong[0])])
    asked = len(report.anchors["items"])
    last = select(func.max(JudgeRun.epoch)).where(JudgeRun.judge_version_id == version.id)
    return _started(
        session,
        actor,
        version=version,
        job=job,
        purpose=RunPurpose.CHECK,
        epoch=(session.scalar(last) or 0) + 1,
        report=report,
        items=asked,
        # Both orders; each may be tried again.
        limits=_limits(max(asked, 1) * 2 * 4, calls_a_minute_max),
    )


def _limits(calls_max: int, calls_a_minute_max: int) -> tuple[int, int]:
    faults = []
    if not 1 <= calls_max <= CALLS_MAX:
        faults.append(Fault("/calls_max", f"Give a whole number from 1 to {CALLS_MAX:,}."))
    if not 1 <= calls_a_minute_max <= CALLS_A_MINUTE_MAX:
        advice = f"Give a whole number from 1 to {CALLS_A_MINUTE_MAX:,}."
        faults.append(Fault("/calls_a_minute_max", advice))
    if faults:
        raise Faulty("The limits need mending.", faults)
    return calls_max, calls_a_minute_max


def _started(
    session: Session,
    actor: Actor,
    *,
    version: JudgeVersion,
    job: Job,
    purpose: RunPurpose,
    epoch: int,
    report: JudgeReport | None,
    items: int,
    limits: tuple[int, int],
) -> JudgeRun:
    live = select(JudgeRun.id).where(
        JudgeRun.judge_version_id == version.id,
        JudgeRun.job_id == job.id,
        JudgeRun.purpose == purpose,
        JudgeRun.state.in_((RunState.WAITING, RunState.RUNNING)),
    )
    if session.scalars(live.limit(1)).first() is not None:
        raise Conflict("This version is being asked about these items already.")
    run = JudgeRun(
        id=new_id(),
        judge_version_id=version.id,
        job_id=job.id,
        organisation_id=job.organisation_id,
        purpose=purpose,
        report_id=report.id if report else None,
        epoch=epoch,
        state=RunState.WAITING,
        calls_max=limits[0],
        calls_a_minute_max=limits[1],
        items=items,
        created_by=actor.person_id,
        created_at=clock.now(),
        **dict.fromkeys(("calls_made", "position"), 0),
        **dict.fromkeys(("answered", "refused", "malformed", "failed", "cached"), 0),
    )
    session.add(run)
    session.flush()  # The work names it.
    outbox.enqueue(session, WORK, run_id=run.id)
    audit.record(session, actor, "asked a judge", run.id, job=str(job.id), purpose=purpose.value)
    return run


def stop_run(session: Session, actor: Actor, run_id: UUID) -> JudgeRun:
    """Ask nothing more for now; what was answered stays."""
    actor.require(Permission.JOBS_EDIT)
    run = locked(session, run_of(session, actor, run_id).id)
    if run.state in {RunState.WAITING, RunState.RUNNING}:
        step(run, RunState.STOPPED, "You stopped it.")
        audit.record(session, actor, "stopped a judge", run.id)
    return run


def resume_run(
    session: Session, actor: Actor, run_id: UUID, *, calls_max: int | None = None
) -> JudgeRun:
    """Go on with a run that stopped or failed, with more calls where that is said."""
    actor.require(Permission.JOBS_EDIT)
    run = locked(session, run_of(session, actor, run_id).id)
    live_version(session, actor, run.judge_version_id)
    if RunState.WAITING not in RUN_NEXT[run.state]:
        raise Conflict("This run goes on, or has come to its end.")
    if calls_max is not None:
        run.calls_max = _limits(max(calls_max, run.calls_made), run.calls_a_minute_max)[0]
    step(run, RunState.WAITING, None)
    outbox.enqueue(session, WORK, run_id=run.id)
    audit.record(session, actor, "let a judge go on", run.id)
    return run


def step(run: JudgeRun, to: RunState, because: str | None) -> None:
    """Move a run along `RUN_NEXT`."""
    if to not in RUN_NEXT[run.state]:
        raise Conflict(f"A run that is {run.state.value} cannot be {to.value}.")
    run.state, run.stopped_because = to, because


def locked(session: Session, run_id: UUID) -> JudgeRun:
    """The run, read anew and locked."""
    session.flush()  # What was changed before is not to be read over.
    return session.get_one(JudgeRun, run_id, with_for_update=True, populate_existing=True)
