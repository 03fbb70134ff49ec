"""One child program: how it is started, tied to its parent, and stopped by its number."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from marketplace.embedded.faults import CannotStart

PR_SET_PDEATHSIG = 1
PRIVATE_UMASK = 0o077


@dataclass(frozen=True)
class Account:
    """The unprivileged account that servers run as when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to run. `stop_signal` asks it to end cleanly; `stop_seconds` is how long it may take."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


def spawn(program: Program, output: int | IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start `program` in a session of its own, both outputs going to `output`.

    Call it from the main thread only: Linux ends the child when the *thread* that made it ends.
    """
    account = program.account
    try:
        return subprocess.Popen(  # noqa: S603  The command is built from our own constants.
            program.command,
            env=dict(program.environment),
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches a whole terminal group; only the parent decides the order of stopping.
            start_new_session=True,
            preexec_fn=_tie_to_parent(program.stop_signal),  # noqa: PLW1509  Forked with one thread.
            umask=PRIVATE_UMASK,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as fault:
        raise CannotStart(f"{program.name} could not be started: {fault}.") from fault


def run(program: Program, *, text: str = "") -> "subprocess.CompletedProcess[str]":
    """Run `program` to its end with `text` as its input, and keep everything that it says."""
    account = program.account
    try:
        return subprocess.run(  # noqa: S603  The command is built from our own constants.
            program.command,
            env=dict(program.environment),
            cwd=program.folder,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            umask=PRIVATE_UMASK,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as fault:
        raise CannotStart(f"{program.name} could not be run: {fault}.") from fault


def stop(child: "subprocess.Popen[bytes]", program: Program) -> bool:
    """Ask `child` to end, wait, and kill its whole session when it does not. True: it obeyed."""
    if child.poll() is None:
        child.send_signal(program.stop_signal)
    try:
        child.wait(program.stop_seconds)
    except subprocess.TimeoutExpired:
        kill_session(child.pid)
        child.wait()
        return False
    return True


def kill_session(pid: int) -> None:
    """End the session that `pid` leads at once, its own children included."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _tie_to_parent(ending: signal.Signals) -> Callable[[], None] | None:
    """Have the kernel send `ending` to the child when its parent dies; Linux only.

    Elsewhere the next start finds the child by its record (`leftovers`).
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
        if os.getppid() != parent:  # The parent died before the kernel knew of the tie.
            os._exit(0)

    return tie
