"""Demonstration: the specialist writes the response that a model should have given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces, preferences
from marketplace.tasktypes.aspects import doubled_keys
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.exports import Convert, Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import tuning
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.label_studio.texts import DEMONSTRATION as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.scales import TEXT, Scales
from marketplace.tasktypes.shapes import Json, Shape
from marketplace.tasktypes.votes import Units

PROMISE = pieces.closed({"key": pieces.KEY, "title": pieces.words(500)}, ("key", "title"))

TEMPLATE = Shape(
    pieces.contract(
        "Template of a demonstration",
        {
            **pieces.TEMPLATE_FIELDS,
            "style_guide_md": pieces.text(),
            "characters_min": pieces.whole(0, pieces.TEXT_MAX),
            "characters_max": pieces.whole(1, pieces.TEXT_MAX),
            "self_check": pieces.listing(PROMISE, most=20),
            **LABEL_STUDIO_FIELD,
        },
    )
)

ITEM = Shape(pieces.contract("Item of a demonstration", pieces.ITEM_FIELDS, ("messages",)))

WRITTEN = pieces.closed(
    {"role": pieces.one_of("user", "assistant"), "content": pieces.words()}, ("role", "content")
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a demonstration",
        {
            "messages": pieces.listing(WRITTEN, least=1, most=pieces.MESSAGES_MAX),
            "self_check": {"type": "object", "additionalProperties": pieces.FLAG},
        },
        ("messages",),
    )
)


def template_rule(template: Json) -> list[Fault]:
    faults = doubled_keys(template.get("self_check", []), "/self_check")
    if template.get("characters_min", 0) > template.get("characters_max", pieces.TEXT_MAX):
        faults.append(Fault("/characters_max", "The most must not be below the least."))
    return faults


def judgement_rule(template: Json, _payload: Json, judgement: Json) -> list[Fault]:
    messages = judgement["messages"]
    last = len(messages) - 1
    faults = []
    if messages[last]["role"] != "assistant":
        place = f"/messages/{last}/role"
        faults.append(Fault(place, "The last message must be the assistant's."))
    faults += length_faults(template, messages)
    checked = judgement.get("self_check", {})
    promises = {promise["key"]: promise for promise in template.get("self_check", [])}
    faults += [
        Fault(
            f"/self_check/{key}", f"Confirm “{each['title']}”, or change your text until you can."
        )
        for key, each in promises.items()
        if checked.get(key) is not True and each.get("required", True)
    ]
    return faults + [
        Fault("/self_check", f'The template has no check "{key[:80]}". Leave it out.')
        for key in checked
        if key not in promises
    ]


def length_faults(template: Json, messages: list[Json]) -> list[Fault]:
    length = sum(len(each["content"]) for each in messages if each["role"] == "assistant")
    least = template.get("characters_min", 0)
    most = template.get("characters_max", pieces.TEXT_MAX)
    if length < least:
        return [Fault("/messages", f"Write at least {least:,} characters; there are {length:,}.")]
    if length > most:
        return [Fault("/messages", f"Shorten to {most:,} characters; there are {length:,}.")]
    return []


def read_form(sent: fields.Fields, _template: Json, _payload: Json) -> Json:
    """A message that does not say whose it is, is the assistant's."""
    judgement = fields.judgement_from(sent, JUDGEMENT.schema)
    written = [
        {"role": "assistant", **message}
        for message in judgement.get("messages", [])
        if "content" in message
    ]
    return {**judgement, "messages": written}


def relaxed(template: Json) -> Json:
    """A model promises nothing, and what others wrote before was held to no length of ours."""
    promises = [{**each, "required": False} for each in template.get("self_check", [])]
    free = {key: value for key, value in template.items() if not key.startswith("characters_")}
    return {**free, "self_check": promises}


def units(_judgement: Json) -> Units:
    """Nothing: free text is reviewed, not voted on."""
    return {}


def scales(_template: Json) -> Scales:
    return {"*": TEXT}


def _rows(write: Callable[[Record, list[Json], list[Json]], ExportRow]) -> Convert:
    """A row a judgement, of the prompt and of what was written."""

    def convert(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
        for record in records:
            if not record.judgements:
                counts.drop("no_judgement")
            for given in record.in_order():
                counts.keep()
                prompt = preferences.prompt_of(record.payload)
                yield write(record, prompt, given.judgement["messages"])

    return convert


def trl_messages(record: Record, prompt: list[Json], written: list[Json]) -> ExportRow:
    """`messages`, as TRL's SFT trainer reads them."""
    return {"external_id": record.external_id, "messages": [*prompt, *written]}


def trl_prompt_completion(record: Record, prompt: list[Json], written: list[Json]) -> ExportRow:
    return {"external_id": record.external_id, "prompt": prompt, "completion": written}


def openai_sft(_record: Record, prompt: list[Json], written: list[Json]) -> ExportRow:
    return preferences.openai_messages(prompt, written)


DEMONSTRATION = TaskType(
    key="demonstration",
    title="Demonstration",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=catalogue(
        tuning.TRL_MESSAGES.by(_rows(trl_messages)),
        tuning.TRL_PROMPT_COMPLETION.by(_rows(trl_prompt_completion)),
        tuning.OPENAI_SFT.by(_rows(openai_sft)),
        label_studio(LABEL_STUDIO),
    ),
    template_rule=template_rule,
    judgement_rule=judgement_rule,
    prelabel_template=relaxed,
    gold_template=relaxed,
    read_form=read_form,
)
