"""Fixtures: a real PostgreSQL and Redis, migrated once; each test rolls back what it did.

`session` joins an outer transaction by savepoints, and so does `db.transaction()`; deferred
constraints are checked before the rollback. `committed` really commits and truncates afterwards.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, NullPool, QueuePool, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from marketplace import db, factory
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import Stack, temporary
from marketplace.identity import service as identity
from marketplace.settings import Settings
from marketplace.worker import names

# What migrations filled: the version of the schema, and the catalogue.
KEPT = frozenset(
    {"alembic_version", "catalogue_version", "profession", "specialty", "credential_type"}
)
WEBHOOK_SECRET = "whsec_tests_only_tests_only_tests_only"


class NetworkUsed(AssertionError):
    """A test tried to leave this machine."""


def _loopback_only(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    host = str(arguments[1][0])
    if host != "localhost" and not ipaddress.ip_address(host.split("%", maxsplit=1)[0]).is_loopback:
        raise NetworkUsed(f"A test connects to {host}; tests stay on loopback.")


# Every change is tried on the same examples, so that none is refused for what another one did;
# the long run draws new ones, and more.
hypothesis.settings.register_profile("short", derandomize=True, max_examples=50, deadline=None)
hypothesis.settings.register_profile("long", max_examples=100, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Keep every socket of the test process on loopback, and passwords and memory cheap."""
    sys.addaudithook(_loopback_only)
    # A process that holds a hundred thousand objects for good need not look at them all the time:
    # a tenth of the suite went into it.
    gc.set_threshold(50_000, 20, 20)
    chosen = config.getoption("markexpr", "")
    hypothesis.settings.load_profile("short" if chosen == "not slow" else "long")
    # Thousands of people are made here, and none of them has anything to lose.
    identity.use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL and Redis of our own, for this run."""
    with temporary() as running:
        yield running


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    """Settings that lead to the test servers; mail and files go to temporary folders."""
    folder = Path(tempfile.mkdtemp(prefix="marketplace-tests-"))
    environment = stack.environment | {
        "STORAGE_URL": str(folder / "storage"),
        "MAILBOX_DIR": str(folder / "mailbox"),
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "PUBLIC_URL": "http://localhost:8000",
        # Nothing listens there: a test that needs a register brings one.
        "NPPES_API_BASE": "http://127.0.0.1:9/",
        "PUBLIC_DEVELOPMENT": "1",
        # Tests that join one connection cannot send from several threads at once.
        "PAYOUT_SENDERS": "1",
        "LOG_LEVEL": "ERROR",
    }
    return Settings.from_environ(environment)


@pytest.fixture(scope="session")
def database(settings: Settings) -> Iterator[Engine]:
    """The migrated database, as the unprivileged role; everything process-wide is set up."""
    upgrade(settings.owner_database_url, app_role=role_of(settings.database_url))
    names.bind_all()  # All slices are there, so tables refer to each other.
    factory.start(settings)
    yield db.engine()
    hang_up(db.engine())


@pytest.fixture(scope="session")
def app(database: Engine, settings: Settings) -> Flask:
    """The application; made once, since making it takes as long as twenty tests."""
    made = factory.create_app(settings)
    made.jinja_env.auto_reload = False  # Nobody edits pages meanwhile, and looking costs a tenth.
    return made


@pytest.fixture
def session(database: Engine) -> Iterator[Session]:
    """A session in an outer transaction that is rolled back; `transaction()` joins it."""
    with database.connect() as connection:
        outer = connection.begin()
        joined = sessionmaker(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        former = db.bind_sessions(joined)
        try:
            with joined() as session:
                yield session
                session.flush()
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        finally:
            db.bind_sessions(former)
            if outer.is_active:
                outer.rollback()


@pytest.fixture
def owner_engine(settings: Settings) -> Iterator[Engine]:
    """A connection as the owner: for truncating, and for trying what the owner may not do."""
    engine = create_engine(db.driver_url(settings.owner_database_url), poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def committed(database: Engine, owner_engine: Engine, settings: Settings) -> Iterator[Engine]:
    """Transactions really commit; everything is truncated before and after."""
    empty(owner_engine, settings)
    yield database
    empty(owner_engine, settings)


def hang_up(engine: Engine, *, seconds: float = 10.0) -> None:
    """Close the connections of an engine as soon as no thread of an ended server uses one.

    What is given back to a pool that was disposed of meanwhile is closed by nobody.
    """
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    until = time.monotonic() + seconds
    while pool.checkedout():
        assert time.monotonic() < until, "Somebody still uses a connection."
        time.sleep(0.01)
    engine.dispose()


def empty(owner: Engine, settings: Settings) -> None:
    """Truncate what is filled, and forget what Redis holds.

    To truncate all tables takes a hundred times as long as to ask which of them hold anything.
    """
    names = [f'"{table.name}"' for table in db.metadata.sorted_tables if table.name not in KEPT]
    ask = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {name}) THEN '{name}' END" for name in names)
    with owner.begin() as connection:
        filled = connection.scalar(text(f"SELECT array_remove(ARRAY[{ask}], NULL)"))
        if filled:
            listed = ", ".join(filled)
            connection.execute(text(f"TRUNCATE {listed} RESTART IDENTITY CASCADE"))
    with Redis.from_url(settings.redis_url) as redis:
        redis.flushdb()


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """An empty Redis."""
    with Redis.from_url(settings.redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder of real input; tests that need it skip where it is not set."""
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set: this test needs the real input.")
    return Path(folder)
