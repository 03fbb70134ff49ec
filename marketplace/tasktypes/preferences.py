"""Rows that say “this response over that one”, as training libraries read them.

Formats: TRL's dataset formats guide (preference and unpaired preference, conversational), OpenAI's
guides to direct preference optimisation and fine-tuning, the README of hh-rlhf, the card of
HelpSteer3. Context documents are for the specialist's eyes and are not part of a prompt; a
rationale never enters the text of a response.
"""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.tasktypes.exports import Counts, ExportRow
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json

SPEAKERS = {"user": "Human", "assistant": "Assistant"}
INSTRUCTING = frozenset({"system", "developer"})
# What readers of hh-rlhf take for the beginning of a turn.
MARKS = ("\n\nHuman:", "\n\nAssistant:")


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


def openai_messages(prompt: Sequence[Json], answered: Sequence[Json]) -> ExportRow:
    """One line of OpenAI's fine-tuning format; answers in the prompt carry no weight."""
    earlier = [
        {**message, "weight": 0} if message["role"] == "assistant" else message
        for message in prompt
    ]
    return {"messages": [*earlier, *answered]}


def hh_row(prompt: Sequence[Json], chosen: str, rejected: str, counts: Counts) -> ExportRow | None:
    """One row of hh-rlhf, kept; None, dropped, where it would be read as other turns."""
    texts = [each["content"] for each in prompt]
    if any(each["role"] not in {*SPEAKERS, *INSTRUCTING} for each in prompt):
        counts.drop("not_a_dialogue")
        return None
    if any(mark in text for mark in MARKS for text in (*texts, chosen, rejected)):
        counts.drop("mark_of_a_turn_in_text")
        return None
    counts.keep()
    before = "".join(each["content"] for each in prompt if each["role"] in INSTRUCTING)
    counts.note("system_opens", bool(before))
    spoken = [each for each in prompt if each["role"] in SPEAKERS]
    asked = before + dialogue(spoken)
    return {
        "chosen": asked + dialogue(answer(chosen)),
        "rejected": asked + dialogue(answer(rejected)),
    }


def dialogue(messages: Sequence[Json]) -> str:
    """Turns of user and assistant as one text, each behind its speaker."""
    return "".join(f"\n\n{SPEAKERS[each['role']]}: {each['content']}" for each in messages)


def prompt_text(messages: Sequence[Json]) -> str:
    """One message as it is; several with the role before each."""
    if len(messages) == 1:
        return str(messages[0]["content"])
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)


def helpsteer3_row(
    record: Record, responses: tuple[str, str], overall: int, told: Sequence[tuple[int, str]]
) -> ExportRow:
    """One row of HelpSteer3. overall: -3 (the first is much better) to 3; told: the score and the
    reasoning of each judgement."""
    return {
        "domain": record.domain,
        "language": record.language,
        "context": prompt_of(record.payload),
        "response1": responses[0],
        "response2": responses[1],
        "overall_preference": overall,
        "individual_preference": [
            {"score": score, "reasoning": reasoning, "feedback1": None, "feedback2": None}
            for score, reasoning in told
        ],
    }


def rounded_mean(scores: Sequence[int]) -> int:
    """The mean, rounded half away from zero, in whole numbers throughout."""
    total, count = sum(scores), len(scores)
    size = (2 * abs(total) + count) // (2 * count)
    return size if total >= 0 else -size
