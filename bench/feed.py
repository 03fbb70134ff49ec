"""The feed of a specialist with 1, 500 and 5,000 open jobs: the server's own time, without HTTP.

Run `python -m bench.feed [--jobs N …] [--calls N]`. A third of the jobs want another profession,
a third a specialty that few have, each has a free seat; half were counted lately. Beside the feed
stand the list of jobs that do not fit, with their reasons, and the one statement of a claim.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from statistics import quantiles
from uuid import UUID

from sqlalchemy.orm import Session

from bench.load.world import World, world
from marketplace import db
from marketplace.actor import Actor
from marketplace.embedded import temporary
from marketplace.identity.models import Person
from marketplace.identity.queries import actor_for
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.routing import queries
from marketplace.routing.service.exposure import count_exposure

NOISE = "lorem ipsum " * 1_000
DRAFTS = """INSERT INTO job SELECT (jsonb_populate_record(job, jsonb_build_object(
    'id', gen_random_uuid(), 'reference', 'BENCH-' || n, 'state', 'draft', 'published_at', NULL,
    'fee_basis_points', NULL, 'item_count', 0, 'items_seated', 0))).*
FROM job, generate_series(2, %s) n WHERE job.id = %s"""
OPEN = """UPDATE job SET state = 'open', fee_basis_points = 2000,
  published_at = now() - random() * interval '20 days' WHERE reference LIKE 'BENCH-%'"""
KINDS = """UPDATE job SET
  profession = CASE n % 3 WHEN 0 THEN 'law' ELSE 'medicine' END,
  specialties = CASE n % 3 WHEN 1 THEN ARRAY['cardiology'] ELSE '{}'::text[] END,
  deadline_at = now() + (n % 40 + 1) * interval '1 day', item_count = 1, items_seated = 1
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM job WHERE reference LIKE 'BENCH-%') x
WHERE job.id = x.id"""
SEATED = (
    """INSERT INTO item (id, job_id, external_id, position, payload, payload_sha256, sent_sha256)
    SELECT gen_random_uuid(), id, 'item-1', 1, '{}', ''::bytea, ''::bytea FROM job
    WHERE reference LIKE 'BENCH-%'""",
    """INSERT INTO task (id, job_id, item_id, state, wanted, counted, decided)
    SELECT gen_random_uuid(), item.job_id, item.id, 'open', 1, 0, 0 FROM item
    JOIN job ON job.id = item.job_id WHERE reference LIKE 'BENCH-%'""",
    """INSERT INTO seat (id, task_id, job_id, round, rank, state)
    SELECT gen_random_uuid(), task.id, task.job_id, 1, nextval('seat_rank_seq'), 'open' FROM task
    JOIN job ON job.id = task.job_id WHERE reference LIKE 'BENCH-%'""",
)


def peopled(town: World, jobs: int) -> tuple[UUID, list[Actor]]:
    """So many open jobs, each with a free seat, and ten doctors."""
    first = town.job(2_000)
    town.owner.execute(DRAFTS, (jobs, first))
    for statement in (OPEN, KINDS, *SEATED):
        town.owner.execute(statement)
    town.owner.commit()
    people = [person_id for person_id, _ in town.specialists(10)]
    after: UUID | None = None
    for _ in range(max(1, jobs // 1_000)):
        with db.transaction() as session:
            after = count_exposure(session, after=after)
    town.settle()
    with db.transaction() as session:
        actors = [actor_for(session.get_one(Person, each), (), None) for each in people]
    return first, actors


def timed(call: Callable[[Session, Actor], object], people: list[Actor], calls: int) -> str:
    """Milliseconds of one call after another: median and 95th percentile."""
    taken = []
    for at in range(calls + 10):
        with db.transaction() as session:
            start = time.perf_counter()
            call(session, people[at % len(people)])
            taken.append((time.perf_counter() - start) * 1_000)
    cut = quantiles(taken[10:], n=20)
    return f"{cut[9]:14.1f}{cut[18]:14.1f}"


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--jobs", type=int, nargs="*", default=[1, 500, 5_000])
    asked.add_argument("--calls", type=int, default=60)
    given = asked.parse_args()
    print(f"Python {platform.python_version()}, {given.calls} calls each, milliseconds")
    heads = ("feed p50", "p95", "others p50", "p95", "claim may p50", "p95")
    print(f"{'open jobs':>10}" + "".join(f"{head:>14}" for head in heads))
    for jobs in given.jobs:
        with temporary() as stack, world(stack, {}, NOISE) as town:
            first, people = peopled(town, jobs)

            def may(session: Session, who: Actor, first: UUID = first) -> object:
                job = session.get_one(Job, first)
                return queries.allowed(session, PersonId(who.person()), job)

            row = (
                timed(queries.feed, people, given.calls),
                timed(queries.other_jobs, people, given.calls),
                timed(may, people, given.calls),
            )
        print(f"{jobs:>10}" + "".join(row))


if __name__ == "__main__":
    main()
