"""Telling that a task is final: all that it wants is accepted, and nobody is asked any more."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace import outbox
from marketplace.jobs.models import Job
from marketplace.work.models import Task
from marketplace.work.rules import TaskState


def tell_final(session: Session, task: Task) -> None:
    """Announce a task that has just become final; nothing for one in any other state."""
    if task.state is not TaskState.FINAL:
        return
    outbox.announce(
        session,
        "task.completed",
        task.id,
        {"judgements": task.decided},
        organisation_id=session.get_one(Job, task.job_id).organisation_id,
        job_id=task.job_id,
    )
