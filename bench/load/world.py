"""A market large enough to measure: jobs of many tasks, specialists with tokens and a past.

People and jobs are made by the services, so that they are legal; their mass is written by SQL
straight into the tables, in rows as the services would have written them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row

from bench.load.conversations import Specialist
from marketplace import db, factory
from marketplace.actor import Actor
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import Stack
from marketplace.settings import Settings
from tests.make import identity, specialists
from tests.make import work as make

NOISE_BYTES = 8_192
# Ids that rise like those of the application: B-trees grow at one end.
ID = "(lpad(to_hex({block}), 8, '0') || '-0000-7000-8000-' || lpad(to_hex({n}), 12, '0'))::uuid"
ITEMS = f"""INSERT INTO item (id, job_id, external_id, position, payload, payload_sha256,
  sent_sha256)
SELECT {ID.format(block="%(block)s + 1", n="n")}, %(job)s, 'item-' || n, n,
  json_build_object(
    'messages', json_build_array(json_build_object('role', 'user', 'content', 'Question ' || n)),
    'a', substr(%(noise)s, 1 + n %% 5000, %(half)s), 'b', substr(%(noise)s, 1 + n %% 4999, %(half)s)
  ), sha256(n::text::bytea), sha256(n::text::bytea)
FROM generate_series(2, %(tasks)s) n"""
TASKS = f"""INSERT INTO task (id, job_id, item_id, state, wanted, counted, decided)
SELECT {ID.format(block="%(block)s + 2", n="n")}, %(job)s,
  {ID.format(block="%(block)s + 1", n="n")}, 'open', 1, 0, 0
FROM generate_series(2, %(tasks)s) n"""
SEATS = f"""INSERT INTO seat (id, task_id, job_id, round, rank, state)
SELECT {ID.format(block="%(block)s + 3", n="n")}, {ID.format(block="%(block)s + 2", n="n")},
  %(job)s, 1, %(rank)s + n, 'open'
FROM generate_series(2, %(tasks)s) n"""
RANKS = "SELECT setval('seat_rank_seq', nextval('seat_rank_seq') + %s)"
FILLED = """SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"""
SIZES = "UPDATE job SET item_count = %(tasks)s, items_seated = %(tasks)s WHERE id = %(job)s"

# What a specialist has done before: the last tasks of the job, claimed, handed in, counted.
DONE = """CREATE TEMPORARY TABLE done ON COMMIT DROP AS
SELECT seat.id AS seat_id, seat.task_id, seat.rank, row_number() OVER (ORDER BY rank) AS n
FROM seat WHERE job_id = %(job)s AND state = 'open' ORDER BY rank LIMIT %(tasks)s"""
PAST = (
    "UPDATE seat SET state = 'submitted' FROM done WHERE seat.id = done.seat_id",
    "UPDATE task SET state = 'filled', counted = 1 FROM done WHERE task.id = done.task_id",
    f"""INSERT INTO claim (id, seat_id, task_id, job_id, specialist_id, template_version_id,
      seat_rank, state, claimed_at, expires_at, ended_at, price_minor, currency, credential_level,
      presented_order)
    SELECT {ID.format(block="%(block)s + 4", n="n")}, seat_id, task_id, job.id, %(person)s,
      template_version_id, rank, 'submitted', now(), now(), now(), pay_minor, currency, 4,
      ARRAY['a', 'b'] FROM done, job WHERE job.id = %(job)s""",
    f"""INSERT INTO submission (id, claim_id, seat_id, task_id, job_id, specialist_id,
      template_version_id, judgement, "references", content_sha256, state, presented_order,
      credential_level, active_seconds, price_minor, currency, round, claimed_at, submitted_at)
    SELECT {ID.format(block="%(block)s + 5", n="n")}, {ID.format(block="%(block)s + 4", n="n")},
      seat_id, task_id, job.id, %(person)s, template_version_id, '{{"choice": "a"}}', '[]',
      ''::bytea, 'in_review', ARRAY['a', 'b'], 4, 60, pay_minor, currency, 1, now(), now()
    FROM done, job WHERE job.id = %(job)s""",
    """INSERT INTO work_progress (person_id, job_id, live, done, front)
    SELECT %(person)s, %(job)s, 0, count(*), max(rank) FROM done""",
)
# Open jobs beside the one that is measured; none has a task of its own to give.
MORE_JOBS = """INSERT INTO job SELECT (jsonb_populate_record(job, jsonb_build_object(
    'id', gen_random_uuid(), 'reference', 'BENCH-' || n, 'item_count', 0, 'items_seated', 0,
    'state', 'draft', 'published_at', NULL, 'fee_basis_points', NULL))).*
