"""The programs that are measured: started, waited for, weighed and stopped by their ids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

from marketplace.embedded.ports import free_ports

START_SECONDS = 60.0
END_SECONDS = 15.0
TICK = os.sysconf("SC_CLK_TCK")


def product(workers: int, port: int, threads: int | None = None) -> list[str]:
    """The command that serves the product, as an installation runs it."""
    chosen = ["--threads", str(threads)] if threads else []
    return [
        sys.executable, "-m", "marketplace.cli", "web", "--port", str(port),
        "--workers", str(workers), *chosen,
    ]  # fmt: skip


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    return free_ports(20_000 + os.getpid() % 10_000)[0]


@contextmanager
def running(
    command: list[str], port: int, path: str, environment: Mapping[str, str]
) -> Iterator[int]:
    """The process id of a server that answers on its port; its log is thrown away.

    It leads a group of its own, which ends with it: an interrupt of the measurement is not its
    workers', who would outlive a server that had to be killed.
    """
    child = subprocess.Popen(
        command,
        env=os.environ | dict(environment),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(child, port, path)
        yield child.pid
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a server and all that it started, also where it is interrupted once more."""
    try:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(END_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def end_as_interrupted() -> None:
    """Let SIGTERM unwind this program as Ctrl-C does, so that what it started ends too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _wait(child: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            asking = HTTPConnection("127.0.0.1", port, timeout=5)
            asking.request("GET", path)
            asking.getresponse().read()
            asking.close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{' '.join(map(str, child.args))} does not answer.")  # type: ignore[arg-type]


def cpu_seconds(pid: int) -> float:
    """Time that a program and all it started have spent on a core, of those still running."""
    spent, waiting = 0, [pid]
    while waiting:
        here = Path(f"/proc/{waiting.pop()}")
        try:
            words = (here / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            below = (here / "task" / here.name / "children").read_text(encoding="ascii").split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended meanwhile.
        spent += int(words[11]) + int(words[12])
        waiting += [int(each) for each in below]
    return spent / TICK
