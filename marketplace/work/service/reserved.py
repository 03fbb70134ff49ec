"""Seats that wait for one person: those of an attempt at a qualification."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_pass
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import JobId, PersonId, SeatId, TaskId, new_id
from marketplace.jobs.models import Job
from marketplace.work import rules
from marketplace.work.models import Claim, Seat, Task, seat_rank
from marketplace.work.rules import ClaimState, SeatState, TaskState, step
from marketplace.work.service import tally
from marketplace.work.service.finality import tell_final
from marketplace.work.service.seats import end_claim


def open_reserved_seats(
    session: Session, job: Job, *, person_id: PersonId, item_ids: Sequence[UUID]
) -> None:
    """One more seat of each item, which only this person may take; tasks are made where missing.

    item_ids: in the order in which the person meets them.
    """
    tasks = _locked_tasks(session, job, item_ids)
    rounds = dict(
        session.execute(
            select(Seat.task_id, func.max(Seat.round))
            .where(Seat.task_id.in_([task.id for task in tasks.values()]))
            .group_by(Seat.task_id)
        ).all()
    )
    ranks = sorted(
        session.scalars(
            select(seat_rank.next_value()).select_from(
                func.generate_series(1, len(item_ids)).alias()
            )
        )
    )
    for task in tasks.values():
        task.wanted += 1
        if task.state is not TaskState.OPEN:
            task.state, task.filled_at = step(rules.NEXT_TASK, task.state, TaskState.OPEN), None
    session.execute(
        insert(Seat),
        [
            {
                "id": SeatId(new_id()),
                "task_id": tasks[item_id].id,
                "job_id": job.id,
                "round": rounds.get(tasks[item_id].id, 0) + 1,
                "rank": rank,
                "state": SeatState.OPEN,
                "reserved_for": person_id,
            }
            for item_id, rank in zip(item_ids, ranks, strict=True)
        ],
    )


def _locked_tasks(session: Session, job: Job, item_ids: Sequence[UUID]) -> dict[UUID, Task]:
    """The items' tasks by item, locked in the order of their ids; the missing ones are made."""
    session.execute(
        insert_or_pass(Task)
        .values(
            [
                {
                    "id": TaskId(new_id()),
                    "job_id": job.id,
                    "item_id": item_id,
                    "state": TaskState.OPEN,
                    "wanted": 0,
                    "counted": 0,
                    "decided": 0,
                }
                for item_id in item_ids
            ]
        )
        .on_conflict_do_nothing(index_elements=["item_id"])
    )
    locked = (
        select(Task)
        .where(Task.item_id.in_(item_ids))
        .order_by(Task.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {task.item_id: task for task in session.scalars(locked)}


def close_reserved_seats(
    session: Session, job_id: JobId, *, person_id: PersonId, item_ids: Sequence[UUID]
) -> None:
    """End what a person still holds of these items and close the seats that were not used.

    Claims end as if their lease had run out, so drafts stay; an answer that still comes is kept
    beside the others. Claims are locked before seats, as submitting does.
    """
    tasks = select(Task.id).where(Task.item_id.in_(item_ids))
    held = session.scalars(
        select(Claim)
        .where(Claim.specialist_id == person_id, Claim.job_id == job_id)
        .where(Claim.state == ClaimState.LIVE, Claim.task_id.in_(tasks))
        .order_by(Claim.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for claim in held:
        claim.expires_at = min(claim.expires_at, clock.now())
        end_claim(session, claim, ClaimState.EXPIRED)
    tally.count_lapsed(session, held)
    session.flush()  # The seats that those claims held are open now.
    unused = session.scalars(
        select(Seat)
        .where(Seat.reserved_for == person_id, Seat.job_id == job_id)
        .where(Seat.state == SeatState.OPEN, Seat.task_id.in_(tasks))
        .order_by(Seat.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for seat in unused:
        seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.CLOSED)
        _want_one_less(session, seat.task_id)


def _want_one_less(session: Session, task_id: TaskId) -> None:
    task = session.get_one(
        Task, task_id, with_for_update={"key_share": True}, populate_existing=True
    )
    task.wanted -= 1
    if task.counted and task.counted == task.wanted and task.state is TaskState.OPEN:
        task.state, task.filled_at = (
            step(rules.NEXT_TASK, task.state, TaskState.FILLED),
            clock.now(),
        )
        if task.decided == task.wanted:
            session.flush()  # Two steps of the lifecycle, which the database sees one by one.
            task.state = step(rules.NEXT_TASK, task.state, TaskState.FINAL)
            tell_final(session, task)
