"""The supervisor: starts the parts in order, restarts those that die, stops all of them in order.

One thread, one loop. It sleeps until a part says something, a part ends or a signal comes.
"""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from marketplace.cli.part_log import Output
from marketplace.cli.parts import Part
from marketplace.cli.runner import Runner
from marketplace.embedded import leftovers
from marketplace.embedded.program import kill_session, spawn

DEATHS_MAX = 5
READY_SECONDS_MAX = 120.0
# How often to ask parts that are not ready yet, and how long to sleep when all are.
ASK_SECONDS = 0.03
IDLE_SECONDS = 5.0
# A terminal, make and an init system may each pass on the same wish to stop.
SAME_WISH_SECONDS = 1.0
# A command that ends so found a fault in its settings; trying again does not mend it.
EXIT_FAULTY = 2
STOPPING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Supervisor:
    """Runs parts until a signal comes or one of them cannot be kept running.

    `logs`, `records`: folders. `say` gets sentences for the person, `echo` each line of each part.
    `complete` is called once, when every part is ready and every step has been taken.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        logs: Path,
        records: Path,
        say: Callable[[str], None],
        complete: Callable[[], None],
        echo: Callable[[str], None] | None = None,
    ) -> None:
        logs.mkdir(mode=0o700, exist_ok=True)
        self._records = records
        self._say = say
        self._complete = complete
        self._completed = False
        self._stop_asked_at: float | None = None
        self._hurried = False
        self._selector = selectors.DefaultSelector()
        self._runners = {part.name: Runner(part, Output(logs, part.name, echo)) for part in parts}

    def run(self) -> None:
        """Run until a signal asks to stop; raises StackFailed. No child is left either way."""
        with self._awake():
            try:
                while self._stop_asked_at is None:
                    self._turn()
            finally:
                self._stop_all()

    def _turn(self) -> None:
        now = time.monotonic()
        for runner in self._runners.values():
            if not runner.runs and self._may_start(runner, now):
                self._start(runner, now)
        self._ask(now)
        self._listen(self._patience())
        for runner in self._runners.values():
            self._reap(runner)

    def _may_start(self, runner: Runner, now: float) -> bool:
        done = runner.part.once and runner.is_ready
        return (
            not done
            and now >= runner.due_at
            and all(self._runners[name].is_ready for name in runner.part.after)
        )

    def _start(self, runner: Runner, now: float) -> None:
        reading, writing = os.pipe()
        try:
            runner.child = spawn(runner.part.program, writing)
        finally:
            os.close(writing)
        runner.started_at = now
        os.set_blocking(reading, False)
        runner.pipe = os.fdopen(reading, "rb", buffering=0)
        self._selector.register(runner.pipe, selectors.EVENT_READ, runner)
        leftovers.record(self._records, runner.part.program, runner.child.pid)

    def _ask(self, now: float) -> None:
        """Ask every running part that is not ready whether it is by now."""
        for runner in self._runners.values():
            if runner.is_ready or not runner.runs or runner.part.once:
                continue
            if runner.part.ready():
                runner.is_ready = True
                self._say(f"{runner.part.name} is ready.")
            elif now - runner.started_at > READY_SECONDS_MAX:
                raise runner.failure(0, f"was not ready within {READY_SECONDS_MAX:.0f} seconds")
        if not self._completed and all(runner.is_ready for runner in self._runners.values()):
            self._completed = True
            self._complete()

    def _patience(self) -> float:
        waiting = any(
            not runner.is_ready or not (runner.runs or runner.part.once)
            for runner in self._runners.values()
        )
        return ASK_SECONDS if waiting else IDLE_SECONDS

    def _listen(self, seconds: float) -> None:
        """Take what parts say, for at most `seconds`; a signal or a death wakes us earlier."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Runner):
                self._take(key.data)
            else:
                os.read(key.fd, 512)

    def _take(self, runner: Runner) -> None:
        if runner.pipe is None:
            return
        while True:
            chunk = runner.pipe.read(65536)
            if not chunk:
                break
            runner.output.take(chunk)
        if chunk == b"":
            self._hang_up(runner)

    def _hang_up(self, runner: Runner) -> None:
        if runner.pipe is not None:
            self._selector.unregister(runner.pipe)
            runner.pipe.close()
            runner.pipe = None

    def _reap(self, runner: Runner) -> None:
        """Notice that a part ended: a step that succeeded, or a death."""
        code = runner.child.poll() if runner.child else None
        if code is None:
            return
        self._bury(runner)
        if runner.part.once and code == 0:
            runner.is_ready = True
            self._say(f"{runner.part.name} is done.")
            return
        was_ready = runner.is_ready
        runner.is_ready = False
        wait = runner.died(time.monotonic())
        if runner.part.once:
            raise runner.failure(code, "failed")
        if code == EXIT_FAULTY and not was_ready:
            raise runner.failure(code, "cannot start")
        if len(runner.deaths) >= DEATHS_MAX:
            raise runner.failure(code, f"ended {len(runner.deaths)} times within a minute")
        runner.due_at = time.monotonic() + wait
        self._say(f"{runner.part.name} ended and is started again; see {runner.output.path}.")

    def _bury(self, runner: Runner) -> None:
        """Keep the last words of an ended part, and end whatever it left in its session."""
        assert runner.child is not None  # noqa: S101  Callers look first.
        kill_session(runner.child.pid)
        self._take(runner)
        self._hang_up(runner)
        runner.output.finish()
        leftovers.forget(self._records, runner.part.program)
        runner.child = None

    def _stop_all(self) -> None:
        """Stop wave after wave, the visitors' first and the databases last."""
        for wave in sorted({r.part.wave for r in self._runners.values()}, reverse=True):
            self._stop_wave([r for r in self._runners.values() if r.runs and r.part.wave == wave])
        for runner in self._runners.values():
            runner.output.close()

    def _stop_wave(self, runners: list[Runner]) -> None:
        began = time.monotonic()
        for runner in runners:
            if runner.child is not None and runner.child.poll() is None:
                runner.child.send_signal(runner.part.program.stop_signal)
        while left := [runner for runner in runners if runner.runs]:
            for runner in left:
                if runner.child is None or runner.child.poll() is not None:
                    self._bury(runner)
                elif self._hurried or time.monotonic() - began > runner.part.program.stop_seconds:
                    kill_session(runner.child.pid)
            self._listen(ASK_SECONDS)

    @contextmanager
    def _awake(self) -> Iterator[None]:
        """Let signals end the sleep of the loop, and be counted instead of raised."""
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        self._selector.register(reading, selectors.EVENT_READ)
        former_wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        former = {number: signal.signal(number, self._asked) for number in STOPPING}
        former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(former_wakeup)
            self._selector.close()
            os.close(reading)
            os.close(writing)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        """Stop; a second wish means at once, unless it is the same wish on another way to us."""
        del number, frame
        now = time.monotonic()
        if self._stop_asked_at is None:
            self._stop_asked_at = now
        elif now - self._stop_asked_at > SAME_WISH_SECONDS:
            self._hurried = True
