"""Correction: a model's pre-label put right, field by field.

The template says which fields a value has and of what kind they are; a pre-label and a judgement
hold `values` by field. What became of each element of the first pre-label, kept, edited, deleted
or added, is worked out here (`elements`), never taken from whoever corrects. Gold with a wrong
pre-label is what shows whether somebody only accepts: see `gold_rule`.
"""

from __future__ import annotations

import json
from typing import Any

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces
from marketplace.tasktypes.aspects import aspect_faults, doubled_keys
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.correction_exports import EXPORTS, elements_of
from marketplace.tasktypes.edits import ELEMENTS_MAX, edits
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.scales import FLAG, NOMINAL, TEXT, Scale, ScaleKind, Scales, nominal
from marketplace.tasktypes.shapes import Json, Shape, listed, under
from marketplace.tasktypes.votes import Units

VOTED_MAX = 100
KINDS = ("text", "choice", "number", "flag", "json", "messages")

FIELD = pieces.aspect(
    kind={
        **pieces.one_of(*KINDS),
        "description": "text; choice: one of the options; number; flag: true or false; json: an "
        "object or a list; messages: a conversation.",
    },
    options=pieces.listing(
        pieces.closed({"key": pieces.KEY, "title": pieces.words(200)}, ("key", "title")),
        least=2,
        most=100,
    ),
)
FIELD["required"] = ["key", "title", "kind"]

TEMPLATE = Shape(
    pieces.contract(
        "Template of a correction",
        {
            **pieces.TEMPLATE_FIELDS,
            "fields": pieces.listing(FIELD, least=1, most=40),
            "show_model": {
                **pieces.FLAG,
                "description": "Whether specialists see which model it was; true where unset.",
            },
            "show_confidence": {
                **pieces.FLAG,
                "description": "Whether they see how sure it was; false where unset, since a high "
                "one makes people accept what is wrong.",
            },
            **LABEL_STUDIO_FIELD,
        },
        ("fields",),
    )
)

ITEM = Shape(pieces.contract("Item of a correction", pieces.ITEM_FIELDS, ("messages",)))

ELEMENT = pieces.closed(
    {
        "path": pieces.text(4_000, "A JSON pointer into the values; of the pre-label if deleted."),
        "op": pieces.one_of("kept", "edited", "deleted", "added"),
        "was": {"description": "The model's own value, where it was edited or deleted."},
    },
    ("path", "op"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a correction",
        {
            "values": {"type": "object", "additionalProperties": {}},
            "elements": pieces.listing(ELEMENT, most=ELEMENTS_MAX),
            "corrected": pieces.closed(
                {
                    "model": pieces.text(200),
                    "version": pieces.text(200),
                    "confidence_shown": pieces.FLAG,
                }
            ),
        },
        ("values",),
    )
)

CONVERSATION = Shape(pieces.MESSAGES)


def template_rule(template: Json) -> list[Fault]:
    faults = doubled_keys(template["fields"], "/fields")
    for number, field in enumerate(template["fields"]):
        place = f"/fields/{number}/options"
        if field["kind"] == "choice" and "options" not in field:
            faults.append(Fault(place, "Say what there is to choose from."))
        faults += doubled_keys(field.get("options", []), place)
    return faults


def judgement_rule(template: Json, _payload: Json, judgement: Json) -> list[Fault]:
    values = judgement["values"]
    faults = aspect_faults(template["fields"], values, "/values", required=True)
    for field in template["fields"]:
        if field["key"] in values:
            faults += under(f"/values/{field['key']}", value_faults(field, values[field["key"]]))
    return faults


def value_faults(field: Json, value: Any) -> list[Fault]:
    kind = field["kind"]
    if kind == "messages":
        return CONVERSATION.faults(value)
    if kind == "choice":
        offered = [each["key"] for each in field["options"]]
        return [] if value in offered else [Fault("", f"Choose one of {listed(offered)}.")]
    if kind == "text":
        written = isinstance(value, str) and value.strip()
        return [] if written else [Fault("", f"Write “{field['title']}”, or leave it out.")]
    if kind == "flag":
        return [] if isinstance(value, bool) else [Fault("", "Answer true or false.")]
    if kind == "number":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return [] if number else [Fault("", "Write a number.")]
    if isinstance(value, dict | list):
        return []
    return [Fault("", "This is no JSON object and no list. Look for a comma or a quote.")]


def complete(template: Json, seen: Json, judgement: Json) -> Json:
    """The judgement with what became of each element of the first pre-label."""
    said: list[Json] = seen.get("prelabels", [])
    if not said:
        return {"values": judgement["values"]}
    return {
        "values": judgement["values"],
        "elements": elements_of(template, said[0]["payload"]["values"], judgement["values"]),
        "corrected": {
            "model": str(said[0].get("model", "")),
            "version": str(said[0].get("version", "")),
            "confidence_shown": bool(template.get("show_confidence", False)),
        },
    }


