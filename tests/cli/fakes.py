"""Tiny programs that stand for the parts of a stack, and a supervisor over them."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.cli.parts import Part
from marketplace.cli.supervisor import Supervisor
from marketplace.embedded import Program

STAYS = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.02; done"
ENVIRONMENT = {"PATH": os.environ["PATH"]}


def program(name: str, script: str, *, stop_seconds: float = 5.0) -> Program:
    """A shell script as a program."""
    return Program(name, ("/bin/sh", "-c", script), ENVIRONMENT, stop_seconds=stop_seconds)


def stop_us() -> None:
    """Ask this process to stop, as Ctrl-C would."""
    os.kill(os.getpid(), signal.SIGINT)


@dataclass
class Run:
    """A supervisor's run over `parts`; `complete` is called when all parts are ready."""

    folder: Path
    parts: list[Part]
    complete: Callable[[], None] = stop_us
    on_say: Callable[[str], None] = lambda _: None
    said: list[str] = field(default_factory=list)

    def go(self) -> None:
        """Run until something stops it."""
        Supervisor(
            self.parts,
            logs=self.folder / "logs",
            records=self.folder / "running",
            say=self._say,
            complete=self.complete,
        ).run()

    def log(self, name: str) -> list[str]:
        """What a part said, line by line."""
        return (self.folder / "logs" / f"{name}.log").read_text(encoding="utf-8").splitlines()

    def _say(self, sentence: str) -> None:
        self.said.append(sentence)
        self.on_say(sentence)
