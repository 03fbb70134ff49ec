"""The only opener of transactions, and what must not happen inside one."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import db, outbox
from marketplace.db import TransactionOpen, transaction
from marketplace.outbox import OutboxRow
from marketplace.settings import Settings
from marketplace.statements import plain_sql
from tests.conftest import hang_up


def rows() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(OutboxRow)) or 0


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Python could only complain about, such as connections that nobody closed."""
    heard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda said: heard.append(str(said.exc_value)))
    return heard


@db.outside_transaction
def call_someone(number: int, *, times: int) -> int:
    """Stands for a gateway's call."""
    return number * times


def test_it_commits_at_the_end_and_rolls_back_on_any_error(kept: Engine) -> None:
    with transaction() as session:
        outbox.enqueue(session, "test.kept")
    with contextlib.suppress(KeyboardInterrupt), transaction() as session:
        outbox.enqueue(session, "test.lost")
        session.flush()
        raise KeyboardInterrupt

    assert 1 == rows()


def test_it_refuses_to_nest_and_recovers(kept: Engine) -> None:
    with pytest.raises(TransactionOpen), transaction(), transaction():
        pass

    assert not db.in_transaction()
    assert 0 == rows()


def test_another_thread_has_its_own(kept: Engine) -> None:
    seen: list[bool | int] = []

    def elsewhere() -> None:
        seen.extend([db.in_transaction(), rows()])

    with transaction():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    assert [False, 0] == seen


def test_gateways_are_called_outside_only(session: Session) -> None:
    assert 6 == call_someone(2, times=3)
    with pytest.raises(TransactionOpen, match="call_someone"), transaction():
        call_someone(2, times=3)
    assert 6 == call_someone(2, times=3)


def test_a_url_is_taken_in_each_spelling() -> None:
    wanted = "postgresql+psycopg://app@host/name"

    assert {wanted} == {
        db.driver_url(f"{scheme}://app@host/name")
        for scheme in ("postgres", "postgresql", "postgresql+psycopg")
    }


def test_json_text_is_kept_letter_for_letter(session: Session) -> None:
    kept = '{"b": 1.10,  "a":[1e3 ]}'

    assert kept == session.scalar(text("SELECT CAST(:it AS json)::text"), {"it": kept})


def test_ids_are_stored_as_ids(session: Session) -> None:
    row_id = outbox.enqueue(session, "test.id", about=UUID(int=7))
    session.flush()
    session.expire_all()
    row = session.get(OutboxRow, row_id)

    assert row is not None
    assert (row_id, {"about": str(UUID(int=7))}) == (row.id, row.arguments)


def test_a_thread_keeps_its_line_for_lone_statements_until_the_server_ends_it(
    kept: Engine,
) -> None:
    asked = "SELECT pg_backend_pid() AS pid"
    with db.lookup() as session:
        first = plain_sql(session, asked)[0].pid
    with pytest.raises(DBAPIError), db.lookup() as session:
        plain_sql(session, "SELECT nothing")
    with db.lookup() as session:
        second = plain_sql(session, asked)[0].pid
    with db.lookup() as session:
        kept_on = plain_sql(session, asked)[0].pid
    with transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": second})
    with db.lookup() as session:
        third = plain_sql(session, asked)[0].pid

    assert second == kept_on
    assert 3 == len({first, second, third})
    assert not db.in_transaction()


def test_a_thread_that_ends_closes_its_line(kept: Engine, complaints: list[str]) -> None:
    pids: list[int] = []

    def elsewhere() -> None:
        with db.lookup() as session:
            pids.append(plain_sql(session, "SELECT pg_backend_pid() AS pid")[0].pid)

    gc.disable()  # No line may wait for the collector, which comes when it likes.
    try:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert_ended(pids)
    finally:
        gc.enable()
    assert [] == complaints


def test_a_thread_ends_in_peace_when_the_server_has_ended_its_line(
    kept: Engine, complaints: list[str]
) -> None:
    def elsewhere() -> None:
        with db.lookup() as session:
            pid = plain_sql(session, "SELECT pg_backend_pid() AS pid")[0].pid
        with transaction() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    gc.collect()

    assert [] == complaints


def test_a_fork_takes_no_line_of_its_parent(database: Engine, settings: Settings) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.kernel.forks", settings.database_url]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    child, mine, mine_again, another, another_again = map(int, ended.stdout.split())

    assert "" == ended.stderr
    assert (mine, another) == (mine_again, another_again)
    assert 3 == len({child, mine, another})


def test_a_pool_is_closed_when_the_last_request_has_given_its_connection_back(
    kept: Engine, complaints: list[str]
) -> None:
    held, answered = threading.Event(), threading.Event()

    def request() -> None:
        with transaction() as session:
            session.execute(text("SELECT 1"))
            held.set()
            answered.wait()

    thread = threading.Thread(target=request)
    thread.start()
    held.wait()
    threading.Timer(0.1, answered.set).start()
    hang_up(kept)
    thread.join()
    gc.collect()

    assert [] == complaints


def assert_ended(pids: list[int]) -> None:
    """The server's processes are gone, or go within a moment."""
    gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY(:pids))"
    for _ in range(200):
        with transaction() as session:
            if session.scalar(text(gone), {"pids": pids}):
                return
            session.execute(text("SELECT pg_sleep(0.02)"))
    pytest.fail("A line outlives its thread.")
