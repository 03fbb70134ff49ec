"""Plain SQL for the hot path: straight on the driver, prepared once by the server.

A statement is written with `%(name)s` for its values and runs in the session's own transaction,
without what the ORM does for each statement and each row. `plain_sql` gives rows; `made` makes a
model's row of plain values; `Remembered` keeps rows that seldom change while they stay the same.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import ColumnElement, Connection, Select, literal_column
from sqlalchemy import select as sql_select
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, manager_of_class
from sqlalchemy.orm.util import identity_key

from marketplace.db import Root, engine

_NAMED = re.compile(r"%(?:%|\((\w+)\)s)")
_CONNECTION = "statements.connection"
M = TypeVar("M", bound=Root)


@functools.cache
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """A statement as the server reads it, with $1 for its first value, and the values' names."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return "%" if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

    return _NAMED.sub(number, statement).encode(), tuple(numbers)


def plain_sql(session: Session, statement: str, **values: Any) -> list[Any]:
    """The rows of SQL as it is written, by the names of their columns; none without RETURNING.

    What the session holds is written first. Its objects are not refreshed: the caller expires
    those whose rows the statement changes (`forget`). Raises SQLAlchemy's kinds of errors.
    """
    session.flush()  # The statement must see what the session still holds back.
    connection = _connection(session)
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    query, names = _numbered(statement)
    cursor = psycopg.RawCursor(driver, row_factory=namedtuple_row)
    try:
        cursor.execute(query, [values[name] for name in names])
        return cursor.fetchall() if cursor.rownumber is not None else []
    except psycopg.Error as wrong:
        if driver.closed:
            connection.invalidate(wrong)
        # Parameters stay out of error texts: they are what people typed.
        raise DBAPIError.instance(
            statement, None, wrong, psycopg.Error, True, driver.closed, connection.dialect
        ) from wrong


def _connection(session: Session) -> Connection:
    """The session's connection, asked for once in each transaction or savepoint."""
    inside = session.get_nested_transaction() or session.get_transaction()
    known = session.info.get(_CONNECTION)
    if known is not None and known[0] is inside and not known[1].closed:
        return cast("Connection", known[1])
    connection = session.connection()
    inside = session.get_nested_transaction() or session.get_transaction()
    session.info[_CONNECTION] = inside, connection
    return connection


def forget(session: Session, kind: type[Root], row_id: object) -> None:
    """Let the session read a row anew when it is next looked at, if it has it at all."""
    known = session.identity_map.get(identity_key(kind, row_id))
    if known is not None:
        session.expire(known)


def insert_sql(kind: type[Root], prefix: str = "") -> str:
    """The INSERT of a whole row of a model, with the values of `values_of` under that prefix."""
    names = [column.name for column in kind.__table__.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f"%({prefix}{name})s" for name in names)
    # Nothing but names of our own models stands in it.
    return f"INSERT INTO {kind.__tablename__} ({quoted}) VALUES ({values})"  # noqa: S608


@functools.cache
def _bind_processors(kind: type[Root]) -> dict[str, Callable[[Any], Any] | None]:
    dialect = engine().dialect
    return {
        column.name: column.type._cached_bind_processor(dialect)
        for column in kind.__table__.columns
    }


def values_of(row: Root, prefix: str = "") -> dict[str, Any]:
    """The columns of a fresh row as the driver takes them; what was left unset is NULL."""
    found, held = {}, instance_dict(row)
    for name, processed in _bind_processors(type(row)).items():
        value = held.get(name)
        found[prefix + name] = value if value is None or processed is None else processed(value)
    return found


def made(kind: type[M], **values: Any) -> M:
    """A row of a model with these values, as if it had been loaded: no defaults, no history."""
    row = manager_of_class(kind).new_instance()
    instance_dict(row).update(values)
    return row


