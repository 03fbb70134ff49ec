"""The steps of an agent's run: their schema, their order, and which ones an agent answers for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.tasktypes import pieces
from marketplace.tasktypes.shapes import Json

STEPS_MAX = 5_000
CHILDREN_DEPTH_MAX = 3
KINDS = (
    "user",
    "agent",
    "reasoning",
    "tool_call",
    "subagent",
    "artifact",
    "error",
    "system",
)
# What nobody has to judge: a person's own words, and what the surroundings said by themselves.
NOT_JUDGED = frozenset({"user", "system"})

ANYTHING: Json = {"description": "Any JSON; text that holds JSON is shown laid out."}


def step_schema(depth: int = CHILDREN_DEPTH_MAX) -> Json:
    """A step, with steps of a subagent inside it down to `depth` levels.

    Written out level by level, since a schema that refers to itself cannot say where it failed.
    """
    properties: Json = {
        "id": pieces.NAME,
        "kind": pieces.one_of(*KINDS),
        "role": pieces.text(200),
        "agent": pieces.text(200, "Who acted, where there are several."),
        "content": pieces.text(),
        "tool": pieces.text(200),
        "args": ANYTHING,
        "result": ANYTHING,
        "error": pieces.text(),
        "tokens": pieces.whole(0, 10**12),
    }
    if depth:
        properties["children"] = pieces.listing(step_schema(depth - 1), most=STEPS_MAX)
    return pieces.closed(properties, ("id", "kind"))


@dataclass(frozen=True, slots=True)
class Placed:
    """A step in the order in which it is read. number: from 0; depth: 0 is the run itself."""

    number: int
    depth: int
    step: Json
    pointer: str

    @property
    def id(self) -> str:
        return str(self.step["id"])

    @property
    def judged(self) -> bool:
        return self.step["kind"] not in NOT_JUDGED

    @property
    def agent(self) -> str | None:
        return self.step.get("agent") or None


def in_order(payload: Json) -> list[Placed]:
    """Every step of a run, a subagent's own steps right after the step that called it."""
    found: list[Placed] = []
    for depth, step, pointer in _walk(payload["steps"], 0, "/steps"):
        found.append(Placed(len(found), depth, step, pointer))
    return found


def _walk(steps: list[Json], depth: int, place: str) -> Iterator[tuple[int, Json, str]]:
    for number, step in enumerate(steps):
        here = f"{place}/{number}"
        yield depth, step, here
        yield from _walk(step.get("children", []), depth + 1, f"{here}/children")


def agents_of(payload: Json) -> list[str]:
    """The agents that an item names, then those that its steps name, each once."""
    named = [*payload.get("agents", []), *(each.agent for each in in_order(payload))]
    return list(dict.fromkeys(name for name in named if name))


def went_wrong(step: Json) -> bool:
    """Whether the run itself reported an error here."""
    return step["kind"] == "error" or bool(step.get("error"))
