"""What the database itself refuses, to the application and to the owner of the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from marketplace import db
from marketplace.cli.migrate import role_of
from marketplace.settings import Settings

NEXT = {"new": {"running", "ended"}, "running": {"ended"}, "ended": set[str]()}


@pytest.fixture(params=["app", "owner"])
def role(
    request: pytest.FixtureRequest, database: Engine, owner_engine: Engine, settings: Settings
) -> Iterator[Engine]:
    """A diary that only grows and a lamp with a lifecycle, as each role sees them."""
    with owner_engine.begin() as connection:
        app = role_of(settings.database_url)
        connection.execute(
            text("SELECT set_config('marketplace.app_role', :app, true)"), {"app": app}
        )
        connection.execute(
            text("CREATE TABLE diary (id int, text text, number int, seal text, said bytea)")
        )
        connection.execute(text("CREATE TABLE lamp (id int, state text)"))
        for statement in db.append_only("diary", updatable=("number", "seal"), encrypted=("said",)):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        for statement in db.lifecycle_guard("lamp", NEXT):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.execute(text("INSERT INTO diary VALUES (1, 'was', NULL, NULL, 'x')"))
        connection.execute(text("INSERT INTO lamp VALUES (1, 'new')"))
    yield database if request.param == "app" else owner_engine
    with owner_engine.begin() as connection:
        connection.execute(text("DROP TABLE diary, lamp"))
        connection.execute(text("DROP FUNCTION diary_append_only(), lamp_lifecycle()"))


def run(engine: Engine, *statements: str) -> int:
    with engine.begin() as connection:
        return [connection.execute(text(statement)).rowcount for statement in statements][-1]


def refused(engine: Engine, *statements: str) -> bool:
    try:
        run(engine, *statements)
    except DBAPIError as fault:
        return getattr(fault.orig, "sqlstate", "") in {"23001", "23514", "42501"}
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE diary SET text = 'never was'",
        "UPDATE diary SET number = 1, text = 'never was'",
        "UPDATE diary SET id = 2",
        "DELETE FROM diary",
    ],
)
def test_what_was_written_stays(role: Engine, statement: str) -> None:
    assert refused(role, statement)
    assert 1 == run(role, "SELECT 1 FROM diary WHERE id = 1 AND text = 'was' AND number IS NULL")


def test_what_is_encrypted_is_encrypted_anew_and_never_emptied(role: Engine) -> None:
    assert 1 == run(role, "UPDATE diary SET said = 'y' WHERE id = 1")
    assert refused(role, "UPDATE diary SET said = NULL WHERE id = 1")


def test_a_number_is_given_once(role: Engine) -> None:
    assert 1 == run(role, "UPDATE diary SET number = 1")
    assert 1 == run(role, "UPDATE diary SET number = 1, seal = 's'")
    assert refused(role, "UPDATE diary SET number = 2")
    assert refused(role, "UPDATE diary SET number = NULL")
    assert refused(role, "UPDATE diary SET seal = 't'")
    assert 1 == run(role, "INSERT INTO diary VALUES (2, 'new', NULL, NULL, NULL)")


def test_the_application_cannot_empty_the_table(role: Engine, database: Engine) -> None:
    assert refused(database, "TRUNCATE diary")
    assert refused(database, "ALTER TABLE diary DISABLE TRIGGER ALL")


@pytest.mark.parametrize("states", [["running", "ended"], ["ended"], ["running", "running"]])
def test_a_lifecycle_goes_forward(role: Engine, states: list[str]) -> None:
    for state in states:
        assert 1 == run(role, f"UPDATE lamp SET state = '{state}'")  # noqa: S608


@pytest.mark.parametrize("state", ["new", "running", "burning", ""])
def test_a_lifecycle_does_not_go_back(role: Engine, state: str) -> None:
    run(role, "UPDATE lamp SET state = 'ended'")

    assert refused(role, f"UPDATE lamp SET state = '{state}'")  # noqa: S608


@pytest.mark.parametrize("table", ["event", "audit"])
@pytest.mark.parametrize("by", ["app", "owner"])
def test_the_kernels_trails_are_append_only(
    kept: Engine, owner_engine: Engine, table: str, by: str
) -> None:
    columns = {
        "event": "(id, kind, subject_id, facts, announced_at)",
        "audit": "(id, verb, subject_id, facts, at)",
    }
    values = "(gen_random_uuid(), 'said', gen_random_uuid(), '{}', now())"
    engine = kept if by == "app" else owner_engine
    run(kept, f"INSERT INTO {table} {columns[table]} VALUES {values}")  # noqa: S608

    assert refused(engine, f"DELETE FROM {table}")  # noqa: S608
    assert refused(engine, f"UPDATE {table} SET facts = '[]'")  # noqa: S608
    assert 1 == run(engine, f"UPDATE {table} SET number = 1")  # noqa: S608
    assert refused(engine, f"UPDATE {table} SET number = 2")  # noqa: S608
