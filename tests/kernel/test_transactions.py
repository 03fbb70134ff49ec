"""The only opener of transactions, and what must not happen inside one."""

from __future__ import annotations

import contextlib
import threading
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import db, outbox
from marketplace.db import TransactionOpen, transaction
from marketplace.outbox import OutboxRow
from marketplace.statements import plain_sql


def rows() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(OutboxRow)) or 0


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
