"""Corrections as a corrected set, and as pairs that prefer the corrected to the original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from marketplace.tasktypes import preferences
from marketplace.tasktypes.edits import edits
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue, line
from marketplace.tasktypes.formats import EVERY, tuning
from marketplace.tasktypes.formats import preferences as formats
from marketplace.tasktypes.label_studio.texts import CORRECTION as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json


def elements_of(template: Json, before: Json, after: Json) -> list[Json]:
    """What became of each element of a pre-label's values; a message is one element."""
    kinds = {field["key"]: field["kind"] for field in template["fields"]}
    found: list[Json] = []
    for key in [*before, *(key for key in after if key not in before)]:
        own, new = ({key: each[key]} if key in each else {} for each in (before, after))
        found += edits(own, new, whole=kinds.get(key) == "messages")
    return found


def original_of(record: Record) -> Json | None:
    """The values of the first pre-label, the one that specialists were given."""
    values: Json | None = record.prelabels[0]["payload"]["values"] if record.prelabels else None
    return values


def completion(template: Json, values: Json) -> list[Json]:
    """The values as what a model should have answered.

    A single field of text or of messages is the answer itself; several are one JSON object with
    sorted keys.
    """
    if len(template["fields"]) == 1:
        field = template["fields"][0]
        value = values.get(field["key"])
        if field["kind"] == "messages" and value:
            return [dict(each) for each in value]
        if field["kind"] == "text" and value:
            return preferences.answer(str(value))
    return preferences.answer(line(values).decode().rstrip("\n"))


def corrected(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """What was asked, the values as corrected, and what became of the model's."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        original = original_of(record)
        for given in record.in_order():
            counts.keep()
            values = given.judgement["values"]
            elements = elements_of(record.template, original, values) if original else []
            ops = Counter(each["op"] for each in elements)
            yield {
                "external_id": record.external_id,
                "messages": preferences.prompt_of(record.payload),
                "values": values,
                "original": original,
                "corrected_from": given.judgement.get("corrected"),
                "elements": elements,
                "ops": {op: ops[op] for op in ("kept", "edited", "deleted", "added")},
                "active_seconds": given.active_seconds,
            }


def pairs(
    records: Iterable[Record], counts: Counts, *, one_answer: bool
) -> Iterator[tuple[Record, list[Json], list[Json]]]:
    """(record, corrected, original) where the two differ; one_answer: only where each is what an
    assistant says."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        original = original_of(record)
        for given in record.in_order():
            values = given.judgement["values"]
            if original is None:
                counts.drop("no_prelabel")
                continue
            if all(each["op"] == "kept" for each in edits(original, values)):
                counts.drop("unchanged")
                continue
            both = [completion(record.template, each) for each in (values, original)]
            if one_answer and any(turn["role"] != "assistant" for said in both for turn in said):
                counts.drop("not_one_answer")
                continue
            counts.keep()
            yield record, both[0], both[1]


def trl_preference(
    records: Iterable[Record], _policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    for record, chosen, rejected in pairs(records, counts, one_answer=False):
        yield {
            "external_id": record.external_id,
            "prompt": preferences.prompt_of(record.payload),
            "chosen": chosen,
            "rejected": rejected,
        }


def openai_dpo(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for record, chosen, rejected in pairs(records, counts, one_answer=True):
        asked = {"messages": preferences.prompt_of(record.payload), "tools": []}
        yield {
            "input": {**asked, "parallel_tool_calls": True},
            "preferred_output": chosen,
            "non_preferred_output": rejected,
        }


def corrected_talks(
    records: Iterable[Record], counts: Counts
) -> Iterator[tuple[Record, list[Json], list[Json]]]:
    """(record, prompt, answer) of each correction that is what an assistant says."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        for given in record.in_order():
            said = completion(record.template, given.judgement["values"])
            if any(turn["role"] != "assistant" for turn in said):
                counts.drop("not_one_answer")
                continue
            counts.keep()
            yield record, preferences.prompt_of(record.payload), said


def trl_messages(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The corrected answer after its prompt, also where nothing had to be corrected."""
    for record, prompt, said in corrected_talks(records, counts):
        yield {"external_id": record.external_id, "messages": [*prompt, *said]}


def openai_sft(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for _, prompt, said in corrected_talks(records, counts):
        yield preferences.openai_messages(prompt, said)


EXPORTS = catalogue(
    tuning.CORRECTED.by(corrected),
    tuning.TRL_MESSAGES.by(trl_messages, title="TRL messages (SFT on the corrected)"),
    tuning.OPENAI_SFT.by(openai_sft, title="OpenAI fine-tuning (SFT on the corrected)"),
    formats.TRL_PREFERENCE.by(
        trl_preference, title="TRL preference (corrected over original)", policies=EVERY
    ),
    formats.OPENAI_DPO.by(
        openai_dpo, title="OpenAI preference (corrected over original)", policies=EVERY
    ),
    label_studio(LABEL_STUDIO),
)
