"""Seats: opening them for items, leasing them, opening them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import JobId, SeatId, TaskId, new_id
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Item, Job
from marketplace.jobs.rules import JobState
from marketplace.work import rules
from marketplace.work.models import Claim, Seat, Submission, Task, seat_rank
from marketplace.work.rules import ClaimState, SeatState, TaskState, step
from marketplace.work.service import tally
from marketplace.work.service.finality import tell_final


def open_seats(
    session: Session, job: Job, *, limit: int, wanted: Mapping[UUID, int] | None = None
) -> int:
    """Make tasks with their seats of up to `limit` items that have none yet; how many items.

    Items come in the order of their position, so each call goes on where the last one ended.
    wanted: judgements that each item gets, by item id, the job's least overlap where it is None;
    an item with none is final at once, since models alone judge it.
    """
    fresh = session.execute(
        select(Item.id, Item.position)
        .where(Item.job_id == job.id, Item.position > job.items_seated)
        .order_by(Item.position)
        .limit(limit)
    ).all()
    if not fresh:
        return 0
    now = clock.now()
    tasks = [
        _task(job, item_id, job.overlap_min if wanted is None else wanted[item_id], now)
        for item_id, _ in fresh
    ]
    session.execute(insert(Task), tasks)
    ranks = iter(fresh_ranks(session, sum(task["wanted"] for task in tasks)))
    seats = [
        {
            "id": new_id(),
            "task_id": task["id"],
            "job_id": job.id,
            "round": turn,
            "rank": next(ranks),
            "state": SeatState.OPEN,
        }
        for task in tasks
        for turn in range(1, task["wanted"] + 1)
    ]
    if seats:
        session.execute(insert(Seat), seats)
    jobs.seats_opened(session, job.id, up_to=fresh[-1].position)
    return len(fresh)


def seat_tasks(session: Session, job: Job, task_ids: Sequence[TaskId]) -> int:
    """Open the least seats of tasks that specialists were not to judge, as models alone did; how
    many tasks. Tasks that want somebody already, or that were dropped, stay as they are."""
    if not task_ids or held_state(session, JobId(job.id)) is not JobState.OPEN:
        return 0
    tasks = session.scalars(
        select(Task)
        .where(Task.id.in_(task_ids), Task.wanted == 0, Task.dropped_at.is_(None))
        .order_by(Task.id)
        .with_for_update(key_share=True)
    ).all()
    rounds = _rounds_so_far(session, [task.id for task in tasks])
    ranks = iter(fresh_ranks(session, len(tasks) * job.overlap_min))
    for task in tasks:
        task.wanted, task.filled_at = job.overlap_min, None
        task.state = step(rules.NEXT_TASK, task.state, TaskState.OPEN)
        session.add_all(
            Seat(
                id=SeatId(new_id()),
                task_id=task.id,
                job_id=job.id,
                round=rounds.get(task.id, 0) + turn,
                rank=next(ranks),
                state=SeatState.OPEN,
            )
            for turn in range(1, job.overlap_min + 1)
        )
    session.flush()  # What is asked next must see that they are open.
    return len(tasks)


def _rounds_so_far(session: Session, task_ids: Sequence[TaskId]) -> dict[TaskId, int]:
    last = select(Seat.task_id, func.max(Seat.round)).where(Seat.task_id.in_(task_ids))
    return dict(session.execute(last.group_by(Seat.task_id)).all())


def _task(job: Job, item_id: UUID, wanted: int, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "job_id": job.id,
        "item_id": item_id,
        "state": TaskState.OPEN if wanted else TaskState.FINAL,
        "wanted": wanted,
        "counted": 0,
        "decided": 0,
        "filled_at": None if wanted else now,
    }


def fresh_ranks(session: Session, count: int) -> list[int]:
    """Places at the end of the queue, in rising order."""
    drawn = select(seat_rank.next_value()).select_from(func.generate_series(1, count).alias())
    return sorted(session.scalars(drawn))


def end_claim(session: Session, claim: Claim, state: ClaimState) -> None:
    """End a claim without a submission and open its seat again at the end of the queue."""
    lapsed = claim.state is ClaimState.EXPIRED
    claim.state = step(rules.NEXT_CLAIM, claim.state, state)
    claim.ended_at = clock.now()
    if lapsed:  # Its seat is open already, or another's.
        return
    if claim.repeats_submission_id is None:  # A repeat holds no seat.
        reopen_seat(session, claim)
    if state is not ClaimState.EXPIRED:  # Those that lapse are counted together.
        tally.count(session, claim, live=-1)


def reopen_seat(session: Session, held: Claim | Submission) -> None:
    """Open the seat of a claim or of a submission again, with a fresh rank so that everybody
    still comes past it.

    A seat of a closed job, of a task that was dropped, or whose judgement was asked for again
    under a newer version, is closed instead: nobody is wanted there any more.
    """
    closed = held_state(session, held.job_id) is JobState.CLOSED
    seat = session.get_one(Seat, held.seat_id, with_for_update={"key_share": True})
    # Whoever drops a task holds all its seats while doing so, this one too.
    dropped = session.scalar(select(Task.dropped_at).where(Task.id == seat.task_id)) is not None
    if dropped or seat.set_aside_at is not None:
        close_unwanted_seat(session, seat)
    elif closed:
        seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.CLOSED)
    else:
        seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.OPEN)
        seat.rank = fresh_ranks(session, 1)[0]


def close_unwanted_seat(session: Session, seat: Seat) -> None:
    """Close a seat that nobody is wanted for; its task then wants one judgement less."""
    seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.CLOSED)
    task = session.get_one(Task, seat.task_id, with_for_update={"key_share": True})
    task.wanted -= 1
    if task.counted == task.wanted:
        done = task.decided == task.wanted
        task.state = step(
            rules.NEXT_TASK, task.state, TaskState.FINAL if done else TaskState.FILLED
        )
        task.filled_at = clock.now()
        tell_final(session, task)


def held_state(session: Session, job_id: JobId) -> JobState:
    """The state of a job, which is not settled before this transaction ends.

    Whoever leases a seat or opens one again asks this first: settling a closed job waits for
    them, so that no claim and no open seat is left without its money.
    """
    return session.scalars(
        select(Job.state).where(Job.id == job_id).with_for_update(read=True, key_share=True)
    ).one()


def expire_leases(session: Session, *, limit: int = 500) -> int:
    """End live claims whose time is over, oldest first; how many. Their drafts stay."""
    over = session.scalars(
        select(Claim)
        # In words, since a partial index is seen only by a statement that names its condition.
        .where(text("claim.state = 'live'"), Claim.expires_at < clock.now())
        .order_by(Claim.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for claim in over:
        end_claim(session, claim, ClaimState.EXPIRED)
    tally.count_lapsed(session, over)
    return len(over)
