"""One part while the stack runs: its child, its log, its deaths."""

import subprocess
from collections import deque
from typing import IO

from marketplace.cli.part_log import Output
from marketplace.cli.parts import Part

DEATHS_WINDOW_SECONDS = 60.0
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 5.0


class StackFailed(Exception):
    """A part cannot be kept running; the message names it, its end and its last lines."""


class Runner:
    """One part while the stack runs: its child, its log, its deaths."""

    def __init__(self, part: Part, output: Output) -> None:
        self.part = part
        self.output = output
        self.child: subprocess.Popen[bytes] | None = None
        self.pipe: IO[bytes] | None = None
        self.is_ready = False
        self.due_at = 0.0
        self.started_at = 0.0
        self.deaths: deque[float] = deque()

    @property
    def runs(self) -> bool:
        """Whether its child was started and has not been reaped."""
        return self.child is not None

    def died(self, now: float) -> float:
        """Count a death and return the seconds to wait before the next start."""
        self.deaths.append(now)
        while now - self.deaths[0] > DEATHS_WINDOW_SECONDS:
            self.deaths.popleft()
        return min(BACKOFF_FIRST_SECONDS * 2.0 ** len(self.deaths) / 2, BACKOFF_MAX_SECONDS)

    def failure(self, code: int, reason: str) -> StackFailed:
        """The message that tells a person what to look at."""
        ended = f"signal {-code}" if code < 0 else f"exit {code}"
        lines = "\n".join(f"    {line}" for line in self.output.last) or "    (nothing)"
        return StackFailed(
            f"{self.part.name} {reason} ({ended}). The last it said:\n{lines}\n"
            f"The whole log is {self.output.path}."
        )