def prelabels_shown(template: Json, said: list[Json]) -> list[Json]:
    """The first pre-label; its model and its confidence only where the template shows them."""
    names = ["payload"]
    names += ["model", "version"] if template.get("show_model", True) else []
    names += ["confidence"] if template.get("show_confidence", False) else []
    return [{name: each.get(name) for name in names} for each in said[:1]]


def first_answer(_template: Json, payload: Json) -> Json:
    said = payload.get("prelabels", [])
    return {"values": said[0]["payload"]["values"]} if said else {}


def read_form(sent: fields.Fields, template: Json, _payload: Json) -> Json:
    """Objects and lists are typed as JSON, messages as rows, everything else as it is."""
    answered = sent.below("values")
    kinds = {field["key"]: field["kind"] for field in template["fields"]}
    order = [*kinds, *(key for key in answered.inner if key not in kinds)]
    values = {key: read_value(kinds.get(key, "text"), answered.below(key)) for key in order}
    return {"values": {key: value for key, value in values.items() if value is not None}}


def read_value(kind: str, sent: fields.Fields) -> Any:
    """What was typed for one field; text where it cannot be read as its kind, None where blank."""
    typed = sent.one()
    if kind == "messages":
        rows = [fields.judgement_from(row, pieces.MESSAGE) for row in sent.rows()]
        return [row for row in rows if row.get("content")] or None
    if typed is None or kind in {"text", "choice"}:
        return typed
    if kind == "flag":
        return fields.FLAGS.get(typed.strip().lower(), typed)
    try:
        # Numbers are typed as in JSON too; 1e-7 is one.
        return json.loads(typed, parse_constant=str)
    except (ValueError, RecursionError):
        return typed


def write_form(judgement: Json) -> dict[str, str]:
    values = judgement.get("values")
    found: dict[str, str] = {}
    for key, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, dict | list):
            found[f"values.{key}"] = json.dumps(value, ensure_ascii=False, indent=2)
        elif value is not None:
            found[f"values.{key}"] = fields.as_text(value)
        if isinstance(value, list) and all(is_message(each) for each in value):
            # The kind of the field says which of the two is shown.
            rows = fields.flat(dict(enumerate(value)))
            found |= {f"values.{key}.{name}": text for name, text in rows.items()}
    return found


def is_message(value: object) -> bool:
    return isinstance(value, dict) and {"role", "content"} <= value.keys()


def units(judgement: Json) -> Units:
    """One unit a field with a number, a flag or a short text; free text is reviewed instead."""
    return {
        f"values.{key}": value
        for key, value in judgement["values"].items()
        if isinstance(value, bool | int | float)
        or (isinstance(value, str) and len(value) <= VOTED_MAX and "\n" not in value)
    }


def scales(template: Json) -> Scales:
    """One scale a field, by its kind; of texts only the short ones are units."""
    return {f"values.{each['key']}": scale_of_field(each) for each in template["fields"]}


def scale_of_field(field: Json) -> Scale:
    if field["kind"] == "choice":
        return nominal(*(option["key"] for option in field["options"]))
    kinds = {"flag": FLAG, "number": Scale(ScaleKind.INTERVAL), "text": NOMINAL}
    return kinds.get(field["kind"], TEXT)


def relaxed(template: Json) -> Json:
    """Models, and gold, may leave fields out."""
    return {**template, "fields": [{**each, "required": False} for each in template["fields"]]}


def gold_rule(judgement: Json, gold: Json, _template: Json) -> float | None:
    """How much of what the pre-label had wrong was put right, and nothing right broken.

    An element counts where the pre-label differed from gold, or where the correction does. So
    who accepts a wrong pre-label as it stands gets 0, however many fields were right; 1 where
    there was nothing to put right and nothing was touched.
    """
    ops = {each["path"]: each["op"] for each in judgement.get("elements", [])}
    held = edits(gold["values"], judgement["values"])
    right = sum(1 for each in held if each["op"] == "kept" and op_of(ops, each["path"]) != "kept")
    wrong = sum(1 for each in held if each["op"] != "kept")
    gone = sum(1 for each in held if each["op"] == "deleted")
    right += max(0, sum(1 for op in ops.values() if op == "deleted") - gone)
    return right / (right + wrong) if right + wrong else 1.0


def op_of(ops: dict[str, str], path: str) -> str | None:
    """What became of an element, or of the nearest thing that it stands in."""
    while path and path not in ops:
        path = path.rpartition("/")[0]
    return ops.get(path)


CORRECTION = TaskType(
    key="correction",
    title="Correction",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    template_rule=template_rule,
    judgement_rule=judgement_rule,
    prelabels_shown=prelabels_shown,
    prelabel_template=relaxed,
    first_answer=first_answer,
    complete=complete,
    gold_rule=gold_rule,
    gold_template=relaxed,
    read_form=read_form,
    write_form=write_form,
)
