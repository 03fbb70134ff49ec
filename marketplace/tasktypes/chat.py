"""Chat: a specialist talks to models turn by turn, says which reply is better, and rates it all.

Template: `candidates` names the model endpoints that answer each turn, or one of them twice for two
samples; `allow_tie` (at a tie the reply shown first goes on) and `allow_edit` are true where unset;
`turns_min` turns must be held and `turns_max` may be; `aspects` are rated at the end, as in a
rubric. An item has a `scenario`, a `persona`, and messages that stand before the first turn.

A reply is named by its slot, the place of its candidate in the template: `a` is the first. In what
order the replies of a turn stood on the screen is stored with them. `turns` and `messages` of a
judgement are what was stored while the conversation was held; what a form says of them is written
over.
"""

from __future__ import annotations

from marketplace.errors import Fault
from marketplace.tasktypes import conversation, fields, pieces, rubric
from marketplace.tasktypes.aspects import aspect_faults, doubled_keys, none_required
from marketplace.tasktypes.chat_exports import EXPORTS
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.conversation import Brief
from marketplace.tasktypes.scales import Scales, ratings
from marketplace.tasktypes.shapes import Json, Shape
from marketplace.tasktypes.votes import Units

TURNS_MOST = conversation.TURNS_MAX
# Models are sent what was said, not what tools answered: a tool's message needs the call before it.
ROLES = frozenset({"system", "developer", "user", "assistant"})

TEMPLATE = Shape(
    pieces.contract(
        "Template of a chat",
        {
            **pieces.TEMPLATE_FIELDS,
            "candidates": {**conversation.CANDIDATES, "minItems": 2},
            "turns_min": pieces.whole(0, TURNS_MOST),
            "turns_max": pieces.whole(1, TURNS_MOST),
            "allow_tie": pieces.FLAG,
            "allow_edit": pieces.FLAG,
            "aspects": pieces.listing(rubric.ASPECT, most=30),
        },
        ("candidates",),
    )
)

ITEM = Shape(
    pieces.contract(
        "Item of a chat",
        {
            **pieces.ITEM_FIELDS,
            "messages": {**pieces.MESSAGES, "minItems": 0},
            "scenario": pieces.words(20_000),
            "persona": pieces.text(20_000),
        },
        ("scenario",),
    )
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a chat",
        {
            **conversation.JUDGEMENT_FIELDS,
            "ratings": {"type": "object", "additionalProperties": rubric.RATING},
        },
    )
)


def template_rule(template: Json) -> list[Fault]:
    aspects = template.get("aspects", [])
    faults = doubled_keys(aspects, "/aspects")
    for number, aspect in enumerate(aspects):
        faults += rubric.scale_faults(aspect["scale"], f"/aspects/{number}/scale")
    if template.get("turns_min", 1) > template.get("turns_max", conversation.TURNS_DEFAULT):
        faults.append(Fault("/turns_max", "The most must not be below the least."))
    return faults


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    return [
        Fault(f"/messages/{at}/role", "A model is not sent messages of this role. Leave it out.")
        for at, message in enumerate(payload.get("messages", []))
        if message["role"] not in ROLES
    ]


def brief(template: Json, payload: Json) -> Brief:
    """What the conversation of an item is to be."""
    return Brief(
        endpoints=tuple(each["endpoint"] for each in template["candidates"]),
        opening=conversation.opening_of(payload),
        turns_max=template.get("turns_max", conversation.TURNS_DEFAULT),
        allow_tie=template.get("allow_tie", True),
        allow_edit=template.get("allow_edit", True),
    )


def complete(_template: Json, seen: Json, judgement: Json) -> Json:
    return conversation.merged(judgement, seen)


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    least = template.get("turns_min", 1)
    faults = conversation.turns_faults(payload, judgement, least=least)
    aspects, ratings = template.get("aspects", []), judgement.get("ratings", {})
    faults += aspect_faults(aspects, ratings, "/ratings", required=True)
    for aspect in aspects:
        if aspect["key"] in ratings:
            faults += rubric.rating_faults(aspect, ratings[aspect["key"]])
    return faults


def units(judgement: Json) -> Units:
    """The final ratings; two people never hold the same conversation, so turns are no votes."""
    return rubric.units({"ratings": judgement.get("ratings", {})})


def scales(template: Json) -> Scales:
    """Of the ratings; turns of two conversations cannot be compared and are no units."""
    return ratings(template.get("aspects", []))


def read_form(sent: fields.Fields, _template: Json, payload: Json) -> Json:
    """What the form holds, without edits that change nothing; it sends them all."""
    judgement = fields.judgement_from(sent, JUDGEMENT.schema)
    held = payload.get("conversation") or {}
    judgement.pop("editing", None)
    editing = conversation.real_edits(conversation.edits_sent(sent), held.get("pending"))
    return judgement | ({"editing": editing} if editing else {})


def gold_template(template: Json) -> Json:
    """Gold may rate some aspects only; its conversation is nobody's to compare with."""
    return {**none_required(template), "turns_min": 0}


CHAT = TaskType(
    key="chat",
    title="Chat with models",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    template_rule=template_rule,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    conversation=brief,
    complete=complete,
    gold_template=gold_template,
    read_form=read_form,
)
