"""A whole stack as its user runs it, and the patience of a program that talks to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from marketplace.cli import environment
from marketplace.client import Refusal, Unreachable
from marketplace.embedded.ports import free_ports

PATIENCE_SECONDS = 240


@dataclass
class Running:
    """A whole stack as its user runs it."""

    data_dir: Path
    address: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | environment.read(self.data_dir)

    def pid(self, part: str) -> int:
        """The number of a part's process, as the stack wrote it down."""
        found: int = json.loads((self.data_dir / "running" / part).read_text())[0]
        return found

    def kill(self, part: str) -> None:
        """SIGKILL one part."""
        os.kill(self.pid(part), signal.SIGKILL)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on this stack."""
        return subprocess.run(
            [sys.executable, "-m", "marketplace.cli", "--data-dir", str(self.data_dir), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def program(self, module: str, *arguments: str, sent: Any = None) -> Any:
        """The JSON that a module prints last, run inside the stack's environment; sent: what it
        reads from its input, as JSON."""
        made = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            input=json.dumps(sent),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert 0 == made.returncode, made.stderr
        return json.loads(made.stdout.splitlines()[-1])


@contextmanager
def whole_stack(folder: Path) -> Iterator[Running]:
    """`marketplace up` in a folder, ready in all its parts; it must end well."""
    port = free_ports(0)[0]
    data_dir = folder / "stack"
    arguments = ["--data-dir", str(data_dir), "up", "--port", str(port)]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "marketplace.cli", *arguments], stdout=log, stderr=log
        )
    stack = Running(data_dir, f"http://127.0.0.1:{port}", process)
    try:
        eventually(lambda: httpx.get(f"{stack.address}/readyz?all=1").status_code == 200)
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert 0 == process.returncode, (folder / "up.log").read_text()


def eventually(question: Callable[[], bool]) -> None:
    """Wait until the answer is yes; lost connections count as no."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if question():
                return
        except (httpx.TransportError, Unreachable, Refusal):
            pass
        time.sleep(0.3)
    raise AssertionError("It did not come about in time.")


def patiently(call: Callable[[], Any]) -> Any:
    """What a program does that must get through: try again while the other side is away."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except Unreachable:
            if time.monotonic() > until:
                raise
        except Refusal as refusal:
            if refusal.status < 500 or time.monotonic() > until:
                raise
        time.sleep(0.2)
