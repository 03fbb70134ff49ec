"""The supervisor starts in order, restarts what dies, gives up clearly, and leaves nobody."""

import os
import signal
import time
from pathlib import Path

import pytest

from marketplace.cli.parts import Part
from marketplace.cli.runner import StackFailed
from tests.cli.fakes import STAYS, Run, program, stop_us
from tests.embedded.places import living


def test_parts_start_after_those_they_need_and_stop_in_waves(tmp_path: Path) -> None:
    note = f"{tmp_path}/order"
    stays = f"trap 'echo -$0 >> {note}; exit 0' TERM; echo +$0 >> {note}; sleep 9 & wait"
    parts = [
        Part(program("web", stays.replace("$0", "web")), after=("step",), wave=2),
        Part(program("step", f"sleep 0.1; echo step >> {note}"), after=("database",), once=True),
        Part(
            program("database", stays.replace("$0", "database")),
            ready=lambda: Path(note).exists(),
            wave=0,
        ),
    ]

    def when_all_run() -> None:
        while "+web" not in Path(note).read_text(encoding="utf-8"):
            time.sleep(0.01)
        stop_us()

    Run(tmp_path, parts, complete=when_all_run).go()

    order = Path(note).read_text(encoding="utf-8").split()
    expected = ["+database", "step", "+web", "-web", "-database"]
    assert expected == order


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    script = (
        f"echo x >> {tmp_path}/starts; test $(wc -l < {tmp_path}/starts) -gt 2 || exit 7\n{STAYS}"
    )
    starts = tmp_path / "starts"

    def third_start() -> bool:
        return starts.exists() and len(starts.read_text(encoding="utf-8").split()) == 3

    run = Run(tmp_path, [Part(program("worker", script), ready=third_start)])
    run.go()

    again = [said for said in run.said if "started again" in said]
    assert len(again) == 2
    assert len(starts.read_text(encoding="utf-8").split()) == 3


def test_a_part_that_keeps_dying_stops_the_stack_and_says_why(tmp_path: Path) -> None:
    parts = [
        Part(program("database", STAYS), wave=0),
        Part(program("worker", "echo the reason; exit 7"), after=("database",)),
    ]
    run = Run(tmp_path, parts, complete=lambda: None)

    with pytest.raises(StackFailed) as failure:
        run.go()

    message = str(failure.value)
    assert "worker ended 5 times within a minute (exit 7)" in message
    assert "    the reason\n" in message
    assert f"{tmp_path}/logs/worker.log" in message
    assert run.log("database")[-1] == "bye"


def test_a_part_killed_by_a_signal_is_named_so(tmp_path: Path) -> None:
    part = Part(program("migrate", "kill -9 $$"), once=True)

    with pytest.raises(StackFailed, match=r"migrate failed \(signal 9\)"):
        Run(tmp_path, [part]).go()


def test_faulty_settings_are_not_tried_again(tmp_path: Path) -> None:
    part = Part(program("web", "echo SECRET_KEY is not set.; exit 2"), ready=lambda: False)

    with pytest.raises(StackFailed, match=r"web cannot start \(exit 2\)[^$]*SECRET_KEY is not set"):
        Run(tmp_path, [part]).go()


def test_no_child_is_left_even_by_a_part_with_children_of_its_own(tmp_path: Path) -> None:
    note = tmp_path / "children"
    script = f"sleep 60 & echo $! $$ >> {note}; wait"
    part = Part(program("web", script), ready=lambda: note.exists() and "\n" in note.read_text())

    Run(tmp_path, [part]).go()

    pids = [int(pid) for pid in note.read_text(encoding="utf-8").split()]
    assert len(pids) == 2
    _until_nobody_lives(pids)


def test_a_part_that_does_not_obey_is_killed_when_its_time_is_up(tmp_path: Path) -> None:
    script = "trap '' TERM; echo deaf; while :; do sleep 0.02; done"
    log = tmp_path / "logs" / "web.log"
    part = Part(program("web", script, stop_seconds=0.2), ready=lambda: "deaf" in log.read_text())

    began = time.monotonic()
    Run(tmp_path, [part]).go()

    assert 0.2 < time.monotonic() - began < 3
    assert list((tmp_path / "running").iterdir()) == []


def test_a_second_wish_to_stop_means_at_once(tmp_path: Path) -> None:
    script = "trap 'echo asked' TERM; echo deaf; while :; do sleep 0.02; done"
    log = tmp_path / "logs" / "web.log"
    part = Part(program("web", script, stop_seconds=60), ready=lambda: "deaf" in log.read_text())

    def twice() -> None:
        stop_us()
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 1.2)

    began = time.monotonic()
    Run(tmp_path, [part], complete=twice).go()

    assert time.monotonic() - began < 10


def test_every_line_reaches_the_log_also_an_unfinished_one(tmp_path: Path) -> None:
    part = Part(program("step", "echo one; printf two"), once=True)
    run = Run(tmp_path, [part])

    run.go()

    expected = ["one", "two"]
    assert expected == run.log("step")


def test_signals_work_as_before_after_a_run(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    Run(tmp_path, [Part(program("web", STAYS))]).go()

    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def _until_nobody_lives(pids: list[int]) -> None:
    deadline = time.monotonic() + 2
    while living(pids):
        assert time.monotonic() < deadline, f"{living(pids)} still live"
        time.sleep(0.01)
