"""State in PostgreSQL: a small pool of connections, and one transaction with its objects."""

from __future__ import annotations

import hashlib
import queue
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from marketplace.sandbox.errors import no_such
from marketplace.sandbox.schema import create_tables

Body = dict[str, Any]
Row = dict[str, Any]
CONNECTIONS_MAX = 8
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Store:
    """Connections to the sandbox's database, shared by its threads.

    seed: with one, the n-th id is always the same; without, ids are random.
    """

    def __init__(self, database_url: str, *, seed: int | None = None) -> None:
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._idle: queue.LifoQueue[psycopg.Connection | None] = queue.LifoQueue()
        for _ in range(CONNECTIONS_MAX):
            self._idle.put(None)
        self.seed = seed
        with self.connection() as connection:
            create_tables(connection)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit; a new one when the server has hung up on the old."""
        idle = self._idle.get()
        connection: psycopg.Connection | None = None
        try:
            connection = _living(idle) or psycopg.connect(self._url, autocommit=True)
            yield connection
        finally:
            self._idle.put(connection)

    @contextmanager
    def transaction(
        self, account: str = "", *, request: Body | None = None, now: int | None = None
    ) -> Iterator[Tx]:
        """One transaction on behalf of an account ("" is the platform).

        request: `{"id", "idempotency_key"}` for the events it causes; now: virtual epoch seconds
        to work at, for timers that fall due while the clock is moved.
        """
        with self.connection() as connection, connection.transaction():
            at = self.now(connection) if now is None else now
            yield Tx(self, connection, at, account, request or {})

    def now(self, connection: psycopg.Connection) -> int:
        """Virtual time in epoch seconds: the real time plus the offset."""
        row = connection.execute("SELECT clock_offset_seconds FROM sandbox_state").fetchone()
        assert row is not None  # noqa: S101 - the schema inserts the only row.
        return int(time.time()) + int(row[0])

    def new_id(self, prefix: str, serial: int) -> str:
        """An id such as `tr_1Q…`: random, or derived from the seed and the serial."""
        if self.seed is None:
            return prefix + "".join(secrets.choice(_LETTERS) for _ in range(24))
        digest = hashlib.blake2b(f"{self.seed}:{prefix}:{serial}".encode(), digest_size=24)
        return prefix + "".join(_LETTERS[byte % 62] for byte in digest.digest())

    def close(self) -> None:
        """Close what is idle; the store cannot be used afterwards."""
        for _ in range(CONNECTIONS_MAX):
            connection = self._idle.get()
            if connection is not None:
                connection.close()


def _living(connection: psycopg.Connection | None) -> psycopg.Connection | None:
    if connection is None or connection.closed:
        return None
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        connection.close()
        return None
    return connection


@dataclass
class Tx:
    """One open transaction: virtual `now`, the acting account, and the objects it can reach."""

    store: Store
    connection: psycopg.Connection
    now: int
    account: str
    request: Body
    announced: list[str] = field(default_factory=list)

    def acting_for(self, account: str) -> Tx:
        """The same transaction on behalf of another account."""
        return replace(self, account=account)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside when it raises; events announced inside are forgotten."""
        before = len(self.announced)
        try:
            with self.connection.transaction():
                yield
        except BaseException:
            del self.announced[before:]
            raise

    def rows(self, query: sql.SQL | sql.Composed, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a query, as dicts."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, values).fetchall()

    def run(self, query: sql.SQL | sql.Composed, values: Sequence[object] = ()) -> int:
        """Execute a statement; how many rows it touched."""
        return self.connection.execute(query, values).rowcount

    def serial(self) -> int:
        """The next number of the one sequence that orders everything."""
        row = self.rows(sql.SQL("SELECT nextval('sandbox_serial') AS serial"))[0]
        return int(row["serial"])

    def new_id(self, prefix: str) -> str:
        """A fresh id."""
        # Random ids need no serial, and so no question to the database.
        serial = 0 if self.store.seed is None else self.serial()
        return self.store.new_id(prefix, serial)

    def insert(self, body: Body) -> Body:
        """Store a new object; its `object` field is its kind, keys with `_` stay private."""
        self.run(
            sql.SQL("INSERT INTO sandbox_objects VALUES (%s, %s, %s, %s, %s, %s)"),
            (
                body["id"],
                self.account,
                body["object"],
                self.serial(),
                body["created"],
                Jsonb(body),
            ),
        )
        return body

    def find(self, kind: str, object_id: str, *, lock: bool = False) -> Body | None:
        """The object of this account, or None; `lock` keeps others from changing it."""
        query = "SELECT body FROM sandbox_objects WHERE id = %s AND kind = %s AND account = %s"
        rows = self.rows(
            sql.SQL(query) + sql.SQL(" FOR UPDATE" if lock else ""),
            (object_id, kind, self.account),
        )
        return rows[0]["body"] if rows else None

    def need(self, kind: str, object_id: str, *, param: str = "id", lock: bool = False) -> Body:
        """The object of this account, or a 404 in Stripe's words."""
        body = self.find(kind, object_id, lock=lock)
        if body is None:
            raise no_such(kind, object_id, param=param)
        return body

    def save(self, body: Body) -> Body:
        """Store what was changed in an object."""
        self.run(
            sql.SQL("UPDATE sandbox_objects SET body = %s WHERE id = %s"),
            (Jsonb(body), body["id"]),
        )
        return body

    def schedule(self, kind: str, subject: str, due: int) -> None:
        """Have a timer run at a virtual time; of two times for the same, the earlier counts."""
        self.run(
            sql.SQL(
                "INSERT INTO sandbox_timers (due, kind, account, subject)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT (kind, account, subject)"
                " DO UPDATE SET due = least(sandbox_timers.due, excluded.due)"
            ),
            (due, kind, self.account, subject),
        )


def public(body: Body) -> Body:
    """The object as the API shows it: without the sandbox's private keys."""
    return {key: value for key, value in body.items() if not key.startswith("_")}
