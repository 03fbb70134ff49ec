"""The database: the declarative root, column types, and the only opener of transactions."""

from __future__ import annotations

import functools
import os
import select
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Engine,
    Enum,
    MetaData,
    Text,
    Uuid,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSON, JSONB
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.orm import (
    DeclarativeBase,
    Session,
    mapped_column,
    sessionmaker,
)
from sqlalchemy.pool import NullPool

from marketplace.ids import KINDS, new_id

P = ParamSpec("P")
R = TypeVar("R")


class TransactionOpen(AssertionError):
    """A second transaction was opened inside one, or the network was used inside one."""


_ID_TYPES: dict[Any, Any] = dict.fromkeys(KINDS, Uuid())


class Root(DeclarativeBase):
    """The root of all models. Links across slices are foreign keys by table name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        **_ID_TYPES,
        bytes: BYTEA(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[str]: ARRAY(Text()),
    }


metadata = Root.metadata
IdKey = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
# JSON text is kept letter for letter, so it can be sent on without decoding.
JsonText = JSON


def text_enum(kind: type[StrEnum]) -> Enum:
    """A StrEnum stored as text; the migration holds the CHECK (see `one_of`)."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda cls: [member.value for member in cls],
    )


def one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    """The CHECK that keeps a text column to the members of an enum."""
    listed = ", ".join(f"'{member.value}'" for member in kind)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class _Database:
    """The engine of this process and the session factory over it."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.sessions: sessionmaker[Session] | None = None
        self.whole: sessionmaker[Session] | None = None  # The engine's own, in transactions.
        self.alone: sessionmaker[Session] | None = None  # Each statement by itself.


class _OwnLine:
    """A session for lone statements, closed with the thread that it belongs to.

    It goes when its thread's variables go. After a fork the child drops those of all threads but
    one: there the line is the parent's, and is kept, since to close it would end the parent's.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._opened_by = os.getpid()

    def __del__(
        self,
        process: Callable[[], int] = os.getpid,
        ending: Callable[[], bool] = sys.is_finalizing,
    ) -> None:
        if process() != self._opened_by:
            _parents_lines.append(self.session)
        elif not ending():
            self.session.close()


class _Line(threading.local):
    """A thread's own line, which stays open: a pool costs more than lone statements do."""

    own: _OwnLine | None = None


_database = _Database()
_parents_lines: list[Session] = []
_line = _Line()
_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


def driver_url(url: str) -> str:
    """The URL with the driver that we use, whichever spelling of PostgreSQL it came with."""
    for spelling in ("postgres://", "postgresql://"):
        if url.startswith(spelling):
            return "postgresql+psycopg://" + url.removeprefix(spelling)
    return url


def connect(url: str, *, pool_size: int = 10, **options: Any) -> Engine:
    """Set up this process's engine; no connection is made yet, and no fork shares one."""
    engine = create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_recycle=1800,
        **options,
    )
    event.listen(engine, "connect", _run_plans_as_they_are)
    event.listen(engine, "checkout", _refuse_hung_up)
    use_engine(engine)
    return engine


def _run_plans_as_they_are(connection: Any, record: object) -> None:
    """To compile a plan takes longer than any of ours runs: a feed took twice its time."""
    del record
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.commit()


def _refuse_hung_up(connection: Any, record: object, proxy: object) -> None:
    """Let the pool make a new connection in place of one whose server has ended it."""
    del record, proxy
    if _hung_up(connection):
        raise DisconnectionError("The server ended this connection.")


def _hung_up(connection: Any) -> bool:
    """Whether the server has ended a connection that nobody uses at this moment.

    A server that ends a connection says so, and nothing else is ever said between transactions;
    so there is something to read, which is seen without asking the server anything.
    """
    line = select.poll()
    line.register(connection.pgconn.socket, select.POLLIN)
    return bool(line.poll(0))


def use_engine(engine: Engine) -> None:
    """Let `transaction` use this engine."""
    _database.engine = engine
    _database.sessions = _database.whole = sessionmaker(engine, expire_on_commit=False)
    alone = create_engine(
        engine.url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=engine.hide_parameters,
    )
    event.listen(alone, "connect", _run_plans_as_they_are)
    _database.alone = sessionmaker(alone, expire_on_commit=False)
    _hang_up()


def disconnect() -> None:
    """Forget all connections without closing their sockets: a child does so, after a fork."""
    if _database.engine is not None:
        _database.engine.dispose(close=False)
    _line.own = None


os.register_at_fork(after_in_child=disconnect)


def engine() -> Engine:
    """This process's engine; for start-up checks and metrics, never for domain work."""
    if _database.engine is None:
        raise RuntimeError("db.connect() has not been called.")
    return _database.engine


