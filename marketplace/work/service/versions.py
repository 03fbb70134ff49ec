"""Versions of a job under work that was begun: which one a task keeps, and asking tasks again."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Refused
from marketplace.ids import TaskId, TemplateVersionId, new_id
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules.versions import Step, version_kept
from marketplace.money import Money
from marketplace.work import rules
from marketplace.work.models import Claim, Seat, Task
from marketplace.work.rules import ClaimState, SeatState, TaskState, step
from marketplace.work.service.seats import fresh_ranks

ASKED_AGAIN_MAX = 100_000
ROWS_AT_ONCE = 5_000
BEGUN = frozenset(set(ClaimState) - {ClaimState.RELEASED})
TAKEN = (SeatState.CLAIMED, SeatState.SUBMITTED)


class TooManyToAskAgain(Refused):
    """More judgements than one change asks for again."""

    code = "too_many_to_ask_again"


def kept_by(session: Session, task_id: TaskId, job_id: UUID) -> TemplateVersionId | None:
    """The version that a begun task keeps; None where it was not begun, or takes the newest.

    A task is begun by its first claim that was not given back, and under that claim's version.
    """
    first = (
        select(Claim.template_version_id)
        .where(Claim.task_id == task_id, Claim.state.in_(BEGUN))
        .where(Claim.repeats_submission_id.is_(None))
        .order_by(Claim.id)
        .limit(1)
    )
    begun_id = session.scalar(first)
    if begun_id is None:
        return None
    made = session.execute(
        select(TemplateVersion.id, TemplateVersion.number, TemplateVersion.change)
        .where(TemplateVersion.job_id == job_id)
        .order_by(TemplateVersion.number)
    ).all()
    numbers = {row.id: row.number for row in made}
    kept = version_kept(numbers[begun_id], [Step(row.number, row.change) for row in made])
    return next((TemplateVersionId(row.id) for row in made if row.number == kept), None)


def seats_judged(session: Session, job_id: UUID) -> int:
    """How many judgements of a job are in or in hand, and would be asked for again."""
    return session.scalar(select(func.count()).select_from(_judged(job_id).subquery())) or 0


def _judged(job_id: UUID) -> Select[Seat]:
    return (
        select(Seat)
        .join(Task, Task.id == Seat.task_id)
        .where(Seat.job_id == job_id, Seat.state.in_(TAKEN), Seat.set_aside_at.is_(None))
        .where(Task.dropped_at.is_(None))
    )


def ask_again(session: Session, job: Job, *, price: Money) -> int:
    """Set judgements aside that are in or in hand, and open as many seats anew; how many.

    price: what each new seat pays. What is set aside is reviewed and paid as ever; it stands
    beside the new judgements. The caller holds the job's row and has made the new version;
    nobody is leased a seat of the job meanwhile.
    """
    _hold_seats(session, job.id)
    judged = session.execute(_judged(job.id).with_only_columns(Seat.id, Seat.task_id)).all()
    if len(judged) > ASKED_AGAIN_MAX:
        raise TooManyToAskAgain(
            f"This would ask for {len(judged):,} judgements again, more than the "
            f"{ASKED_AGAIN_MAX:,} that one change may. Post a new job instead."
        )
    more = Counter(TaskId(row.task_id) for row in judged)
    now = clock.now()
    for at in range(0, len(judged), ROWS_AT_ONCE):
        ids = [row.id for row in judged[at : at + ROWS_AT_ONCE]]
        session.execute(update(Seat).where(Seat.id.in_(ids)).values(set_aside_at=now))
    _open_anew(session, job, more, price)
    _want_more(session, more)
    return len(judged)


def _hold_seats(session: Session, job_id: UUID) -> None:
    """Wait for claims and answers that are on their way, and let no further ones begin."""
    states = (SeatState.OPEN, *TAKEN)
    held = select(Seat.id).where(Seat.job_id == job_id, Seat.state.in_(states)).order_by(Seat.id)
    session.execute(held.with_for_update(key_share=True)).all()


def _open_anew(session: Session, job: Job, more: Counter[TaskId], price: Money) -> None:
    """New seats, numbered behind those that the tasks have, in the order of the tasks."""
    last = {
        task_id: turn
        for task_id, turn in session.execute(
            select(Seat.task_id, func.max(Seat.round))
            .where(Seat.job_id == job.id)
            .group_by(Seat.task_id)
        )
        if task_id in more
    }
    ranks = iter(fresh_ranks(session, more.total()))
    rows = [
        {
            "id": new_id(),
            "task_id": task_id,
            "job_id": job.id,
            "round": last[task_id] + turn,
            "rank": next(ranks),
            "state": SeatState.OPEN,
            "price_minor": price.minor,
        }
        for task_id in sorted(more)
        for turn in range(1, more[task_id] + 1)
    ]
    for at in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(insert(Seat), rows[at : at + ROWS_AT_ONCE])


def _want_more(session: Session, more: Counter[TaskId]) -> None:
    ids = sorted(more)
    for at in range(0, len(ids), ROWS_AT_ONCE):
        held = select(Task).where(Task.id.in_(ids[at : at + ROWS_AT_ONCE])).order_by(Task.id)
        for task in session.scalars(
            held.with_for_update(key_share=True).execution_options(populate_existing=True)
        ):
            task.wanted += more[task.id]
            if task.state is not TaskState.OPEN:
                task.state = step(rules.NEXT_TASK, task.state, TaskState.OPEN)
                task.filled_at = None
    session.flush()  # Rows of one chunk are written before the next is read.
