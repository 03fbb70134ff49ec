"""Seats that nobody is wanted for any more, and seats that are kept for one person."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.ids import JobId, PersonId, TaskId
from marketplace.work.models import Seat, WorkProgress
from marketplace.work.rules import SeatState
from marketplace.work.service.seats import close_unwanted_seat, fresh_ranks, held_state

AHEAD = 64  # Open seats ahead of a person among which one kept for them is mixed.


def close_open_seats(session: Session, task_id: TaskId) -> int:
    """Close what is open of a task's seats, so that it wants no more judgements; how many.

    Those that somebody is taking at this moment are theirs.
    """
    seats = session.scalars(
        select(Seat)
        .where(Seat.task_id == task_id, Seat.state == SeatState.OPEN)
        .order_by(Seat.id)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for seat in seats:
        close_unwanted_seat(session, seat)
    return len(seats)


def keep_seat(session: Session, seat: Seat, person_id: PersonId, *, after: int) -> None:
    """Keep an open seat for one person, who meets it among their next ones.

    after: how many others they meet first. It takes the place of the one that they would have met
    there, which goes to the end of the queue, so that no two have the same place.
    """
    held_state(session, JobId(seat.job_id))
    front = session.scalar(
        select(WorkProgress.front).where(
            WorkProgress.person_id == person_id, WorkProgress.job_id == seat.job_id
        )
    )
    ahead = session.scalars(
        select(Seat)
        .where(Seat.job_id == seat.job_id, Seat.state == SeatState.OPEN, Seat.id != seat.id)
        .where(Seat.rank > (front or 0), Seat.reserved_for.is_(None))
        .order_by(Seat.rank)
        .offset(min(after, AHEAD))
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    ).first()
    seat.reserved_for = person_id
    if ahead is not None:
        seat.rank, ahead.rank = ahead.rank, fresh_ranks(session, 1)[0]


def give_up_kept_seats(session: Session, person_id: PersonId, job_id: JobId) -> int:
    """Offer the open seats that were kept for a person to everybody; how many."""
    kept = session.scalars(
        select(Seat)
        .where(Seat.reserved_for == person_id, Seat.job_id == job_id)
        .where(Seat.state == SeatState.OPEN)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for seat in kept:
        seat.reserved_for = None
    return len(kept)
