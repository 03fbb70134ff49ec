"""Claim and hand in over HTTP: pairs a second, and whether history, size or company slow them.

Run `python -m bench.claims`, or with `--tasks 100000 10000 1000000 --history 50000 --open-jobs
5000 --seconds 8` for the sizes of the targets (some 3 GB and ten minutes). A pair is
one `POST /claims/{id}/submission` with `next: true`: it hands in an answer and brings the next
task. The server is `marketplace web` over a PostgreSQL of our own that waits for the disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import string
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from uuid import UUID

from bench.load.connections import Answers, ask
from bench.load.conversations import Specialist, talk
from bench.load.limit import pairs_a_second
from bench.load.programs import cpu_seconds, free_port, product, running
from bench.load.world import NOISE_BYTES, World, world
from bench.server import TABLES, URL, memory_megabytes
from marketplace.embedded import Stack, temporary

SEED = 7
WARM_UP_SECONDS = 2.0
ENVIRONMENT = {
    "PUBLIC_URL": "http://localhost:8000",
    "LOG_LEVEL": "INFO",
    "STRIPE_WEBHOOK_SECRET": "whsec_bench_only_bench_only_bench_only",
}


@dataclass(slots=True)
class Row:
    """One line of the table: what was asked, and what the answers and the cores came to."""

    name: str
    clients: int
    answers: Answers = field(default_factory=lambda: Answers(0))
    cpu: dict[str, float] = field(default_factory=dict)

    def text(self, ours: float | None = None, *, ratio: float | None = None) -> str:
        """The row with its rate, its times and the milliseconds of core that a pair took."""
        count = max(len(self.answers.milliseconds), 1)
        spent = "  ".join(f"{who} {1000 * each / count:.2f}" for who, each in self.cpu.items())
        ratio = ours / self.answers.rate if ours else ratio
        shown = f"{ratio:6.2f}" if ratio else "      "
        p50, p95, p99 = (self.answers.percentile(share) for share in (50, 95, 99))
        return (
            f"{self.name:<34} {self.clients:>3} {self.answers.rate:>8.0f} {p50:>7.2f} {p95:>7.2f}"
            f" {p99:>8.2f} {self.answers.failed:>4} {shown}  {spent}"
        )


HEAD = (
    f"{'what':<34} {'by':>3} {'pairs/s':>8} {'p50 ms':>7} {'p95':>7} {'p99':>8} {'bad':>4}"
    f" {'ratio':>6}  ms of core a pair"
)


class Bench:
    """The servers, and who works at them."""

    def __init__(self, world: World, stack: Stack, given: argparse.Namespace) -> None:
        self.world, self.stack, self.given = world, stack, given
        self.people = world.specialists(max(given.clients) + 2)
        self.everybody: list[Specialist] = []
        self.port = 0
        self.url = world.settings.owner_database_url.replace("+psycopg", "", 1)
        self.pids: dict[str, int] = {}

    def crowd(self, job_id: object, count: int, first: int = 0) -> list[Specialist]:
        """So many specialists at work in one job."""
        made = [Specialist(token, str(job_id)) for _, token in self.people[first : first + count]]
        self.everybody += made
        return made

    def turn(self, row: Row, people: list[Specialist], seconds: float | None = None) -> None:
        """One turn of these people, added to the row."""
        with self._spending(row):
            found = talk(self.port, people, seconds or self.given.seconds)
        if found.first_failure:
            sys.exit(f"An answer was not as it should be: {found.first_failure[:600]!r}")
        row.answers.add(found.pairs)

    def bare(self, row: Row, port: int) -> None:
        """One turn of the bare view, added to the row."""
        with self._spending(row):
            row.answers.add(ask(port, "/row", row.clients, self.given.seconds))

    @contextmanager
    def _spending(self, row: Row) -> Iterator[None]:
        before = self._spent()
        yield
        for who, seconds in self._spent().items():
            row.cpu[who] = row.cpu.get(who, 0) + seconds - before[who]

    def _spent(self) -> dict[str, float]:
        spent = {who: cpu_seconds(pid) for who, pid in self.pids.items()}
        return spent | {"load": time.process_time()}


def run(bench: Bench, bare_port: int) -> None:
    """Crowds, sizes, company and history, each in turns with what it is compared with."""
    given = bench.given
    jobs = {tasks: bench.world.job(tasks, given.payload_bytes) for tasks in given.tasks}
    limit_job = bench.world.job(given.limit_tasks, given.payload_bytes)
    bench.world.bench_people([person for person, _ in bench.people])
    veteran_job = bench.world.job(given.history + 10_000, given.payload_bytes)
    bench.world.past(bench.people[-1][0], veteran_job, given.history)
    bench.world.settle()
    print(HEAD)
    _crowds(bench, jobs[given.tasks[0]], limit_job, bare_port)
    _sizes(bench, jobs)
    _history(bench, veteran_job)
    _company(bench, jobs[given.tasks[0]])
    print(f"memory of the web server {memory_megabytes(bench.pids['web']):.0f} MB")
    wrongs = bench.world.wrongs(bench.everybody)
    print("Exact: no task over its overlap, none lost." if not wrongs else "; ".join(wrongs))
    if wrongs:
        sys.exit(1)


def _crowds(bench: Bench, job_id: UUID, limit_job: UUID, bare_port: int) -> None:
    """1, 8, 32 specialists, beside the bare view and beside pgbench with the same statements."""
    for clients in bench.given.clients:
        ours, peer = Row("claim + submit", clients), Row("  bare view: SELECT + INSERT", clients)
        limits = []
        crowd = bench.crowd(job_id, clients)
        bench.turn(Row("", clients), crowd, WARM_UP_SECONDS)
        for _ in range(bench.given.rounds):
            bench.turn(ours, crowd)
            bench.bare(peer, bare_port)
            limits.append(pairs_a_second(bench.url, limit_job, clients, bench.given.seconds))
        rate, mean = (sum(each) / len(limits) for each in zip(*limits, strict=True))
        print(ours.text())
        print(peer.text(ours.answers.rate))
        name = "  pgbench, the same statements"
        print(f"{name:<34} {clients:>3} {rate:>8.0f} {mean:>7.2f} (mean)"
              f" {ours.answers.rate / rate:>21.2f}")  # fmt: skip


def _in_turns(bench: Bench, rows: list[tuple[Row, list[Specialist]]]) -> None:
    """Several crowds in short turns; each row's ratio is its median to that of the first."""
    for row, crowd in rows:
        bench.turn(Row("", row.clients), crowd, WARM_UP_SECONDS)
    for _ in range(bench.given.rounds * 2):
        for row, crowd in rows:
            bench.turn(row, crowd, bench.given.seconds / 2)
    first = rows[0][0].answers.percentile(50)
    for row, _ in rows:
        print(row.text(ratio=row.answers.percentile(50) / first))


