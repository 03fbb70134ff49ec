"""A step of a run as text, as messages, and on one line."""

from __future__ import annotations

from typing import Any

import orjson

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trajectory_steps import Placed


def compact(value: Any) -> str:
    """Text as it is; other JSON on one line, keys in order."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def acted(step: Json) -> str:
    """What the agent said and did in a step, without what came back."""
    parts = [str(step.get("content") or "")]
    if step.get("tool"):
        parts.append(f"{step['tool']}({compact(step.get('args', {}))})")
    return "\n".join(part for part in parts if part)


def came_back(step: Json) -> str:
    """What the surroundings answered to a step."""
    parts = [compact(step["result"])] if step.get("result") not in (None, "") else []
    if step.get("error"):
        parts.append(str(step["error"]))
    return "\n".join(parts)


def role_of(step: Json) -> str:
    """The role that chat formats have for a step's author."""
    return {"user": "user", "system": "system"}.get(str(step["kind"]), "assistant")


def messages_of(placed: list[Placed]) -> list[Json]:
    """The run as chat messages with tool calls, each with `step` for the one that it came from."""
    found: list[Json] = []
    for each in placed:
        step = each.step
        message: Json = {"step": each.id, "role": role_of(step)}
        message["content"] = str(step.get("content") or "")
        if step["kind"] == "reasoning":
            message |= {"content": "", "reasoning": str(step.get("content") or "")}
        if step.get("tool"):
            message["call"] = {"name": step["tool"], "arguments": arguments_of(step)}
        found.append(message)
        answered = came_back(step)
        if answered:
            found.append({"step": each.id, "role": "tool", "content": answered})
    return found


def arguments_of(step: Json) -> str:
    """The arguments as the JSON text that chat formats hold."""
    args = step.get("args")
    return orjson.dumps({} if args is None else args, option=orjson.OPT_SORT_KEYS).decode()
