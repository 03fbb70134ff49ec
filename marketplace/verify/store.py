"""What a proof says of each hand-in and verdict, kept on disk while a file is looked through."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BATCH = 5_000
TABLES = """
CREATE TABLE handed_in (id TEXT PRIMARY KEY, number INTEGER, commitment BLOB, salt BLOB)
  WITHOUT ROWID;
CREATE TABLE verdict (id TEXT PRIMARY KEY, number INTEGER, commitment BLOB) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What the chain knows of a hand-in. commitment: None for one from before there were any;
    salt: None where its author was erased, or where the proof opens nothing."""

    number: int
    commitment: bytes | None
    salt: bytes | None


class Store:
    """A database in a temporary file; a million hand-ins take no memory to speak of."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;"
        )
        self._connection.executescript(TABLES)
        self._connection.execute("BEGIN")
        self._handed: list[tuple[str, int, bytes | None, bytes | None]] = []

    def hand_in(self, id_: str, known: HandedIn) -> None:
        """Keep what the chain says of a hand-in."""
        self._handed.append((id_, known.number, known.commitment, known.salt))
        if len(self._handed) >= BATCH:
            self._flush()

    def verdict(self, id_: str, number: int, commitment: bytes) -> None:
        """Keep what the chain says of a verdict."""
        row = (id_, number, commitment)
        self._connection.execute("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?)", row)

    def handed_in(self, id_: str) -> HandedIn | None:
        """What the chain says of the hand-in with this id, if it has one."""
        self._flush()
        asked = "SELECT number, commitment, salt FROM handed_in WHERE id = ?"
        row = self._connection.execute(asked, (id_,)).fetchone()
        return None if row is None else HandedIn(*row)

    def verdict_of(self, id_: str) -> bytes | None:
        """The commitment to the verdict with this id, if the chain has one."""
        asked = "SELECT commitment FROM verdict WHERE id = ?"
        row = self._connection.execute(asked, (id_,)).fetchone()
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _flush(self) -> None:
        if self._handed:
            # The first says it; another of the same id is a fault of the chain, told there.
            into = "INSERT OR IGNORE INTO handed_in VALUES (?, ?, ?, ?)"
            self._connection.executemany(into, self._handed)
            self._handed.clear()


@contextlib.contextmanager
def temporary_store() -> Iterator[Store]:
    """A store that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="marketplace-verify-") as folder:
        store = Store(Path(folder) / "proof.sqlite")
        try:
            yield store
        finally:
            store.close()
