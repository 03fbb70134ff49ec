"""The hot statements by their plans: indexes only, whatever stands in the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import psycopg
import pytest
from sqlalchemy import Engine, func, select

from bench.load.world import World
from marketplace.db import transaction
from marketplace.identity.service.tokens import HOLDER
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.routing.queries.eligibility import ALLOWED
from marketplace.settings import Settings
from marketplace.work.models import Claim, Seat
from marketplace.work.service.claiming import claim_seat, next_sql, take_sql
from marketplace.work.service.submitting import IN_HAND, WRITE

TASKS, DONE = 4_000, 2_000
NAMED = re.compile(r"%\((\w+)\)s")
# The tables that are large here; the few rows of others may well be read as they lie.
READ_WHOLE = re.compile(r"Seq Scan on (seat|claim|submission|task|item)\b")

# How a plan reads claims: the index, and the first column that it searches by.
READ_CLAIMS = re.compile(r"Scan(?: using)? ([^(\n]* on claim)\b(?:\n *Index Cond: \(+(\w+))?")


@pytest.fixture
def market(committed: Engine, settings: Settings) -> Iterator[World]:
    """A job of some thousand tasks, half of which one person has done."""
    url = settings.owner_database_url.replace("+psycopg", "", 1)
    with psycopg.connect(url) as owner:
        yield World(cast("psycopg.Connection[object]", owner), settings, noise="quiet " * 2_000)


def plan(world: World, statement: str) -> list[str]:
    """The plan that the server keeps for a statement, made without knowing its values."""
    numbers: dict[str, int] = {}
    asked = NAMED.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", statement)
    # Without values, the driver leaves the placeholders to the server.
    explained = f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {asked.replace('%%', '%')}"
    rows = world.owner.execute(explained.encode()).fetchall()
    return [str(cast("tuple[str]", row)[0]) for row in rows]


def test_claiming_and_handing_in_read_by_indexes_alone(market: World) -> None:
    job_id = market.job(TASKS)
    ((person_id, _),) = market.specialists(1)
    market.past(person_id, job_id, DONE)
    market.settle()
    reserved = next_sql("seat.reserved_for = %(person_id)s")
    permitted = next_sql(permit=ALLOWED.sql)
    hot = [HOLDER, permitted, reserved, take_sql(), IN_HAND, WRITE, ALLOWED.sql]

    plans = {statement[:60]: plan(market, statement) for statement in hot}

    whole = {name: lines for name, lines in plans.items() if READ_WHOLE.search("\n".join(lines))}
    assert {} == whole
    sorting = [name for name in plans if any("Sort" in line for line in plans[name])]
    # A token's few roles, and a person's newest answers of the day, come in an order of their own.
    assert [HOLDER[:60], ALLOWED.sql[:60]] == sorting or [HOLDER[:60]] == sorting


def test_whether_a_task_is_held_is_asked_by_the_task_whenever_the_plan_was_made(
    market: World,
) -> None:
    job_id = market.job(TASKS)
    people = [person_id for person_id, _ in market.specialists(2)]
    looks = [
        next_sql(),
        next_sql("seat.reserved_for = %(person_id)s"),
        next_sql(permit=ALLOWED.sql),
    ]
    # What the server knows of the claims when it makes its plan: nothing yet, some, many.
    found: list[list[str]] = []
    market.settle()
    found += [READ_CLAIMS.findall("\n".join(plan(market, each))) for each in looks]
    for person_id, done in zip(people, (100, DONE), strict=True):
        market.past(person_id, job_id, done)
        market.settle()
        found += [READ_CLAIMS.findall("\n".join(plan(market, each))) for each in looks]

    assert [["ix_claim_holding on claim by task_id"]] * 9 == [
        [" by ".join(parts) for parts in each] for each in found
    ]


def test_a_seat_is_found_at_once_behind_all_that_one_has_done(market: World) -> None:
    job_id = market.job(TASKS)
    ((person_id, _),) = market.specialists(1)
    market.past(person_id, job_id, DONE)

    with transaction() as session:
        job = session.get_one(Job, job_id)
        last = session.scalar(select(func.max(Claim.seat_rank)).where(Claim.job_id == job_id))
        wanted = select(func.min(Seat.rank)).where(Seat.job_id == job_id, Seat.rank > last)
        expected = session.scalar(wanted)
        claim = claim_seat(session, specialist_id=PersonId(person_id), job=job, permit=4)

    assert claim is not None
    assert expected == claim.seat_rank
