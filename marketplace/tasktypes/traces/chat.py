"""Chat messages with tool calls as steps: what a call got back stands with the call.

Step ids follow from the message's place: `m4` is what message 4 says, `m4r` its reasoning and
`m4t0` its first call, so that equal runs have equal ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces.values import NotThis, members, objects, parsed, present, text

FIRST = ("system", "developer")
AGENTS = ("assistant", "model", "ai")
ANSWERS = ("tool", "function")
ERROR = ("error", "traceback (most recent call last)")


@dataclass(slots=True)
class Chat:
    """A conversation as steps. policies: what the system said before anybody else did."""

    steps: list[Json] = field(default_factory=list)
    policies: list[Json] = field(default_factory=list)
    open_calls: dict[str, Json] = field(default_factory=dict)

    @property
    def goal(self) -> str:
        """What the first person said; "" where nobody asked for anything."""
        asked = (step["content"] for step in self.steps if step["kind"] == "user")
        return next((words for words in asked if words.strip()), "")


def read(messages: Any) -> Chat:
    """The steps of a list of messages in the shapes of OpenAI or of session traces."""
    chat = Chat()
    for number, message in enumerate(objects(messages)):
        role = text(message.get("role")).lower()
        if role in ANSWERS:
            _answer(chat, message, number)
        elif role in FIRST and not chat.steps:
            chat.policies.append({"title": "System", "content": text(message.get("content"))})
        else:
            chat.steps += _spoken(chat, message, role, number)
    if not chat.steps:
        raise NotThis("No message of this run is a step. Give messages with a role and a content.")
    return chat


def _spoken(chat: Chat, message: Json, role: str, number: int) -> Iterator[Json]:
    kind = "agent" if role in AGENTS else "system" if role in FIRST else "user"
    agent = {"agent": message["name"]} if _named(message) and kind == "agent" else {}
    reasoning = text(message.get("reasoningContent") or message.get("reasoning_content"))
    if reasoning.strip():
        yield {"id": f"m{number}r", "kind": "reasoning", **agent, "content": reasoning}
    content = text(message.get("content"))
    calls = list(_calls(message))
    # An empty message that calls nothing is still a turn; leaving it out would hide it.
    if content.strip() or not (calls or reasoning.strip()):
        yield {"id": f"m{number}", "kind": kind, **agent, "content": content}
    for place, call in enumerate(calls):
        function = members(call.get("function")) or call
        step: Json = {"id": f"m{number}t{place}", "kind": "tool_call", **agent}
        step["tool"] = text(function.get("name"))[:200] or "unnamed"
        step = present({**step, "args": parsed(function.get("arguments"))})
        chat.open_calls[text(call.get("id")) or step["tool"]] = step
        yield step


def _named(message: Json) -> bool:
    name = message.get("name")
    return isinstance(name, str) and 0 < len(name) <= 200


def _calls(message: Json) -> Iterator[Json]:
    yield from objects(message.get("tool_calls") or message.get("toolCalls"))
    if isinstance(message.get("function_call"), dict):
        yield message["function_call"]


def _answer(chat: Chat, message: Json, number: int) -> None:
    """What a tool sent back goes to its call; without a call it is a step by itself."""
    several = message.get("tool_call_ids")
    first = several[0] if isinstance(several, list) and several else None
    key = message.get("tool_call_id") or message.get("toolCallId") or first
    call = chat.open_calls.pop(text(key or message.get("name")), None)
    content = text(message.get("content"))
    if call is None:
        step = {"id": f"m{number}", "kind": "artifact", "content": content}
        chat.steps.append(step | ({"tool": message["name"]} if _named(message) else {}))
    elif content.lstrip().lower().startswith(ERROR):
        call["error"] = content
    else:
        call["result"] = content


def tools_of(value: Any) -> list[Json]:
    """A list of tools in the shape of OpenAI as ours."""
    found = []
    for each in objects(value):
        function = members(each.get("function")) or each
        name = text(function.get("name"))[:200]
        if name.strip():
            tool = {"name": name, "description": text(function.get("description"))[:20_000]}
            found.append(present({**tool, "parameters": members(function.get("parameters"))}))
    return found
