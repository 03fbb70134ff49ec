"""Telling that a job is completed: when a task of it became final and none is left that is not.

Whoever makes a task final would have to look at all the others, and would meet everybody else who
does so at the same row. So a look every few seconds follows the feed of all facts instead.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import outbox
from marketplace.delivery.models import EventCursor
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.outbox import ALL, ChainHead, Event
from marketplace.work.models import Task
from marketplace.work.rules import TaskState

CURSOR = "completed"
COMPLETED = "task.completed"
WINDOW = 50_000


def tell_completed(session: Session) -> int:
    """Look at what became final since the last look; how many jobs are completed by it."""
    cursor = session.get(EventCursor, CURSOR, with_for_update=True)
    if cursor is None:
        cursor = EventCursor(name=CURSOR, number=0)
        session.add(cursor)
    head = session.scalar(select(ChainHead.number).where(ChainHead.scope == ALL)) or 0
    through = min(head, cursor.number + WINDOW)
    touched = session.scalars(
        select(Event.job_id)
        .where(Event.number > cursor.number, Event.number <= through, Event.kind == COMPLETED)
        .distinct()
    ).all()
    cursor.number = through
    jobs = _completed(session, [each for each in touched if each is not None])
    for job, tasks in jobs:
        outbox.announce(
            session,
            "job.completed",
            job.id,
            {"tasks": tasks},
            organisation_id=job.organisation_id,
            job_id=job.id,
        )
    return len(jobs)


def _completed(session: Session, job_ids: Collection[UUID]) -> list[tuple[Job, int]]:
    """Those of these jobs that run, have all their items seated, and no task that is not final."""
    found = []
    for job_id in sorted(job_ids):
        job = session.get_one(Job, job_id)
        runs = job.state in {JobState.OPEN, JobState.PAUSED}
        left = select(Task.id).where(Task.job_id == job_id, Task.state != TaskState.FINAL)
        if runs and job.items_seated >= job.item_count and not session.scalar(left.limit(1)):
            final = select(func.count()).where(Task.job_id == job_id)
            found.append((job, session.scalar(final) or 0))
    return found
