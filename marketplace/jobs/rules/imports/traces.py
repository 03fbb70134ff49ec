"""Runs of agents: what the readers of `tasktypes.traces` make of them, as kinds of imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Protocol

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, line_of
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import Line, Readable
from marketplace.tasktypes import Json
from marketplace.tasktypes.traces import (
    messages,
    sessions,
    swe_agent,
    tau_bench,
    who_and_when,
)
from marketplace.tasktypes.traces.documents import Row
from marketplace.tasktypes.trajectory_rules import ANSWERS, NO_STEP_MARKS, asks, coverage

TRAJECTORY = frozenset({"trajectory"})


class Rows(Protocol):
    """A reader of runs."""

    def __call__(
        self, stream: Readable, *, name: str = "", after: Row | None = None
    ) -> Iterator[Row]: ...


def read(rows: Rows, source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """The items of a file of runs."""
    del reading
    former = Row(*after) if after else None
    with closing(source.open(after.end if after else 0)) as stream:
        for row in rows(stream, name=source.name, after=former):
            yield Line(*row)


def failures(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """Who&When with its human labels, where they are wanted and fit the run."""
    for line in read(who_and_when.rows, source, reading, after):
        content = line.content
        if isinstance(content, bytes) and reading.labels is Labels.GOLD:
            content = _with_gold(orjson.loads(content), reading)
        yield Line(line.number, content, line.end)


def _with_gold(row: Json, reading: Reading) -> bytes | Fault:
    gold = who_and_when.gold_of(row["payload"])
    if gold is None:
        reading.left["label_names_no_step"] += 1
        return line_of(row)
    return line_of(
        {**row, "gold": {**gold, "judgement": asked(reading.template, gold["judgement"])}}
    )


def asked(template: Json, judgement: Json) -> Json:
    """The parts of a judgement that a template asks for."""
    left_out = {name for ask, names in ANSWERS.items() if not asks(template, ask) for name in names}
    if coverage(template) == NO_STEP_MARKS:
        left_out.add("steps")
    return {name: said for name, said in judgement.items() if name not in left_out}


def has(*names: str) -> Callable[[Head], bool]:
    """Files whose first object has all these members."""
    return lambda head: head.json and set(names) <= head.first.keys()


def is_session(head: Head) -> bool:
    """A header line of type `session`."""
    return head.json and head.first.get("type") == "session"


def is_run_of_swe_agent(head: Head) -> bool:
    """A `.traj` file, by its members or its name."""
    names = head.first.keys() if head.json else set()
    told = {"trajectory", "history"} & names
    return bool(told) and (head.suffix == "traj" or {"info", "environment"} & names != set())


SESSIONS = Kind(
    key=ImportKind.SESSIONS,
    title="Session traces",
    told="Each session becomes a run whose steps are its messages and tool calls.",
    fits=is_session,
    lines=partial(read, sessions.rows),
    task_types=TRAJECTORY,
)
TAU_BENCH = Kind(
    key=ImportKind.TAU_BENCH,
    title="tau-bench",
    told="Each result becomes a run; its right actions are the oracle, its reward stays with you.",
    fits=has("task_id", "traj"),
    lines=partial(read, tau_bench.rows),
    task_types=TRAJECTORY,
)
SWE_AGENT = Kind(
    key=ImportKind.SWE_AGENT,
    title="SWE-agent",
    told="Each run becomes an item; its steps are thoughts, commands and what the shell printed.",
    fits=is_run_of_swe_agent,
    lines=partial(read, swe_agent.rows),
    task_types=TRAJECTORY,
)
WHO_AND_WHEN = Kind(
    key=ImportKind.WHO_AND_WHEN,
    title="Who&When",
    told="Each failure becomes a run; who erred and when can be its right answer.",
    fits=has("history", "question", "mistake_step"),
    lines=failures,
    task_types=TRAJECTORY,
    labels=(Labels.LEAVE, Labels.GOLD),
)
MESSAGES = Kind(
    key=ImportKind.MESSAGES,
    title="Chat messages",
    told="Each conversation becomes a run whose steps are its messages and tool calls.",
    fits=has("messages"),
    lines=partial(read, messages.rows),
    task_types=TRAJECTORY,
)
