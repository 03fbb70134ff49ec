"""Rows that say “this response over that one”, as training libraries read them.

Formats: TRL's dataset formats guide (preference and unpaired preference, conversational) and
OpenAI's direct preference optimisation guide. Context documents are for the specialist's eyes and
are not part of a prompt; a rationale never enters the text of a response.
"""

from __future__ import annotations

from marketplace.tasktypes.exports import ExportRow
from marketplace.tasktypes.shapes import Json


def prompt_of(payload: Json) -> list[Json]:
    """The item's messages with the fields that trainers know."""
    known = ("role", "content", "name")
    return [
        {key: message[key] for key in known if key in message} for message in payload["messages"]
    ]


def answer(text: str) -> list[Json]:
    return [{"role": "assistant", "content": text}]


def trl_pair(external_id: str, payload: Json, chosen: str, rejected: str) -> ExportRow:
    """TRL preference with an explicit prompt; `external_id` names the item it came from."""
    return {
        "external_id": external_id,
        "prompt": prompt_of(payload),
        "chosen": answer(chosen),
        "rejected": answer(rejected),
    }


def trl_unpaired(external_id: str, payload: Json, completion: str, good: bool) -> ExportRow:
    """TRL unpaired preference (KTO, BCO): one completion and whether it is desirable."""
    return {
        "external_id": external_id,
        "prompt": prompt_of(payload),
        "completion": answer(completion),
        "label": good,
    }


def openai_pair(payload: Json, chosen: str, rejected: str) -> ExportRow:
    """One line of OpenAI's preference format."""
    return {
        "input": {"messages": prompt_of(payload), "tools": [], "parallel_tool_calls": True},
        "preferred_output": answer(chosen),
        "non_preferred_output": answer(rejected),
    }
