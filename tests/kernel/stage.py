"""Background functions for tests of the worker, and a worker process of the test's own.

A function shows what it did as facts in the database and as lists in Redis. Run as a program, this
module binds them and serves, as `marketplace worker` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from redis import Redis
from sqlalchemy import func, select, text

from marketplace import factory, limits, outbox
from marketplace.db import transaction
from marketplace.errors import GatewayError, Refused
from marketplace.outbox import Event, OutboxRow, Work
from marketplace.settings import Settings
from marketplace.worker import serve

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 20


def finish(work: Work, subject: str) -> None:
    """Say that the work on a subject was done, once however often it runs."""
    about = UUID(subject)
    with transaction() as session:
        said = session.scalar(
            select(Event.id).where(Event.subject_id == about, Event.kind == "test.done")
        )
        if said is None:
            outbox.announce(session, "test.done", about, {})
        outbox.done(session, work)


def linger(work: Work, subject: str) -> None:
    """Hold a row's transaction open until Redis says go: who kills the worker, kills it here."""
    limits.redis().rpush("test:began", subject)
    with transaction() as session:
        outbox.announce(session, "test.half", UUID(subject), {})
        session.flush()
        limits.redis().blpop(["test:go"], timeout=4)
    finish(work, subject)


def sleep_in_the_database(work: Work, seconds: float) -> None:
    """Stay inside a statement."""
    with transaction() as session:
        session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
        outbox.done(session, work)


def fail(work: Work, kind: str) -> None:
    """Fail in one of the ways that there are."""
    kinds: dict[str, Callable[[str], Exception]] = {
        "gateway": GatewayError, "refused": Refused, "ours": ZeroDivisionError,
    }  # fmt: skip
    with transaction() as session:
        outbox.announce(session, "test.never", work.id, {})
        raise kinds[kind]("Dr. Somebody")


FUNCTIONS = (
    ("test.finish", finish, 30),
    ("test.linger", linger, 30),
    ("test.sleep", sleep_in_the_database, 1),
    ("test.fail", fail, 30),
)


def done_with() -> int:
    """How many facts say that something was done."""
    with transaction() as session:
        rows = select(func.count()).where(Event.kind == "test.done")
        return session.scalar(rows) or 0


def open_rows() -> int:
    """How many rows are not done."""
    with transaction() as session:
        rows = select(func.count()).where(OutboxRow.done_at.is_(None))
        return session.scalar(rows) or 0


def eventually(what: Callable[[], bool]) -> bool:
    """Wait until something holds; False when it does not within `WAIT_SECONDS`."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def worker_process(
    settings: Settings, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of our own, killed at the end by its number if it still runs."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.kernel.stage"],
        cwd=ROOT,
        env={**os.environ, **environment, "REDIS_URL": settings.redis_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def main() -> None:
    """Serve until told to stop."""
    settings = Settings.from_environ(os.environ)
    for name, call, seconds in FUNCTIONS:
        outbox.background(name, time_limit_seconds=seconds)(call)
    factory.start(settings)
    with Redis.from_url(settings.redis_url) as redis:
        redis.rpush("test:up", os.getpid())
    serve.serve(settings.redis_url)


if __name__ == "__main__":
    main()