def bind_sessions(sessions: sessionmaker[Session] | None) -> sessionmaker[Session] | None:
    """Swap the session factory and return the former one; tests join their outer transaction."""
    former = _database.sessions
    _database.sessions = sessions
    return former


@contextmanager
def transaction(*, snapshot: bool = False) -> Iterator[Session]:
    """The only opener: commits at the end, rolls back on any error, refuses to nest.

    snapshot: all of its statements see what stood when the first of them began.
    """
    if _open.get():
        raise TransactionOpen("A transaction is open already; pass its session on instead.")
    if _database.sessions is None:
        raise RuntimeError("db.connect() has not been called.")
    mark = _open.set(True)
    try:
        with _database.sessions() as session, session.begin():
            if snapshot and _database.sessions is _database.whole:  # Else a test's own is joined.
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session
    finally:
        _open.reset(mark)


@contextmanager
def lookup() -> Iterator[Session]:
    """A session for lone statements that need no transaction of their own: each is a whole one.

    Spares the server's BEGIN and COMMIT. It takes part in nothing, can undo nothing, and stays
    with its thread: what it read it may not keep, so no rows of models are loaded in it.
    """
    if _open.get():
        raise TransactionOpen("A transaction is open already; pass its session on instead.")
    if _database.sessions is not _database.whole:
        with transaction() as session:  # Tests join their outer transaction.
            yield session
        return
    mark = _open.set(True)
    try:
        yield _own_line()
    except SQLAlchemyError:
        _hang_up()
        raise
    finally:
        _open.reset(mark)


def _own_line() -> Session:
    """This thread's session for lone statements, anew where the server has ended its connection."""
    if _line.own is not None and _hung_up(_driver_of(_line.own.session)):
        _hang_up()
    if _line.own is None:
        if _database.alone is None:
            raise RuntimeError("db.connect() has not been called.")
        _line.own = _OwnLine(_database.alone())
    return _line.own.session


def _driver_of(session: Session) -> Any:
    return session.connection().connection.driver_connection


def _hang_up() -> None:
    if _line.own is not None:
        _line.own.session.close()
        _line.own = None


def in_transaction() -> bool:
    """Whether this thread of control has a transaction open."""
    return _open.get()


def outside_transaction(call: Callable[P, R]) -> Callable[P, R]:
    """Mark a gateway's call: it asserts that no transaction waits for the network."""

    @functools.wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if _open.get():
            raise TransactionOpen(f"{call.__qualname__} uses the network inside a transaction.")
        return call(*args, **kwargs)

    return guarded


def append_only(
    table: str, *, updatable: Sequence[str] = (), encrypted: Sequence[str] = ()
) -> list[str]:
    """The statements that make a table append-only, for its migration.

    A trigger refuses deletes, and updates of anything but `updatable` columns that are still
    NULL, and `encrypted` ones, which are encrypted anew when keys change; the unprivileged role
    (the migration's setting marketplace.app_role) loses the rights.
    """
    open_columns = (*updatable, *encrypted)
    listed = ", ".join(repr(column) for column in open_columns)
    kept = " AND ".join(
        [f"(OLD.{c} IS NULL OR OLD.{c} IS NOT DISTINCT FROM NEW.{c})" for c in updatable]
        + [f"(OLD.{c} IS NULL) = (NEW.{c} IS NULL)" for c in encrypted]
        + [f"to_jsonb(OLD) - ARRAY[{listed}]::text[] = to_jsonb(NEW) - ARRAY[{listed}]::text[]"]
    )
    columns = ", ".join(open_columns)
    rights = f"GRANT UPDATE ({columns}) ON {table} TO %1$I;" if columns else ""
    return [
        f"""CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'UPDATE' AND {kept} THEN RETURN NEW; END IF;
          RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation';
        END $$""",
        f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_append_only()""",
        f"""DO $$ BEGIN EXECUTE format(
          'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM %1$I; {rights}',
          current_setting('marketplace.app_role')); END $$""",
    ]


def lifecycle_guard(table: str, allowed: Mapping[str, Collection[str]]) -> list[str]:
    """The statements that let a table's `state` move only as a NEXT table says."""
    steps = ", ".join(f"'{now}>{then}'" for now in allowed for then in sorted(allowed[now]))
    return [
        f"""CREATE FUNCTION {table}_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.state IS DISTINCT FROM OLD.state
             AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[{steps}]::text[]) THEN
            RAISE EXCEPTION '{table} cannot go from % to %', OLD.state, NEW.state
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NEW;
        END $$""",
        f"""CREATE TRIGGER {table}_lifecycle BEFORE UPDATE OF state ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_lifecycle()""",
    ]
