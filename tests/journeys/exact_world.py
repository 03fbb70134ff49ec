"""Run as a program inside a stack's environment: make a running job with specialists, or check it.

`make PEOPLE ITEMS OVERLAP LEASE_SECONDS` prints a `World`; `check` reads the ids of acknowledged
submissions from its input and prints what does not hold.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import factory
from marketplace.db import transaction
from marketplace.identity import service as identity_service
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.review import queries as review
from marketplace.settings import Settings
from marketplace.work import queries as work
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import SURPLUS_STATES, ClaimState, SeatState
from tests.make import identity
from tests.make import work as make


@dataclass(frozen=True, slots=True)
class World:
    """Tokens of the lab and of its specialists, and the job that runs."""

    lab: str
    doctors: list[str]
    job_id: str


def made(session: Session, *, people: int, items: int, overlap: int, lease: int) -> World:
    """A running job with a lease that is shorter than the API allows, and people for it."""
    lab, job = make.published(
        session,
        items=items,
        overlap_min=overlap,
        overlap_max=overlap,
        profession=None,  # Nobody needs a credential: many people are made in a moment.
        contingency_ratio=0.1,
        cannot_complete_ratio=0.1,
    )
    make.money_in(session, lab, Money(100_000_00, "USD"))  # For the items that come later.
    job.lease_seconds = lease
    doctors = [identity.specialist(session) for _ in range(people)]
    tokens = [
        identity_service.create_token(session, actor, name="exact")[1] for actor in (lab, *doctors)
    ]
    return World(tokens[0], tokens[1:], str(job.id))


def left_open(session: Session) -> int:
    """Seats that are free or in somebody's hands."""
    going_on = Seat.state.in_([SeatState.OPEN, SeatState.CLAIMED])
    return session.scalar(select(func.count()).select_from(Seat).where(going_on)) or 0


def faults(session: Session, acknowledged: set[str]) -> list[str]:
    """What does not hold, in sentences: all invariants, and nothing acknowledged is lost."""
    found = [
        said
        for check in (
            work.broken_invariants,
            review.broken_invariants,
            ledger.broken_invariants,
        )
        for said in check(session)
    ]
    kept = {str(one) for one in session.scalars(select(Submission.id))}
    found += [f"Submission {lost} was acknowledged and is lost." for lost in acknowledged - kept]
    short = session.execute(
        select(Task.id, Task.counted, Task.wanted).where(Task.counted != Task.wanted)
    )
    found += [f"Task {task} counts {counted} of {wanted}." for task, counted, wanted in short]
    return found


def summary(session: Session) -> dict[str, int]:
    """What happened, in numbers."""
    ends = dict(session.execute(select(Claim.state, func.count()).group_by(Claim.state)).all())
    surplus = select(func.count()).where(Submission.state.in_(SURPLUS_STATES))
    return {
        "tasks": session.scalar(select(func.count()).select_from(Task)) or 0,
        "counted": int(session.scalar(select(func.sum(Task.counted))) or 0),
        "dropped": session.scalar(select(func.count(Task.dropped_at))) or 0,
        "surplus": session.scalar(surplus) or 0,
    } | {state.value: ends.get(state, 0) for state in ClaimState}


def main(arguments: list[str]) -> None:
    """Print one line of JSON."""
    factory.start(Settings.from_environ(os.environ))
    verb, *rest = arguments
    with transaction() as session:
        if verb == "make":
            people, items, overlap, lease = map(int, rest)
            world = made(session, people=people, items=items, overlap=overlap, lease=lease)
            told: dict[str, object] = asdict(world)
        else:
            acknowledged = set(json.loads(sys.stdin.read()))
            told = {"faults": faults(session, acknowledged), "summary": summary(session)}
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
