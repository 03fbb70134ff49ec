"""The states of a job, and the one place that sets them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.jobs import queries
from marketplace.jobs.models import Job
from marketplace.jobs.rules import NEXT, JobState, PauseReason

TOLD = {
    JobState.OPEN: "job.resumed",
    JobState.PAUSED: "job.paused",
    JobState.CLOSED: "job.closed",
}


def open_job(session: Session, actor: Actor, job_id: UUID, *, fee_basis_points: int) -> Job:
    """Open a draft; `routing.publish_job` calls this once the lint is clean and money is reserved.

    fee_basis_points: our fee, frozen from here on.
    """
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    if job.state is not JobState.DRAFT:
        raise Conflict(f"This job is {job.state} already.")
    faults = queries.lint(session, job)
    if faults:
        raise Faulty("This job cannot be published yet.", faults)
    job.fee_basis_points = fee_basis_points
    job.published_at = clock.now()
    _set_state(session, actor, job, JobState.OPEN)
    return job


def pause_job(
    session: Session, actor: Actor, job_id: UUID, *, reason: PauseReason = PauseReason.LAB
) -> Job:
    """Stop handing out seats; live claims go on. A paused job stays as it is."""
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    if job.state is not JobState.PAUSED:
        job.pause_reason = reason
        _set_state(session, actor, job, JobState.PAUSED)
    return job


def resume_job(session: Session, actor: Actor, job_id: UUID) -> Job:
    """Hand out seats again. Conflict for the lab where operations paused the job, and while
    personal details that were found wait for its word."""
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    if job.state is JobState.DRAFT:
        raise Conflict("This job is a draft. Publish it instead.")
    if job.pause_reason is PauseReason.OPERATIONS and not actor.is_system:
        raise Conflict("We paused this job. Write to us; we resume it once it is settled.")
    if job.state is JobState.PAUSED and queries.scan_faults(session, job):
        words = "Its items seem to name people. Look at the report of the scan and say why they "
        raise Conflict(words + "may be judged here; the job can go on then.")
    if job.state is not JobState.OPEN:
        job.pause_reason = None
        _set_state(session, actor, job, JobState.OPEN)
    return job


def close_job(session: Session, actor: Actor, job_id: UUID) -> Job:
    """End a job for good; a closed job stays as it is.

    What is still reserved is released by the slice that reserved it.
    """
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    if job.state is not JobState.CLOSED:
        job.pause_reason = None
        job.closed_at = clock.now()
        _set_state(session, actor, job, JobState.CLOSED)
    return job


def seats_opened(session: Session, job_id: UUID, *, up_to: int) -> None:
    """Remember that items up to this position have their seats; `routing` says so."""
    job = locked(session, SYSTEM, job_id)
    job.items_seated = max(job.items_seated, up_to)


def announce(session: Session, job: Job, kind: str, **facts: Any) -> None:
    """Tell a fact about a job, on its own chain and its organisation's."""
    outbox.announce(
        session, kind, job.id, facts, organisation_id=job.organisation_id, job_id=job.id
    )


def _set_state(session: Session, actor: Actor, job: Job, state: JobState) -> None:
    """The only setter of a job's state; Conflict for a step that the lifecycle does not have."""
    if state not in NEXT[job.state]:
        raise Conflict(f"A job that is {job.state} cannot become {state}.")
    was, job.state = job.state, state
    why = {"reason": job.pause_reason.value} if job.pause_reason else {}
    changed(session, actor, job, ["state"], state=state.value, **why)
    if (was, state) != (JobState.DRAFT, JobState.OPEN):  # Whoever reserves its money tells that.
        announce(session, job, TOLD[state], **why)


def changed(session: Session, actor: Actor, job: Job, names: list[str], **facts: Any) -> None:
    """Count a change of a job and leave its traces; names: the columns that changed."""
    job.version += 1
    session.flush()  # Guards of the database speak here, beside the cause.
    audit.record(session, actor, "changed job", job.id, fields=names, **facts)
    announce(session, job, "job.changed", fields=names, **facts)


def locked(session: Session, actor: Actor, job_id: UUID) -> Job:
    """The job, if the actor's organisation owns it, safe from other writers until the end."""
    # Claims refer to the job all the time; they do not wait for this lock.
    job = session.get(Job, job_id, with_for_update={"key_share": True}, populate_existing=True)
    if job is None or not queries.may_see(actor, job):
        raise Missing("There is no such job.")
    return job
