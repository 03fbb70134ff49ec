"""Pairwise preference: which of two responses is better, and by how much.

Template: `aspects` may each be judged for themselves; `allow_tie` and `allow_both_bad` (true where
unset) offer the two ways out; `strength` true requires one, false takes none, and unset leaves it
to the specialist. Strengths: 0 barely, 1 slightly, 2 clearly, 3 much better.
"""

from __future__ import annotations

from typing import Any

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.aspects import aspect_faults, doubled_keys, none_required
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.fields import Fields, judgement_from
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.pairwise_exports import EXPORTS
from marketplace.tasktypes.scales import Scale, ScaleKind, Scales
from marketplace.tasktypes.shapes import Json, Shape
from marketplace.tasktypes.votes import Units

SLOTS = ["a", "b"]

TEMPLATE = Shape(
    pieces.contract(
        "Template of a pairwise preference",
        {
            **pieces.TEMPLATE_FIELDS,
            "aspects": pieces.listing(pieces.aspect(), most=20),
            "allow_tie": pieces.FLAG,
            "allow_both_bad": pieces.FLAG,
            "strength": pieces.FLAG,
            **LABEL_STUDIO_FIELD,
        },
    )
)

ITEM = Shape(
    pieces.contract(
        "Item of a pairwise preference",
        {**pieces.ITEM_FIELDS, "a": pieces.text(), "b": pieces.text()},
        ("messages", "a", "b"),
    )
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a pairwise preference",
        {
            "choice": pieces.one_of("a", "b", "tie", "both_bad"),
            "strength": pieces.whole(0, 3),
            "aspects": {
                "type": "object",
                "additionalProperties": pieces.one_of("a", "b", "tie"),
            },
        },
        ("choice",),
    )
)


def template_rule(template: Json) -> list[Fault]:
    return doubled_keys(template.get("aspects", []), "/aspects")


def judgement_rule(template: Json, _payload: Json, judgement: Json) -> list[Fault]:
    faults = []
    choice = judgement["choice"]
    if choice == "tie" and not template.get("allow_tie", True):
        faults.append(Fault("/choice", "This job has no tie. Choose a or b."))
    if choice == "both_bad" and not template.get("allow_both_bad", True):
        faults.append(Fault("/choice", "This job has no “both bad”. Choose another answer."))
    faults += strength_faults(template.get("strength"), choice, judgement.get("strength"))
    return faults + aspect_faults(
        template.get("aspects", []), judgement.get("aspects", {}), "/aspects"
    )


def strength_faults(asked: bool | None, choice: str, strength: Any) -> list[Fault]:
    if choice not in SLOTS:
        if strength:
            return [Fault("/strength", f"With “{choice}” the strength must be 0 or left out.")]
    elif asked is False and strength:
        return [Fault("/strength", "This job takes no strength. Leave it out.")]
    elif asked and strength is None:
        return [Fault("/strength", "Say how strong the preference is, from 0 to 3.")]
    return []


def units(judgement: Json) -> Units:
    """The choice, and each aspect by itself."""
    aspects = {f"aspects.{key}": label for key, label in judgement.get("aspects", {}).items()}
    return {"choice": judgement["choice"], **aspects}


def scales(template: Json) -> Scales:
    """The choice with the ways out that the template offers, and each aspect."""
    ways_out = [way for way in ("tie", "both_bad") if template.get(f"allow_{way}", True)]
    return {
        "choice": Scale(ScaleKind.PAIRWISE, (*SLOTS, *ways_out)),
        "aspects.*": Scale(ScaleKind.PAIRWISE, (*SLOTS, "tie")),
    }


def slots(_payload: Json) -> list[str]:
    return list(SLOTS)


def favourite(judgement: Json) -> str | None:
    choice = str(judgement["choice"])
    return choice if choice in SLOTS else None


def gold_rule(judgement: Json, gold: Json, _template: Json) -> float:
    """The choice decides; aspects and strength are shades that gold does not test."""
    return 1.0 if judgement["choice"] == gold["choice"] else 0.0


def gold_template(template: Json) -> Json:
    """Gold may be the choice alone."""
    return {key: value for key, value in none_required(template).items() if key != "strength"}


def read_form(sent: Fields, _template: Json, _payload: Json) -> Json:
    """Who changed their mind to a tie need not take back how much better one answer was."""
    judgement = judgement_from(sent, JUDGEMENT.schema)
    if judgement.get("choice") in ("tie", "both_bad") and judgement.get("strength"):
        del judgement["strength"]
    return judgement


PAIRWISE = TaskType(
    key="pairwise",
    title="Pairwise preference",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    slots=slots,
    favourite=favourite,
    template_rule=template_rule,
    judgement_rule=judgement_rule,
    gold_rule=gold_rule,
    prelabel_template=gold_template,
    gold_template=gold_template,
    read_form=read_form,
)
