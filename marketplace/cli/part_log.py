"""What a part says: kept in its log file, remembered for messages, echoed when asked."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

LOG_BYTES_MAX = 5_000_000
LINES_REMEMBERED = 12


class Output:
    """The log of one part. A log that grows past the limit becomes `NAME.log.1`, once."""

    def __init__(self, folder: Path, name: str, echo: Callable[[str], None] | None) -> None:
        self.path = folder / f"{name}.log"
        self.last: deque[str] = deque(maxlen=LINES_REMEMBERED)
        self._name = name
        self._echo = echo
        self._partial = b""
        self._file: BinaryIO = self.path.open("ab")

    def take(self, chunk: bytes) -> None:
        """Keep `chunk`, which may end in the middle of a line."""
        if self._file.tell() > LOG_BYTES_MAX:
            self._turn()
        self._file.write(chunk)
        self._file.flush()
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for line in lines:
            self._remember(line)

    def finish(self) -> None:
        """The part ended: what it left unfinished is a line too."""
        if self._partial:
            self._remember(self._partial)
            self._partial = b""

    def close(self) -> None:
        """Close the log file."""
        self._file.close()

    def _remember(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self.last.append(text)
        if self._echo:
            self._echo(f"{self._name:>10} | {text}")

    def _turn(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("ab")
