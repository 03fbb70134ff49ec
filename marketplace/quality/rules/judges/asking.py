"""What a judge is asked: prompts, schemas, and which jobs it can judge. Pure.

A judge speaks of an item in verdicts by dimension, whatever the task type: `Matter` says how a
pairwise preference, a rubric or a judge calibration is put to it, and how its verdicts become a
judgement of that type again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from marketplace.errors import Fault, Faulty
from marketplace.tasktypes import Json, task_type

PROMPT_MAX = 50_000
SCHEMA_MARK = "JSON Schema of the answer:"
PLACES = re.compile(r"\{(conversation|responses|dimensions|context)\}")
DEFAULT_PROMPT = """\
You judge answers for a panel of experts. Read the conversation and what was answered, then give \
your verdict on every dimension, and how sure you are of it from 0 to 1.

{dimensions}

Conversation
{conversation}

{responses}"""


class AnswerFormat(StrEnum):
    """How the server is asked for JSON; not every server knows every way."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Matter:
    """An item as a judge calibration would have it. aspects: what a verdict is asked on."""

    kind: str
    aspects: Sequence[Json]
    payload: Json

    @property
    def turns(self) -> bool:
        """Whether the order of its responses can be told from its verdicts."""
        return any(each["kind"] == "preference" for each in self.aspects)


JUDGED_TYPES = ("judge_calibration", "pairwise", "rubric")


def matter(kind: str, template: Json, payload: Json) -> Matter:
    """The item of one of `JUDGED_TYPES`, put as a judge calibration."""
    if kind == "judge_calibration":
        return Matter(kind, template["aspects"], payload)
    kept = {key: value for key, value in payload.items() if key in ("messages", "context")}
    if kind == "pairwise":
        asked = [{"id": slot, "text": payload[slot]} for slot in ("a", "b")]
        return Matter(kind, aspects_of(kind, template), {**kept, "responses": asked})
    answer = {"id": "response", "text": payload["response"]}
    return Matter(kind, aspects_of(kind, template), {**kept, "responses": [answer]})


def aspects_of(kind: str, template: Json) -> list[Json]:
    """The dimensions on which a judge gives verdicts in a job of this type and template."""
    if kind == "judge_calibration":
        return list(template["aspects"])
    if kind == "pairwise":
        choice = {"key": "choice", "title": "The better response", "kind": "preference"}
        return [{**choice, "allow_tie": template.get("allow_tie", True)}]
    kept = ("key", "title", "question", "scale")
    return [
        {"kind": "score", **{key: each[key] for key in kept if key in each}}
        for each in template["aspects"]
    ]


def judgement_of(kind: str, verdicts: Json) -> Json:
    """Verdicts as a judgement of the task type, for a pre-label."""
    if kind == "pairwise":
        return {"choice": verdicts["choice"]}
    if kind == "rubric":
        return {"ratings": {key: {"score": score} for key, score in verdicts.items()}}
    return {"verdicts": verdicts}


def verdicts_of(kind: str, judgement: Json) -> Json:
    """The verdicts in a judgement of the task type, a person's or a model's."""
    if kind == "pairwise":
        choice = judgement.get("choice")
        return {} if choice == "both_bad" or choice is None else {"choice": choice}
    if kind == "rubric":
        rated = judgement.get("ratings", {})
        return {key: each["score"] for key, each in rated.items() if each.get("score") is not None}
    return dict(judgement.get("verdicts", {}))


def check_prompt(prompt: str) -> str:
    """The prompt, tidied; Faulty where it could not tell a judge what it judges."""
    text = prompt.replace("\r\n", "\n").strip()
    named = set(PLACES.findall(text))
    if not text or len(text) > PROMPT_MAX or "\x00" in text:
        raise Faulty(
            "The prompt cannot be used.", [Fault("/prompt", "Write 1 to 50,000 characters.")]
        )
    if not named & {"conversation", "responses"}:
        advice = "Say where the item goes: {conversation}, {responses}, or both."
        raise Faulty("The prompt shows the judge no item.", [Fault("/prompt", advice)])
    return text


def sha256_of(content: str | Mapping[str, Any]) -> bytes:
    """The hash of a prompt, or of all that makes up a version."""
    plain = content.encode() if isinstance(content, str) else orjson.dumps(
        content, option=orjson.OPT_SORT_KEYS
    )  # fmt: skip
    return hashlib.sha256(plain).digest()


