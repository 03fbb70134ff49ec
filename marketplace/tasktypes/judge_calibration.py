"""Judge calibration: a specialist's verdict on the scale of a model judge, without seeing it.

What judges said are the item's pre-labels, in the shape of a judgement. They are told only after
the verdict is in, on its receipt; there the specialist may tag a judge's fault, which is kept
beside the verdict and never changes it. `reveal` set to `never` keeps them back there too.
"""

from __future__ import annotations

from typing import Any

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces
from marketplace.tasktypes.aspects import aspect_faults, doubled_keys, none_required
from marketplace.tasktypes.calibration_exports import EXPORTS
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.rubric import SCALE, scale_faults
from marketplace.tasktypes.scales import FLAG, Scale, ScaleKind, Scales, nominal, points_of
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.votes import Units

TIE = "tie"
FAULTS: tuple[tuple[str, str], ...] = (
    ("missed_error", "It missed an error"),
    ("invented_error", "It found an error that is none"),
    ("wrong_standard", "It judged by another standard than asked"),
    ("style_over_substance", "It took style for substance"),
    ("length", "It took length for worth"),
    ("position", "It took the first, or the last, for the best"),
    ("facts", "It did not know the facts"),
    ("other", "Something else"),
)

OPTION = pieces.closed({"key": pieces.KEY, "title": pieces.words(200)}, ("key", "title"))

DIMENSION = pieces.aspect(
    kind={
        **pieces.one_of("choice", "preference", "score", "binary"),
        "description": "choice: one of the options; preference: one of the item's responses; "
        "score: a point of the scale; binary: whether it is so.",
    },
    options=pieces.listing(OPTION, least=2, most=20),
    allow_tie=pieces.FLAG,
    scale=SCALE,
    category=pieces.text(200, "A group of dimensions, for reports and exports."),
)
DIMENSION["required"] = ["key", "title", "kind"]

TEMPLATE = Shape(
    pieces.contract(
        "Template of a judge calibration",
        {
            **pieces.TEMPLATE_FIELDS,
            "aspects": pieces.listing(DIMENSION, least=1, most=40),
            "reveal": {
                **pieces.one_of("after_submission", "never"),
                "description": "When specialists see what the judges said; after_submission where "
                "unset.",
            },
            "fault_tags": {
                **pieces.listing(OPTION, most=30),
                "description": "Faults of a judge that can be tagged; our own list where unset.",
            },
            **LABEL_STUDIO_FIELD,
        },
        ("aspects",),
    )
)

RESPONSE = pieces.closed({"id": pieces.NAME, "text": pieces.text()}, ("id", "text"))

ITEM = Shape(
    pieces.contract(
        "Item of a judge calibration",
        {**pieces.ITEM_FIELDS, "responses": pieces.listing(RESPONSE, most=20)},
        ("messages",),
    )
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a judge calibration",
        {
            "verdicts": {
                "type": "object",
                "description": "By dimension: an option's key, a response's id or “tie”, a whole "
                "number, or true or false.",
                "additionalProperties": {"type": ["string", "integer", "boolean"]},
            }
        },
        ("verdicts",),
    )
)


def template_rule(template: Json) -> list[Fault]:
    faults = doubled_keys(template["aspects"], "/aspects")
    faults += doubled_keys(template.get("fault_tags", []), "/fault_tags")
    for number, aspect in enumerate(template["aspects"]):
        place = f"/aspects/{number}"
        if aspect["kind"] == "score":
            if "scale" not in aspect:
                faults.append(Fault(f"{place}/scale", "Say from where to where the scale runs."))
            else:
                faults += scale_faults(aspect["scale"], f"{place}/scale")
        if aspect["kind"] == "choice":
            if "options" not in aspect:
                faults.append(Fault(f"{place}/options", "Say what there is to choose from."))
            else:
                faults += doubled_keys(aspect["options"], f"{place}/options")
    return faults


