"""One stack at a time on one data folder."""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from marketplace.embedded.faults import CannotStart


class AlreadyRuns(CannotStart):
    """Another stack holds the data folder."""


class Lock:
    """Held from construction until `release` or the end of the program, whichever comes first."""

    FILE = "lock"

    def __init__(self, data_dir: Path) -> None:
        """Raises AlreadyRuns, or CannotStart where the folder cannot be written."""
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._number = os.open(data_dir / self.FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise CannotStart(
                f"The data folder {data_dir} cannot be written ({fault.strerror}):"
                " choose another with DATA_DIR or --data-dir."
            ) from fault
        try:
            fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            os.close(self._number)
            if fault.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise CannotStart(f"{data_dir} cannot be locked: {fault.strerror}.") from fault
            raise AlreadyRuns(f"The stack on {data_dir} already runs.") from fault

    def release(self) -> None:
        """Let another stack start."""
        os.close(self._number)

    @classmethod
    def is_free(cls, data_dir: Path) -> bool:
        """Whether no stack runs on `data_dir` at this moment."""
        if not (data_dir / cls.FILE).exists():
            return True
        try:
            cls(data_dir).release()
        except AlreadyRuns:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