def _sizes(bench: Bench, jobs: dict[int, UUID]) -> None:
    """The same crowd in jobs of different sizes."""
    print("how p50 depends on the size of the job, the specialist's past, the number of jobs")
    clients = 4
    _in_turns(bench, [
        (Row(f"job of {tasks:,} tasks", clients), bench.crowd(job_id, clients))
        for tasks, job_id in sorted(jobs.items())
    ])  # fmt: skip


def _history(bench: Bench, job_id: UUID) -> None:
    """One who has done many tasks of the job beside one who has done none."""
    last = len(bench.people) - 1
    many = f"{bench.given.history:,} tasks done"
    _in_turns(bench, [
        (Row("nothing done before", 1), bench.crowd(job_id, 1, last - 1)),
        (Row(many, 1), bench.crowd(job_id, 1, last)),
    ])  # fmt: skip


def _company(bench: Bench, job_id: UUID) -> None:
    """The same crowd with few open jobs, then with many beside its own."""
    crowd, few = bench.crowd(job_id, 4), Row("few open jobs", 4)
    many = Row(f"{bench.given.open_jobs:,} open jobs", 4)
    bench.turn(Row("", 4), crowd, WARM_UP_SECONDS)
    bench.turn(few, crowd)
    bench.world.more_jobs(job_id, bench.given.open_jobs)
    bench.world.settle()
    bench.turn(Row("", 4), crowd, WARM_UP_SECONDS)
    bench.turn(many, crowd)
    print(few.text())
    print(many.text(ratio=many.answers.percentile(50) / few.answers.percentile(50)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Start everything in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each turn")
    parser.add_argument("--rounds", type=int, default=2, help="turns for each figure")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server")
    parser.add_argument("--threads", type=int, default=5, help="threads of each process")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 32])
    parser.add_argument("--tasks", type=int, nargs="*", default=[20_000, 2_000])
    parser.add_argument("--limit-tasks", type=int, default=20_000, help="the job of pgbench")
    parser.add_argument("--history", type=int, default=5_000, help="tasks that one has done")
    parser.add_argument("--open-jobs", type=int, default=500, help="beside the one measured")
    parser.add_argument("--payload-bytes", type=int, default=2_000)
    given = parser.parse_args(arguments)
    random.seed(SEED)
    noise = "".join(random.choices(string.ascii_letters + " ", k=NOISE_BYTES))
    print(
        f"Python {platform.python_version()}, Flask {version('flask')}, SQLAlchemy"
        f" {version('sqlalchemy')}, granian {version('granian')}, {os.cpu_count()} cores, seed"
        f" {SEED}; {given.workers} workers x {given.threads} threads; {given.rounds} turns of"
        f" {given.seconds:g} s a figure, in turns with the bare view"
    )
    with ExitStack() as open_now:
        stack = open_now.enter_context(temporary(durable=True))
        here = open_now.enter_context(world(stack, ENVIRONMENT, noise))
        for statement in TABLES:
            here.owner.execute(statement)
        here.owner.commit()
        bench = Bench(here, stack, given)
        environment = stack.environment | ENVIRONMENT
        bench.port, bare_port = free_port(), free_port() + 1
        command = product(given.workers, bench.port, given.threads)
        web = open_now.enter_context(running(command, bench.port, "/healthz", environment))
        owner_url = here.settings.owner_database_url.replace("+psycopg", "", 1)
        peer = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(bare_port), "--workers", str(given.workers), "--blocking-threads",
            str(given.threads), "--log-level", "warning", "--no-ws", "--factory",
            "bench.server:bare",
        ]  # fmt: skip
        bare = running(peer, bare_port, "/nothing", environment | {URL: owner_url})
        flask = open_now.enter_context(bare)
        bench.pids = {"postgres": stack.pids["postgres"], "web": web, "bare": flask}
        if "redis" in stack.pids:
            bench.pids["redis"] = stack.pids["redis"]
        run(bench, bare_port)


if __name__ == "__main__":
    main()