def written(session: Session, row: M) -> M:
    """Take into the session a fresh row that plain SQL has written, as if it had been loaded."""
    held = instance_dict(row)
    for name in _bind_processors(type(row)):
        held.setdefault(name, None)
    make_transient_to_detached(row)
    session.add(row)
    return row


def condition_sql(kind: type[Root], condition: ColumnElement[bool]) -> tuple[str, dict[str, Any]]:
    """A condition on the rows of a table as SQL, with its values, to stand in plain SQL."""
    asked = sql_select(kind.__table__.c.id).where(condition)
    compiled = asked.compile(dialect=engine().dialect, compile_kwargs={"render_postcompile": True})
    values = {
        name: value.value if isinstance(value, StrEnum) else value
        for name, value in compiled.construct_params().items()
    }
    return compiled.string.partition("WHERE ")[2], values


class Remembered(Generic[M]):
    """Rows of a model that change seldom and are wanted by each request.

    This process keeps their values with the version of the row that the server names (`version`),
    and takes them again only while a statement of the same transaction sees that very version.
    Nobody writes into the lists and objects of such a row: they are shared.
    """

    ROWS_MAX = 2_000

    def __init__(self, kind: type[M]) -> None:
        self._kind = kind
        self._kept: dict[UUID, tuple[str, dict[str, Any]]] = {}

    @staticmethod
    def version(table: str) -> str:
        """The SQL of a row's version: where it lies, and which transaction wrote it there."""
        return f"{table}.xmin::text || {table}.ctid::text"

    def row(self, session: Session, row_id: UUID, version: str) -> M:
        """The row with this id, whose version the session's transaction has just read."""
        kept = self._kept.get(row_id)
        known = session.identity_map.get(identity_key(self._kind, row_id))
        if kept is None or kept[0] != version or known is not None:
            return self._read(session, row_id)
        return written(session, made(self._kind, **kept[1]))

    def _read(self, session: Session, row_id: UUID) -> M:
        seen: ColumnElement[str] = literal_column(self.version(self._kind.__tablename__))
        asked = sql_select(self._kind, seen).where(self._kind.__table__.c.id == row_id)
        row, version = session.execute(asked, execution_options={"populate_existing": True}).one()
        if len(self._kept) >= self.ROWS_MAX:
            self._kept.clear()
        values = instance_dict(row)
        columns = _bind_processors(self._kind)
        self._kept[row_id] = version, {name: values[name] for name in columns}
        return row


class Fixed:
    """A statement that becomes SQL once, at its first run.

    Texts, numbers and enums stand in the SQL itself, so that the server keeps one plan and can
    use partial indexes; `bindparam`s with `required=False` are given at each run, those with a
    `callable_` are asked at each run.
    """

    def __init__(self, build: Callable[[], Select[Any]]) -> None:
        self._build = build

    @functools.cached_property
    def _made(self) -> PGCompiler:
        options = {"render_postcompile": True}
        made = self._build().compile(dialect=engine().dialect, compile_kwargs=options)
        return cast("PGCompiler", made)

    @functools.cached_property
    def _asked(self) -> dict[str, Callable[[], Any]]:
        return {name: each.callable for name, each in self._made.binds.items() if each.callable}

    @functools.cached_property
    def sql(self) -> str:
        """The SQL, with `%(name)s` for what is given or asked at each run."""
        statement = self._made.string
        for name, value in self._made.construct_params().items():
            if value is not None and name not in self._asked:
                statement = statement.replace(f"%({name})s", _literal(value))
        return statement

    def asked(self) -> dict[str, Any]:
        """The values that are asked at each run."""
        return {name: ask() for name, ask in self._asked.items()}

    def run(self, session: Session, **values: Any) -> list[Any]:
        """Its rows, with these values."""
        return plain_sql(session, self.sql, **values, **self.asked())


def _literal(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, StrEnum):
        value = value.value
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("%", "%%") + "'"
    raise TypeError(f"{type(value).__name__} has no place in a statement that is made once.")
