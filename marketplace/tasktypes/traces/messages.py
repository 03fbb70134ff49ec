"""Runs as OpenAI messages: objects with `messages`, in a list, one a line, or one alone."""

from __future__ import annotations

from collections.abc import Iterator

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces import chat
from marketplace.tasktypes.traces.documents import Readable, Row, documents
from marketplace.tasktypes.traces.values import (
    NotThis,
    fingerprint,
    items,
    members,
    named,
    present,
    text,
)

IDS = ("external_id", "id", "conversation_id", "task_id")


def rows(stream: Readable, *, name: str = "", after: Row | None = None) -> Iterator[Row]:
    """One item a run; its id is its own, or else a hash of its messages."""
    del name  # The runs of this format carry their ids, or are known by what they say.
    return items(documents(stream, after=after), _item)


def _item(run: Json) -> tuple[str, Json]:
    if "messages" not in run:
        raise NotThis("This object has no “messages”. Give each run as {“messages”: […]}.")
    read = chat.read(run["messages"])
    goal = text(run.get("goal")) or read.goal
    if not goal.strip():
        raise NotThis("Nobody asked for anything in this run. Add a “goal” beside its messages.")
    own = next((run[key] for key in IDS if isinstance(run.get(key), str | int)), None)
    payload = {
        "goal": goal,
        "policies": read.policies,
        "tools": chat.tools_of(run.get("tools")),
        "steps": read.steps,
        "metadata": members(run.get("metadata")),
    }
    return named(own if own is not None else fingerprint(run["messages"])), present(payload)
