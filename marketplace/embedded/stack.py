"""The two servers together: prepared for a supervisor, or started here for a while."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from marketplace.embedded import leftovers
from marketplace.embedded.binaries import postgres_binaries, redis_binary
from marketplace.embedded.faults import CannotStart
from marketplace.embedded.keys import Keys
from marketplace.embedded.lock import Lock
from marketplace.embedded.place import Place, place_for, temporary_parent, temporary_place
from marketplace.embedded.ports import kept_ports
from marketplace.embedded.postgres import PRODUCT, SANDBOX, Postgres
from marketplace.embedded.program import Program, spawn, stop
from marketplace.embedded.redis_server import Redis

READY_SECONDS = 60.0
POLL_SECONDS = 0.01
TEMPORARY_PREFIX = "temporary-"


@dataclass(frozen=True)
class Prepared:
    """Servers that can be started at once: what to run, when it is ready, where it answers."""

    data_dir: Path
    keys: Keys
    postgres: Postgres
    redis: Redis

    @property
    def servers(self) -> list[tuple[Program, Callable[[], bool]]]:
        """Each server's program with the question whether it is ready, in order of starting."""
        return [
            (self.postgres.program(), self.postgres.ready),
            (self.redis.program(), self.redis.ready),
        ]

    @property
    def records(self) -> Path:
        """The folder of the records of running programs."""
        return self.data_dir / "running"

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead to these servers, with the generated keys."""
        return self.keys.settings() | {
            "DATABASE_URL": self.postgres.url("app", PRODUCT),
            "OWNER_DATABASE_URL": self.postgres.url("owner", PRODUCT),
            "SANDBOX_DATABASE_URL": self.postgres.url(SANDBOX, SANDBOX),
            "REDIS_URL": self.redis.url(),
            "STORAGE_URL": str(self.data_dir / "storage"),
        }


def prepare(data_dir: Path) -> Prepared:
    """Make `data_dir` ready for its servers; the caller holds its `Lock`. Raises CannotStart."""
    data_dir = data_dir.resolve()
    keys = Keys(data_dir / "keys")
    (data_dir / "storage").mkdir(mode=0o700, exist_ok=True)
    return _prepared(data_dir, keys, place_for(data_dir, keys), durable=True)


def _prepared(data_dir: Path, keys: Keys, place: Place, *, durable: bool) -> Prepared:
    leftovers.end_leftovers(data_dir / "running")
    port, redis_port = kept_ports(data_dir / "ports", 2)
    binaries = postgres_binaries(place.binaries)
    postgres = Postgres(place, keys, binaries, port, durable)
    redis = Redis(place, keys, redis_binary(place.binaries), redis_port, durable)
    postgres.prepare()
    redis.prepare()
    return Prepared(data_dir, keys, postgres, redis)


class Stack:
    """Prepared servers, running. Use it as a context manager, or call `stop`."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []

    @property
    def environment(self) -> dict[str, str]:
        """See `Prepared.environment`."""
        return self.prepared.environment

    @property
    def pids(self) -> dict[str, int]:
        """The number of each running server by its name."""
        return {program.name: child.pid for program, child in self._running}

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Start both servers on the data of `data_dir`; the caller holds its `Lock`."""
        return cls(prepare(data_dir)).up()

    def up(self) -> Self:
        """Start the servers side by side and return when both answer."""
        logs = self.prepared.data_dir / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        try:
            for program, _ in self.prepared.servers:
                with (logs / f"{program.name}.log").open("ab") as log:
                    child = spawn(program, log)
                self._running.append((program, child))
                leftovers.record(self.prepared.records, program, child.pid)
            self._wait(logs)
        except BaseException:  # Ctrl-C must not leave servers behind either.
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both servers by their numbers; harmless when they are stopped."""
        while self._running:
            program, child = self._running.pop()
            stop(child, program)
            leftovers.forget(self.prepared.records, program)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait(self, logs: Path) -> None:
        deadline = time.monotonic() + READY_SECONDS
        questions = [ready for _, ready in self.prepared.servers]
        while not all(ready() for ready in questions):
            for program, child in self._running:
                if child.poll() is not None or time.monotonic() > deadline:
                    log = logs / f"{program.name}.log"
                    raise CannotStart(f"{program.name} did not start; its log is {log}.")
            time.sleep(POLL_SECONDS)


@contextmanager
def temporary(*, durable: bool = False) -> Iterator[Stack]:
    """A stack for tests and benchmarks: nothing of it survives its end.

    durable: writes wait for the disk as they do in earnest; else a power cut may lose them.
    """
    parent = temporary_parent()
    _sweep(parent or Path(tempfile.gettempdir()))
    # Paths to sockets are short, so the folder's name is too.
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=parent))
    try:
        with Lock(folder):
            place = temporary_place(folder)
            keys = Keys(folder / "keys")
            (folder / "storage").mkdir()
            prepared = _prepared(folder, keys, place, durable=durable)
            with Stack(prepared).up() as stack:
                yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove temporary stacks whose test run was killed: nobody holds their lock."""
    for folder in parent.glob(f"{TEMPORARY_PREFIX}*"):
        if (folder / Lock.FILE).exists() and Lock.is_free(folder):
            shutil.rmtree(folder, ignore_errors=True)
