"""Progress on standard error, for people who watch; silent for programs.

    with progress.bar(total, "Sending items", unit="bytes") as shown:
        shown.to(done)

Nothing is written where standard error is no terminal, with `--json` or with `--quiet`.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from marketplace.cli.output import duration, plain, size, wishes

REDRAWN_SECONDS = 0.1
BAR_PLACES = 24
RATE_AFTER_SECONDS = 1.0


class Bar:
    """A line that is drawn again and again. total: None where nobody knows it."""

    def __init__(self, total: int | None, words: str, unit: str, *, drawn: bool) -> None:
        self.total = total
        self.done = 0
        self._words = words
        self._unit = unit
        self._drawn = drawn
        self._began = time.monotonic()
        self._last = 0.0

    def add(self, count: int) -> None:
        """So much more is done."""
        self.to(self.done + count)

    def to(self, done: int, total: int | None = None) -> None:
        """So much is done, of a total that may have become known."""
        self.done = done
        self.total = total or self.total
        now = time.monotonic()
        if self._drawn and now - self._last >= REDRAWN_SECONDS:
            self._last = now
            self._write(self.line(now - self._began))

    def say(self, words: str) -> None:
        """Other words before the bar from now on."""
        self._words = words
        self.to(self.done)

    def end(self) -> None:
        """Draw the line a last time and leave it."""
        if self._drawn:
            self._write(self.line(time.monotonic() - self._began))
            sys.stderr.write("\n")
            sys.stderr.flush()

    def line(self, elapsed: float) -> str:
        """The line after so many seconds: words, bar, share, rate and time left."""
        rate = self.done / elapsed if elapsed > RATE_AFTER_SECONDS else 0.0
        parts = [self._words]
        if self.total:
            share = min(1.0, self.done / self.total)
            filled = round(share * BAR_PLACES)
            parts += ["█" * filled + "░" * (BAR_PLACES - filled), f"{share:4.0%}"]
        parts.append(
            self._amount(self.done) + (f" of {self._amount(self.total)}" * bool(self.total))
        )
        if rate:
            parts.append(f"{self._amount(round(rate))}/s")
        if rate and self.total and self.done < self.total:
            parts.append(f"{duration((self.total - self.done) / rate)} left")
        return "  ".join(parts)

    def _amount(self, count: int | None) -> str:
        if self._unit == "bytes":
            return size(count or 0)
        return f"{count or 0:,} {self._unit}".rstrip()

    def _write(self, line: str) -> None:
        room = shutil.get_terminal_size((100, 24)).columns - 1
        sys.stderr.write(f"\r\x1b[2K{plain(line)[:room]}")
        sys.stderr.flush()


def watched() -> bool:
    """Whether somebody watches: a terminal, and neither `--json` nor `--quiet`."""
    asked = wishes()
    return not asked.as_json and not asked.quiet and sys.stderr.isatty()


@contextmanager
def bar(total: int | None, words: str, *, unit: str = "") -> Iterator[Bar]:
    """A bar for the duration; unit: `bytes`, or a word such as `rows`."""
    shown = Bar(total, words, unit, drawn=watched())
    try:
        yield shown
    finally:
        shown.end()