def item_rule(template: Json, payload: Json) -> list[Fault]:
    names = slots(payload)
    faults = [
        Fault(f"/responses/{number}/id", f'The id "{name}" stands twice. Rename one.')
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    if TIE in names:
        faults.append(Fault("/responses", '"tie" is the word for a tie. Rename this response.'))
    if len(names) < 2 and any(each["kind"] == "preference" for each in template["aspects"]):
        faults.append(Fault("/responses", "A preference needs two responses or more."))
    return faults


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    verdicts = judgement["verdicts"]
    faults = aspect_faults(template["aspects"], verdicts, "/verdicts", required=True)
    for aspect in template["aspects"]:
        if aspect["key"] in verdicts:
            wrong = verdict_fault(aspect, payload, verdicts[aspect["key"]])
            faults += [Fault(f"/verdicts/{aspect['key']}", wrong)] if wrong else []
    return faults


def verdict_fault(aspect: Json, payload: Json, verdict: Any) -> str:
    """What is wrong with one verdict on its dimension's scale; empty where nothing is."""
    kind = aspect["kind"]
    if kind == "binary":
        return "" if isinstance(verdict, bool) else "Answer true or false."
    if kind == "score":
        scale = aspect["scale"]
        whole = isinstance(verdict, int) and not isinstance(verdict, bool)
        within = whole and scale["min"] <= verdict <= scale["max"]
        return "" if within else f"The scale runs from {scale['min']} to {scale['max']}."
    offered = [name for name, _ in options(aspect, payload)]
    return "" if verdict in offered else f"Choose one of {listed(offered)}."


def options(aspect: Json, payload: Json) -> list[tuple[str, str]]:
    """What a choice or a preference offers, as (key, words)."""
    if aspect["kind"] == "choice":
        return [(each["key"], each["title"]) for each in aspect["options"]]
    found = [(name, name) for name in slots(payload)]
    return [*found, (TIE, "Tie")] if aspect.get("allow_tie", True) else found


def slots(payload: Json) -> list[str]:
    return [response["id"] for response in payload.get("responses", [])]


def favourite(judgement: Json) -> str | None:
    """The first answer in words; where it names no response, it has no place on the screen."""
    return next((each for each in judgement["verdicts"].values() if isinstance(each, str)), None)


def read_form(sent: fields.Fields, template: Json, _payload: Json) -> Json:
    kinds = {aspect["key"]: aspect["kind"] for aspect in template["aspects"]}
    shapes: dict[str, Json] = {
        "binary": pieces.FLAG,
        "score": {"type": "integer"},
        "choice": pieces.text(),
        "preference": pieces.text(),
    }
    answered = sent.below("verdicts")
    known = {key: shapes[kinds.get(key, "choice")] for key in answered.inner}
    verdicts = fields.judgement_from(answered, {"type": "object", "properties": known})
    return {"verdicts": verdicts}


def units(judgement: Json) -> Units:
    """One unit a dimension, `{"verdicts.empathy": 4}`."""
    return {f"verdicts.{key}": verdict for key, verdict in judgement["verdicts"].items()}


def scales(template: Json) -> Scales:
    """One scale a dimension, by its kind."""
    return {f"verdicts.{each['key']}": scale_of_dimension(each) for each in template["aspects"]}


def scale_of_dimension(dimension: Json) -> Scale:
    """A preference's labels are the names of the item's responses, which differ by item."""
    kind = dimension["kind"]
    if kind == "score":
        return points_of(dimension["scale"])
    if kind == "choice":
        return nominal(*(option["key"] for option in dimension["options"]))
    return FLAG if kind == "binary" else Scale(ScaleKind.PAIRWISE)


def fault_tags(template: Json) -> list[tuple[str, str]]:
    """The faults of a judge that a specialist may tag, as (key, words)."""
    named = template.get("fault_tags")
    return [(each["key"], each["title"]) for each in named] if named else list(FAULTS)


def prelabels_told(template: Json, said: list[Json]) -> list[Json]:
    """Every judge's verdict, for who has given their own; nothing where the lab never tells."""
    return [] if template.get("reveal") == "never" else said


JUDGE_CALIBRATION = TaskType(
    key="judge_calibration",
    title="Judge calibration",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    slots=slots,
    favourite=favourite,
    template_rule=template_rule,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    prelabels_told=prelabels_told,
    prelabel_template=none_required,
    gold_template=none_required,
    read_form=read_form,
)
