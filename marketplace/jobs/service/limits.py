"""How many of a job's items specialists judge, where models judge the rest."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.jobs.service.states import changed, locked

ITEMS_MOST = 2**40


def limit_specialist_items(session: Session, actor: Actor, job_id: UUID, most: int | None) -> Job:
    """Set the most items that specialists judge, None for all; `quality` says so for a pipeline.

    Faulty for a number that no job has. Conflict for a job that is no draft any more, since its
    money is reserved, and for a qualification, whose items are for candidates.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    if job.state is not JobState.DRAFT:
        raise Conflict("This job is published; what models and specialists judge stands fast.")
    if job.purpose is not Purpose.WORK and most is not None:
        raise Conflict("A qualification has no pipeline: its items are for candidates.")
    if most is not None and most > ITEMS_MOST:
        raise Faulty("No job has so many items.", [Fault("/items_max", "Give a smaller number.")])
    if job.specialist_items_max != most:
        job.specialist_items_max = most
        changed(session, actor, job, ["specialist_items_max"])
    return job
