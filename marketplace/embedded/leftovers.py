"""Programs that outlived a killed parent: recorded while they run, found and ended later."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from marketplace.embedded.program import Program, kill_session

POLL_SECONDS = 0.02
ON_LINUX: bool = sys.platform == "linux"


def record(folder: Path, program: Program, pid: int) -> None:
    """Note that `program` runs as `pid`, so that a later start can end it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = [pid, _birth_of(pid), int(program.stop_signal), program.stop_seconds]
    draft = folder / f".{program.name}"
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.rename(folder / program.name)


def forget(folder: Path, program: Program) -> None:
    """Note that `program` ended."""
    (folder / program.name).unlink(missing_ok=True)


def end_leftovers(folder: Path) -> list[str]:
    """End every recorded program that still runs, and return their names.

    A number that belongs to another program by now is left alone: the time of birth tells. Call
    it only while holding the data folder's lock.
    """
    ended = []
    for note in sorted(folder.glob("[!.]*")):
        with suppress(ValueError):  # A record cut short by a power cut names nobody.
            pid, birth, ending, seconds = json.loads(note.read_text(encoding="utf-8"))
            if birth and _birth_of(pid) == birth:
                _end(pid, birth, signal.Signals(ending), seconds)
                ended.append(note.name)
        note.unlink()
    return ended


def _end(pid: int, birth: str, ending: signal.Signals, seconds: float) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, ending)
    deadline = time.monotonic() + seconds
    while _birth_of(pid) == birth:
        if time.monotonic() > deadline:
            kill_session(pid)
        time.sleep(POLL_SECONDS)


def _birth_of(pid: int) -> str:
    """When a living program began, as the system tells it; empty when it is gone or a zombie."""
    if ON_LINUX:
        return _birth_on_linux(pid)
    listed = subprocess.run(  # noqa: S603  A fixed command and a number.
        ["/bin/ps", "-p", str(pid), "-o", "lstart=,state="],
        capture_output=True,
        text=True,
        check=False,
    )
    birth, _, state = listed.stdout.strip().rpartition(" ")
    return "" if state.startswith("Z") else birth.strip()


def _birth_on_linux(pid: int) -> str:
    """Clock ticks since boot, with the boot's own name: unique across restarts of the machine."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    # The second field is the name in parentheses, which may hold spaces and parentheses itself.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else f"{boot}/{fields[18]}"
