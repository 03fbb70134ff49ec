"""The lifecycle of a run of a judge over a job's items, and why one stops."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands. stopped: by the lab, or for its budget; it may go on."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


RUN_NEXT: Mapping[RunState, frozenset[RunState]] = {
    RunState.WAITING: frozenset({RunState.RUNNING, RunState.STOPPED, RunState.FAILED}),
    RunState.RUNNING: frozenset({RunState.STOPPED, RunState.DONE, RunState.FAILED}),
    RunState.STOPPED: frozenset({RunState.WAITING}),
    RunState.FAILED: frozenset({RunState.WAITING}),
    RunState.DONE: frozenset(),
}
RUN_LABELS: Mapping[RunState, str] = {
    RunState.WAITING: "waiting",
    RunState.RUNNING: "asking",
    RunState.STOPPED: "stopped",
    RunState.DONE: "done",
    RunState.FAILED: "failed",
}


class RunPurpose(StrEnum):
    """verdicts: pre-labels for a job; check: the anchors of a report are asked anew."""

    VERDICTS = "verdicts"
    CHECK = "check"


CALLS_MAX, CALLS_A_MINUTE_MAX = 10_000_000, 6_000
CALLS_A_MINUTE = 120
