"""Runs of tau-bench: a list of results, each with `traj`, `reward` and the task's right actions."""

from __future__ import annotations

from collections.abc import Iterator

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces import chat
from marketplace.tasktypes.traces.documents import Readable, Row, documents
from marketplace.tasktypes.traces.values import (
    NotThis,
    items,
    members,
    named,
    objects,
    present,
    text,
)


def rows(stream: Readable, *, name: str = "", after: Row | None = None) -> Iterator[Row]:
    """One item a run, named after task and trial; the reward goes to `metadata`.

    name: the file's, which becomes the name of the benchmark there.
    """
    benchmark = name.rsplit("/", 1)[-1].removesuffix(".json") or "tau-bench"
    return items(documents(stream, after=after), lambda run: _item(run, benchmark))


def _item(run: Json, benchmark: str) -> tuple[str, Json]:
    if "traj" not in run or "task_id" not in run:
        raise NotThis("This is no result of tau-bench: “task_id” or “traj” is missing.")
    read = chat.read(run["traj"])
    said = members(run.get("info"))
    task = members(said.get("task"))
    goal = text(task.get("instruction")) or read.goal
    if not goal.strip():
        raise NotThis("This result has neither an instruction nor a first question.")
    trial = run.get("trial", 0)
    policies = [{**document, "title": "Policy"} for document in read.policies]
    payload = {
        "goal": goal,
        "policies": policies,
        "steps": read.steps,
        "oracle": [_action(action) for action in objects(task.get("actions"))],
        "metadata": {
            "benchmark": benchmark,
            "task_id": run["task_id"],
            "trial": trial,
            "reward": run.get("reward"),
            "outputs": task.get("outputs") or [],
        },
    }
    return named("task", run["task_id"], "trial", trial), present(payload)


def _action(action: Json) -> Json:
    args = members(action.get("kwargs") or action.get("arguments"))
    return {"tool": text(action.get("name"))[:200] or "unnamed", "args": args}