FROM job, generate_series(1, %(jobs)s) n WHERE job.id = %(job)s"""
OPEN_THEM = """UPDATE job SET state = 'open', published_at = now(), fee_basis_points = 2000
WHERE reference LIKE 'BENCH-%%'"""


@dataclass(slots=True)
class World:
    """A migrated database with a lab; `owner` may write anything in it."""

    owner: psycopg.Connection[object]
    settings: Settings
    noise: str
    block: int = 0x019AB000
    lab: Actor | None = None

    def job(self, tasks: int, payload_bytes: int = 2_000) -> UUID:
        """An open job of so many tasks, one judgement each, every fifth of them reviewed."""
        with db.transaction() as session:
            self.lab, job = make.published(session, self.lab, items=1, review_sample_ratio=0.2)
            job_id = UUID(str(job.id))
        (rank,) = self._all(RANKS, (tasks + 1,))
        sized = {
            "job": job_id, "tasks": tasks, "noise": self.noise, "half": payload_bytes // 2 - 50,
            "block": self._blocks(3), "rank": cast("int", rank) - tasks - 1,
        }  # fmt: skip
        for statement in (ITEMS, TASKS, SEATS, SIZES):
            self._run(statement, sized)
        self.owner.commit()
        return job_id

    def more_jobs(self, job_id: UUID, jobs: int) -> None:
        """Open jobs like this one, without tasks of their own."""
        self._run(MORE_JOBS, {"job": job_id, "jobs": jobs})
        self._run(OPEN_THEM, {})
        self.owner.commit()

    def specialists(self, count: int) -> list[tuple[UUID, str]]:
        """Doctors with a verified licence, and a token of each."""
        found = []
        for _ in range(count):
            with db.transaction() as session:
                doctor = specialists.doctor(session)
                found.append((UUID(str(doctor.person())), identity.token(session, doctor)))
        return found

    def bench_people(self, people: list[UUID]) -> None:
        """A table of people by number, from which each client of pgbench takes its own."""
        self._run("CREATE TABLE bench_person (n int PRIMARY KEY, person_id uuid NOT NULL)", None)
        for number, person_id in enumerate(people, 1):
            self._run(
                "INSERT INTO bench_person VALUES (%(n)s, %(p)s)", {"n": number, "p": person_id}
            )
        self.owner.commit()

    def past(self, person_id: UUID, job_id: UUID, tasks: int) -> None:
        """Let a person have done so many of the job's next tasks."""
        facts = {"job": job_id, "person": person_id, "tasks": tasks, "block": self._blocks(2)}
        for statement in (DONE, *PAST):
            self._run(statement, facts)
        self.owner.commit()

    def settle(self) -> None:
        """Let the planner know how large everything is, as autovacuum would in a while.

        Like autovacuum it leaves empty tables alone: what is called empty would be read whole by
        plans that are kept while the table fills.
        """
        self.owner.commit()
        self.owner.autocommit = True
        for table in self._all(FILLED):
            self._run(f"VACUUM ANALYZE {table}", None)
        self.owner.autocommit = False

    def _blocks(self, count: int) -> int:
        first = self.block
        self.block += count + 1
        return first

    def _run(self, statement: str, values: dict[str, object] | None) -> None:
        self.owner.execute(statement, values)

    def _all(self, statement: str, values: tuple[object, ...] = ()) -> list[object]:
        rows = self.owner.cursor(row_factory=scalar_row)
        return rows.execute(statement, values).fetchall()

    def wrongs(self, people: list[Specialist]) -> list[str]:
        """What must never be: tasks over their overlap, answers lost or kept twice."""
        over = self._all("SELECT count(*) FROM task WHERE counted > wanted")[0]
        counted = """SELECT count(*) FROM (SELECT task_id FROM submission WHERE state <> 'surplus'
          GROUP BY task_id HAVING count(*) > 1) doubled"""
        doubled = self._all(counted)[0]
        taken = """SELECT count(*) FROM (SELECT seat_id FROM claim WHERE state = 'live'
          GROUP BY seat_id HAVING count(*) > 1) doubled"""
        # What was done before, and by pgbench, has no hash.
        kept = "SELECT count(*) FROM submission WHERE content_sha256 <> ''::bytea"
        said = sum(each.handed_in for each in people)
        lost = said - cast("int", self._all(kept)[0])
        found = {
            "tasks over their overlap": over,
            "tasks judged twice": doubled,
            "seats held twice": self._all(taken)[0],
            "answers lost (below zero: kept twice)": lost,
        }
        self.owner.commit()
        return [f"{number} {what}" for what, number in found.items() if number]


@contextmanager
def world(stack: Stack, environment: dict[str, str], noise: str) -> Iterator[World]:
    """Migrate the stack's database and connect to it."""
    settings = Settings.from_environ(stack.environment | environment)
    upgrade(settings.owner_database_url, app_role=role_of(settings.database_url))
    factory.start(settings)
    url = settings.owner_database_url.replace("+psycopg", "", 1)
    try:
        with psycopg.connect(url) as owner:
            yield World(cast("psycopg.Connection[object]", owner), settings, noise)
    finally:
        db.engine().dispose()
