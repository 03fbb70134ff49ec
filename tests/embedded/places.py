"""Where the tests' stacks keep data outside their folder, so that they can remove it again."""

import hashlib
import os
import shutil
from pathlib import Path

from marketplace.embedded.place import SYSTEM_FOLDER


def plain(url: str) -> str:
    """The address as libpq reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def forget_place(data_dir: Path) -> None:
    """Remove what root's stack on `data_dir` keeps below the system folder."""
    if os.geteuid() == 0:
        name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
        for folder in SYSTEM_FOLDER.glob(f"{name}*"):
            shutil.rmtree(folder)


def living(pids: list[int]) -> list[int]:
    """Those that still run; one that only waits to be reaped does not."""
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]
