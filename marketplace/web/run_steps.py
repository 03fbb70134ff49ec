"""Steps of agents' runs on pages: named, laid out, and cut to what one reads at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from marketplace.tasktypes import Json
from marketplace.tasktypes.trajectory_steps import Placed, in_order, went_wrong

CUT_CHARACTERS = 1_200
CUT_LINES = 24
LABEL_CHARACTERS = 90
# Kind of a step: its icon, and its name in words.
KINDS: Mapping[str, tuple[str, str]] = {
    "user": ("user", "Person"),
    "agent": ("message-square", "Agent"),
    "reasoning": ("lightbulb", "Reasoning"),
    "tool_call": ("zap", "Tool call"),
    "subagent": ("users", "Subagent"),
    "artifact": ("file-text", "Artifact"),
    "error": ("octagon-alert", "Error"),
    "system": ("info", "System"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a step. head: what is shown at once; rest: what "show all" adds.

    form: `markdown` for what an agent or a person wrote, `text` for everything else.
    """

    title: str
    head: str
    rest: str = ""
    form: str = "text"


@dataclass(frozen=True, slots=True)
class Shown:
    """A step as pages show it."""

    placed: Placed
    icon: str
    kind: str
    label: str
    parts: list[Part]

    @property
    def failed(self) -> bool:
        return went_wrong(self.placed.step)


def shown(placed: Placed) -> Shown:
    """A step with its parts cut to what one reads at a glance."""
    step = placed.step
    icon, kind = KINDS[str(step["kind"])]
    parts = []
    if step.get("content"):
        parts.append(_written(str(step["content"])))
    for name, title in (("args", "Arguments"), ("result", "Result"), ("error", "Error")):
        if step.get(name) not in (None, ""):
            parts.append(_cut(title, laid_out(step[name])))
    words = " ".join([str(step.get("tool") or ""), str(step.get("content") or "")]).split()
    return Shown(placed, icon, kind, " ".join(words)[:LABEL_CHARACTERS], parts)


def _written(text: str) -> Part:
    if len(text) <= CUT_CHARACTERS:
        return Part("", text, form="markdown")
    # Markdown cut in the middle would lose its own ends, so long texts fold as they were typed.
    return _cut("", text)


def laid_out(value: Any) -> str:
    """JSON, also where it stands in text, with one member a line; other text as it is."""
    if isinstance(value, str):
        text = value
        if not text.lstrip().startswith(("{", "[")):
            return text
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _cut(title: str, text: str) -> Part:
    lines = text.split("\n", CUT_LINES)
    head = "\n".join(lines[:CUT_LINES])[:CUT_CHARACTERS]
    rest = text[len(head) :]
    # A few words more are no reason to hide them.
    return Part(title, head, rest) if len(rest) > CUT_CHARACTERS // 10 else Part(title, text)


def steps_to_show(payload: Json, wanted: list[str] | None = None, most: int = 40) -> list[Shown]:
    """The first steps of a run, or those with these ids."""
    placed = in_order(payload)
    chosen = placed if wanted is None else [each for each in placed if each.id in set(wanted)]
    return [shown(each) for each in chosen[:most]]
