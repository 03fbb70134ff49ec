"""Requests a second under granian and under gunicorn, by a bare Flask view over PostgreSQL.

Run `python -m bench.server [--seconds N] [--rounds N] [--workers N] [--threads N] [--database-url
URL]`. The view `/row` does one indexed SELECT and one INSERT and commits; `/select` does the SELECT
alone; `/nothing` touches no database. Both servers get the same view, workers and threads, and a
connection for each thread, and are asked in turns, so that whatever else the machine does meets
both. The client holds its connections open and sends the next request when the last is answered.
Without a URL, the PostgreSQL is one of our own that does not wait for the disk. The figures of
`/row` are also the limit that the product's own pages are measured against.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.metadata import version
from itertools import product
from pathlib import Path

import psycopg
from flask import Flask, jsonify

from bench.load.connections import Answers, ask
from marketplace.embedded import temporary
from marketplace.embedded.ports import free_ports

ROWS = 100_000
WARM_UP_SECONDS = 1.0
START_SECONDS = 20.0
URL = "BENCH_DATABASE_URL"
CONNECTIONS = (8, 32)
PATHS = ("/nothing", "/select", "/row")
GUNICORN, GRANIAN = "gunicorn", "granian"
TABLES = (
    "DROP TABLE IF EXISTS bench_row, bench_answer",
    "CREATE TABLE bench_row (id bigint PRIMARY KEY, body text NOT NULL)",
    "INSERT INTO bench_row SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 100000) n",
    """CREATE TABLE bench_answer (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         row_id bigint NOT NULL REFERENCES bench_row, body text NOT NULL)""",
    "ANALYZE bench_row",
)


@dataclass(frozen=True, slots=True)
class Size:
    """Processes, and threads in each."""

    workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Figure:
    """What one server did with one path and one number of connections."""

    answers: Answers
    memory_megabytes: float


def bare() -> Flask:
    """The application that both servers serve: no middleware, no templates, no sign-in."""
    app = Flask(__name__)
    own = threading.local()

    def connection() -> psycopg.Connection[tuple[str]]:
        """This thread's connection, which nobody else uses."""
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(os.environ[URL])
        kept: psycopg.Connection[tuple[str]] = own.connection
        return kept

    def body_of(row: int) -> str:
        found = connection().execute("SELECT body FROM bench_row WHERE id = %s", (row,)).fetchone()
        return found[0] if found else ""

    def nothing() -> object:
        return jsonify(body="nothing")

    def select() -> object:
        body = body_of(random.randint(1, ROWS))
        connection().commit()
        return jsonify(body=body)

    def row() -> object:
        number = random.randint(1, ROWS)
        body = body_of(number)
        connection().execute(
            "INSERT INTO bench_answer (row_id, body) VALUES (%s, %s)", (number, body)
        )
        connection().commit()
        return jsonify(body=body)

    for view in (nothing, select, row):
        app.add_url_rule(f"/{view.__name__}", view_func=view)  # type: ignore[arg-type]
    return app


def command(server: str, port: int, size: Size) -> list[str]:
    """The command line that serves `bare` on a port of the loopback address."""
    program = [sys.executable, "-m", server]
    workers, threads = str(size.workers), str(size.threads)
    if server == GUNICORN:
        return [
            *program, "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
            "--workers", workers, "--threads", threads, "--log-level", "warning",
            "--keep-alive", "75", "bench.server:bare()",
        ]  # fmt: skip
    return [
        *program, "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", workers, "--blocking-threads", threads, "--log-level", "warning",
        "--no-ws", "--factory", "bench.server:bare",
    ]  # fmt: skip


@contextmanager
def serving(server: str, size: Size) -> Iterator[tuple[int, int]]:
    """The port and the process id of a server that answers; it is stopped afterwards."""
    (port,) = free_ports(20_000 + secrets.randbelow(10_000))
    child = subprocess.Popen(command(server, port, size))
    try:
        wait_until_it_answers(port, child)
        yield port, child.pid
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_until_it_answers(port: int, child: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; end the program when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            asking = HTTPConnection("127.0.0.1", port, timeout=2)
            asking.request("GET", "/nothing")
            asking.getresponse().read()
            asking.close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{' '.join(map(str, child.args))} does not answer.")  # type: ignore[arg-type]


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(below for child in children for below in family(int(child)))]


def memory_megabytes(pid: int) -> float:
    """Memory of a server and its workers; what they share counts once."""
    kilobytes = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def measure(size: Size, seconds: float, rounds: int) -> dict[tuple[str, str, int], Figure]:
    """A figure for each server, path and number of connections, from turns taken by both."""
    figures = {}
    with ExitStack() as running:
        served = {one: running.enter_context(serving(one, size)) for one in (GUNICORN, GRANIAN)}
        for path, connections in product(PATHS, CONNECTIONS):
            answers = {server: Answers(0) for server in served}
            for _, (port, _) in served.items():
                ask(port, path, connections, WARM_UP_SECONDS)
            for _, (server, (port, _)) in product(range(rounds), served.items()):
                answers[server].add(ask(port, path, connections, seconds))
            for server, (_, pid) in served.items():
                key = (server, path, connections)
                figures[key] = Figure(answers[server], memory_megabytes(pid))
    return figures


def print_table(figures: dict[tuple[str, str, int], Figure]) -> None:
    """One line a figure; the ratio is to gunicorn in the same line of work."""
    print(
        f"{'view':<9} {'connections':>11} {'server':<9} {'requests/s':>10} {'p50 ms':>7}"
        f" {'p99 ms':>7} {'failed':>6} {'MB':>5} {'ratio':>6}"
    )
    for path in PATHS:
        for connections in CONNECTIONS:
            peer = figures[GUNICORN, path, connections].answers.rate
            for server in (GUNICORN, GRANIAN):
                figure = figures[server, path, connections]
                answers = figure.answers
                print(
                    f"{path:<9} {connections:>11} {server:<9} {answers.rate:>10.0f}"
                    f" {answers.percentile(50):>7.1f} {answers.percentile(99):>7.1f}"
                    f" {answers.failed:>6} {figure.memory_megabytes:>5.0f}"
                    f" {answers.rate / peer if peer else 0:>6.2f}"
                )


def run(url: str, size: Size, seconds: float, rounds: int) -> None:
    """Make the tables, measure, print, and drop the tables."""
    os.environ[URL] = url
    with psycopg.connect(url) as connection:
        for statement in TABLES:
            connection.execute(statement)
        number = connection.info.server_version
    print(
        f"Python {platform.python_version()}, Flask {version('flask')}, granian"
        f" {version('granian')}, gunicorn {version('gunicorn')}, PostgreSQL {number // 10_000},"
        f" {os.cpu_count()} cores; {size.workers} workers x {size.threads} threads,"
        f" {rounds} turns of {seconds:g} s a figure after {WARM_UP_SECONDS:g} s of warming up"
    )
    print_table(measure(size, seconds, rounds))
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE bench_answer, bench_row")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both servers with the same size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each figure")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server")
    parser.add_argument("--threads", type=int, default=16, help="threads of each process")
    parser.add_argument("--database-url", default="", help="a PostgreSQL to use and clean up")
    given = parser.parse_args(arguments)
    size = Size(given.workers, given.threads)
    if given.database_url:
        run(given.database_url, size, given.seconds, given.rounds)
        return
    with temporary() as stack:
        url = stack.environment["OWNER_DATABASE_URL"].replace("+psycopg", "", 1)
        run(url, size, given.seconds, given.rounds)


if __name__ == "__main__":
    main()
