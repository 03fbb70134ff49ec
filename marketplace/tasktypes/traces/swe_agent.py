"""Runs of SWE-agent: a `.traj` file is one object with `trajectory`, `history` and `info`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces import chat
from marketplace.tasktypes.traces.documents import Readable, Row, documents
from marketplace.tasktypes.traces.values import (
    NotThis,
    fingerprint,
    items,
    members,
    named,
    objects,
    present,
    text,
)


def rows(stream: Readable, *, name: str = "", after: Row | None = None) -> Iterator[Row]:
    """One item a run, named after its file, since older runs do not say what they were about.

    name: the file's, with folders where several runs of one task have the same name.
    """
    return items(documents(stream, after=after), lambda run: _item(run, name))


def _item(run: Json, name: str) -> tuple[str, Json]:
    history = [each for each in objects(run.get("history")) if not each.get("is_demo")]
    if not history and not run.get("trajectory"):
        raise NotThis("This is no run of SWE-agent: “trajectory” and “history” are missing.")
    spoken = chat.read(history) if history else chat.Chat()
    steps = [_step(number, each) for number, each in enumerate(objects(run.get("trajectory")))]
    if not steps:
        # The first question is the goal and stands above; the rest is the run.
        steps = [step for step in spoken.steps if step["kind"] != "user"] or spoken.steps
    said = members(run.get("info"))
    own = said.get("instance_id") or run.get("instance_id") or name.removesuffix(".traj")
    payload = {
        "goal": spoken.goal or "What was asked is not in this file.",
        "policies": spoken.policies,
        "steps": steps,
        "metadata": present(
            {
                "instance_id": own,
                "environment": run.get("environment"),
                "exit_status": said.get("exit_status"),
                "submission": said.get("submission"),
            }
        ),
    }
    return named(own or fingerprint(run.get("trajectory") or history)), present(payload)


def _step(number: int, turn: Json) -> Json:
    """A turn is a thought, a command and what the shell printed."""
    thought = text(turn.get("thought")) or text(turn.get("response"))
    action = text(turn.get("action")).strip()
    step: Json = {"id": f"t{number}", "kind": "tool_call" if action else "agent"}
    if action:
        step |= {"tool": action.split(maxsplit=1)[0][:200], "args": {"command": action}}
    step |= {"content": thought, "result": _printed(turn.get("observation"))}
    return present(step)


def _printed(observation: Any) -> str:
    # A terminal ends its lines with CRLF.
    return text(observation).replace("\r\n", "\n")
