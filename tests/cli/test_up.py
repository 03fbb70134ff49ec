"""`marketplace up` for real: every part runs, one that is killed comes back, all of them stop."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from marketplace.embedded import Lock
from marketplace.embedded.ports import free_ports
from tests.embedded.places import forget_place, living

PARTS = {"postgres", "redis", "migrate", "web", "sandbox", "worker", "relay"}
PATIENCE_SECONDS = 120


class Up:
    """A running `marketplace up`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        (self.port,) = free_ports(0)
        self.said = data_dir.parent / "said"
        outside = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        with self.said.open("ab") as said:
            self.main = subprocess.Popen(
                [sys.executable, "-m", "marketplace.cli", "up", "--port", str(self.port)],
                env=outside | {"DATA_DIR": str(data_dir)},
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def pids(self) -> dict[str, int]:
        """The number of each running part by its name."""
        notes = (self.data_dir / "running").glob("[!.]*")
        return {note.name: json.loads(note.read_text(encoding="utf-8"))[0] for note in notes}

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds; fail when it does not, or when `up` ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.main.poll() is None, self.said.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, f"{what}: {self.said.read_text(encoding='utf-8')}"
            time.sleep(0.05)

    def all_ready(self) -> bool:
        """Whether readiness counts every part as up."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz?all=1").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.main.send_signal(signal.SIGINT)
        return self.main.wait(PATIENCE_SECONDS)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder, forgotten afterwards."""
    yield tmp_path / "data"
    forget_place(tmp_path / "data")


@pytest.fixture
def running(data_dir: Path) -> Iterator[Up]:
    """A stack that is up in every part."""
    up = Up(data_dir)
    try:
        up.until(up.all_ready, "all parts ready")
        up.until(lambda: "Ctrl-C stops everything" in up.said.read_text(), "the announcement")
        yield up
    finally:
        if up.main.poll() is None:
            up.main.kill()
        up.main.wait()


def test_a_whole_life(running: Up) -> None:
    pids = running.pids()
    assert PARTS - {"migrate"} == pids.keys()

    os.kill(pids["worker"], signal.SIGKILL)
    running.until(lambda: running.pids().get("worker") not in {None, pids["worker"]}, "a worker")
    running.until(running.all_ready, "all parts ready again")
    pids = running.pids()

    assert running.stop() == 0
    assert [] == living(list(pids.values()))
    assert {} == running.pids()
    assert Lock.is_free(running.data_dir)
    said = running.said.read_text(encoding="utf-8")
    assert "worker ended and is started again" in said
    assert f"http://localhost:{running.port}" in said
    assert "Traceback" not in said
    assert PARTS == {log.stem for log in (running.data_dir / "logs").glob("*.log")}
    private = running.data_dir / "environment"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_killed_supervisor_takes_its_parts_along(running: Up) -> None:
    pids = list(running.pids().values())

    running.main.kill()
    running.main.wait()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while living(pids):
        assert time.monotonic() < deadline, living(pids)
        time.sleep(0.05)
