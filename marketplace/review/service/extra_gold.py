"""Further gold for one person: one more seat on gold that they have not met, kept for them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.ids import JobId, PersonId, TaskId
from marketplace.jobs.models import Item
from marketplace.quality.models import GoldItem
from marketplace.quality.rules.gold import GoldState
from marketplace.quality.service.gold import exposures_max
from marketplace.work import service as work
from marketplace.work.models import Claim, Seat, Task

APART = 3  # Ordinary tasks between two pieces of gold, so that they do not come in a row.
WHY = "gold"


def open_extra_gold(session: Session, person_id: PersonId, job_id: JobId, *, count: int) -> int:
    """Keep up to `count` seats of gold for a person among their next tasks; how many.

    Of gold that is not worn, the least met first; paid like any task, from what is reserved, and
    told from others by nothing. Where the reserve does not reach, fewer or none.
    """
    met = select(Claim.id).where(Claim.task_id == Task.id, Claim.specialist_id == person_id)
    exposures = func.coalesce(GoldItem.exposures, 0)
    tasks = session.scalars(
        select(Task.id)
        .join(Item, Item.id == Task.item_id)
        .outerjoin(GoldItem, GoldItem.item_id == Item.id)
        .where(Task.job_id == job_id, Item.gold.is_not(None), ~met.exists())
        .where(func.coalesce(GoldItem.state, GoldState.ACTIVE) == GoldState.ACTIVE)
        .where(exposures < exposures_max(session, job_id), Task.dropped_at.is_(None))
        .where(Task.wanted > 0)  # What models alone judge has no money for specialists.
        .order_by(exposures, Task.id)
        .limit(count)
    ).all()
    kept = 0
    for task_id in tasks:
        seat = _seat(session, TaskId(task_id))
        if seat is None:
            continue
        kept += 1
        work.keep_seat(session, seat, person_id, after=APART * kept)
    return kept


def _seat(session: Session, task_id: TaskId) -> Seat | None:
    """An open seat of the task that nobody has; one more where there is none and money for it."""
    free = session.scalars(
        select(Seat)
        .where(Seat.task_id == task_id, Seat.state == "open", Seat.reserved_for.is_(None))
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    ).first()
    return free or work.open_seat(session, task_id, why=WHY)
