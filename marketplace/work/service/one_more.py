"""One more judgement of a task that has those it was opened with."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.errors import Missing
from marketplace.ids import JobId, SeatId, TaskId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.work import rules
from marketplace.work.models import Seat, Task
from marketplace.work.rules import SeatState, TaskState, step
from marketplace.work.service.seats import fresh_ranks, held_state


def open_seat(session: Session, task_id: TaskId, *, why: str) -> Seat | None:
    """Open one more seat of a task; why: a sentence for the lab, kept with the fact.

    None where the task has as many as its job reserved money for, was dropped, wants nobody since
    models alone judge it, or the job is closed; of a paused job the seat waits like others. Locks
    the job's key, then the task: of two at once the second sees what the first one opened. Raises
    Missing without the task.
    """
    job_id = session.scalar(select(Task.job_id).where(Task.id == task_id))
    if job_id is None:
        raise Missing("This task is not there.")
    if held_state(session, job_id) not in {JobState.OPEN, JobState.PAUSED}:
        return None
    job = session.get_one(Job, job_id)
    task = session.get_one(
        Task, task_id, with_for_update={"key_share": True}, populate_existing=True
    )
    taken, last = session.execute(
        select(
            func.count().filter(Seat.state != SeatState.CLOSED, Seat.set_aside_at.is_(None)),
            func.coalesce(func.max(Seat.round), 0),
        ).where(Seat.task_id == task_id)
    ).one()
    if task.dropped_at is not None or not task.wanted or taken >= job.overlap_max:
        return None
    seat = Seat(
        id=SeatId(new_id()),
        task_id=task_id,
        job_id=job_id,
        round=last + 1,
        rank=fresh_ranks(session, 1)[0],
        state=SeatState.OPEN,
    )
    task.wanted += 1
    if task.state is not TaskState.OPEN:
        task.state, task.filled_at = step(rules.NEXT_TASK, task.state, TaskState.OPEN), None
    session.add(seat)
    session.flush()  # Whoever claims next in this transaction finds it.
    outbox.announce(
        session,
        "task.seat_opened",
        task_id,
        {"seats": taken + 1, "why": why, "at": clock.now().isoformat()},
        organisation_id=job.organisation_id,
        job_id=JobId(job_id),
    )
    return seat