def output_schema(aspects: Sequence[Json], payload: Json | None = None) -> Json:
    """The JSON Schema of an answer: a verdict on every dimension, and a confidence.

    payload: the item whose responses a preference is between, in the order shown; without one the
    schema is that of any item.
    """
    verdicts = {each["key"]: _verdict_schema(each, payload) for each in aspects}
    return _closed(
        {
            "verdicts": _closed(verdicts),
            "confidence": {
                "type": "number",
                "description": "How sure you are that experts would say the same, from 0 to 1.",
            },
        }
    )


def _closed(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _verdict_schema(aspect: Json, payload: Json | None) -> Json:
    if aspect["kind"] == "binary":
        return {"type": "boolean"}
    if aspect["kind"] == "score":
        scale = aspect["scale"]
        return {"type": "integer", "enum": list(range(scale["min"], scale["max"] + 1))}
    if aspect["kind"] == "choice":
        return {"type": "string", "enum": [each["key"] for each in aspect["options"]]}
    if payload is None:
        return {"type": "string", "description": "The id of a response, or tie."}
    ids = [each["id"] for each in payload.get("responses", [])]
    return {"type": "string", "enum": [*ids, "tie"] if aspect.get("allow_tie", True) else ids}


def presented(payload: Json, order: int) -> Json:
    """The item with its responses in the order shown: 0 as they came, 1 turned round."""
    responses = payload.get("responses", [])
    return {**payload, "responses": responses[::-1]} if order else payload


def request_body(
    asked: Matter,
    *,
    prompt: str,
    model: str,
    answer_format: AnswerFormat,
    order: int,
    sampling: Mapping[str, Any],
) -> Json:
    """One question as chat completions take it. sampling: the members that are set."""
    shown = presented(asked.payload, order)
    schema = output_schema(asked.aspects, shown)
    system = (
        "Answer with one JSON object and nothing else. "
        f"{SCHEMA_MARK}\n{json.dumps(schema, ensure_ascii=False)}"
    )
    body: Json = {
        "model": model,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": rendered(prompt, asked.aspects, shown)},
        ],
        **sampling,
    }
    if answer_format is AnswerFormat.JSON_SCHEMA:
        named = {"name": "verdict", "schema": schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif answer_format is AnswerFormat.JSON_OBJECT:
        body["response_format"] = {"type": "json_object"}
    return body


def rendered(prompt: str, aspects: Sequence[Json], payload: Json) -> str:
    """The prompt with the item in its places; what an item says is never a place itself."""
    parts = {
        "conversation": "\n\n".join(
            f"[{each['role']}]\n{each['content']}" for each in payload.get("messages", [])
        ),
        "responses": "\n\n".join(
            f"[Response {each['id']}]\n{each['text']}" for each in payload.get("responses", [])
        ),
        "dimensions": "\n".join(_described(each) for each in aspects),
        "context": json.dumps(payload.get("context", ""), ensure_ascii=False),
    }
    return PLACES.sub(lambda found: parts[found[1]], prompt)


def _described(aspect: Json) -> str:
    words = f"- {aspect['key']}: {aspect.get('question') or aspect['title']}"
    if aspect["kind"] == "score":
        scale = aspect["scale"]
        anchors = "; ".join(f"{at} is {text}" for at, text in scale.get("anchors", {}).items())
        return f"{words} From {scale['min']} to {scale['max']}{': ' + anchors if anchors else ''}."
    if aspect["kind"] == "choice":
        return words + " " + "; ".join(f"{e['key']}: {e['title']}" for e in aspect["options"]) + "."
    return words


def fits(kind: str, template: Json, aspects: Sequence[Json]) -> list[str]:
    """Why a judge with these dimensions cannot judge a job of this type; empty where it can."""
    if kind not in JUDGED_TYPES:
        return [f"A judge gives verdicts on {', '.join(JUDGED_TYPES)}, and this job is another."]
    if task_type(kind).prelabels_shown is not None:
        return ["Specialists see what models said before they answer in this job."]
    there = {each["key"]: each for each in aspects_of(kind, template)}
    faults = []
    for each in aspects:
        other = there.get(each["key"])
        if other is None:
            faults.append(f"The job has no dimension “{each['key']}”.")
        elif _frame(each) != _frame(other):
            faults.append(f"“{each['key']}” has another scale or other options in the job.")
    faults += [
        f"The judge has no dimension “{key}”." for key in there if key not in
        {each["key"] for each in aspects}
    ]  # fmt: skip
    return faults


def _frame(aspect: Json) -> tuple[object, ...]:
    scale = aspect.get("scale", {})
    keys = tuple(each["key"] for each in aspect.get("options", ()))
    tie = aspect.get("allow_tie", True) if aspect["kind"] == "preference" else None
    return aspect["kind"], scale.get("min"), scale.get("max"), keys, tie
