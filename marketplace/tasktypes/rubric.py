"""Rubric rating: one response scored on several aspects, each with its own anchored scale."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from marketplace.errors import Fault
from marketplace.tasktypes import pieces, preferences
from marketplace.tasktypes.aspects import aspect_faults, doubled_keys, none_required
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats.preferences import HELPSTEER2
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.label_studio.scales import RUBRIC as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.scales import Scales, ratings
from marketplace.tasktypes.shapes import Json, Shape
from marketplace.tasktypes.votes import Units, majorities, share_matched

SCALE = pieces.closed(
    {
        "min": pieces.whole(-10, 10),
        "max": pieces.whole(-10, 10),
        "anchors": {
            "type": "object",
            "description": "What a score means, by the score written as text.",
            "additionalProperties": pieces.text(1_000),
        },
    },
    ("min", "max"),
)

ASPECT = pieces.aspect(
    scale=SCALE,
    allow_na=pieces.FLAG,
    rationale=pieces.one_of("off", "optional", "required"),
)
ASPECT["required"] = ["key", "title", "scale"]

TEMPLATE = Shape(
    pieces.contract(
        "Template of a rubric rating",
        {
            **pieces.TEMPLATE_FIELDS,
            "aspects": pieces.listing(ASPECT, least=1, most=30),
            "gold_tolerance": {
                **pieces.whole(0, 5),
                "description": "How far from the gold score still counts as agreeing.",
            },
            **LABEL_STUDIO_FIELD,
        },
        ("aspects",),
    )
)

ITEM = Shape(
    pieces.contract(
        "Item of a rubric rating",
        {**pieces.ITEM_FIELDS, "response": pieces.text()},
        ("messages", "response"),
    )
)

RATING = pieces.closed(
    {"score": pieces.whole(-10, 10), "na": pieces.FLAG, "rationale": pieces.text(20_000)}
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a rubric rating",
        {"ratings": {"type": "object", "additionalProperties": RATING}},
        ("ratings",),
    )
)


def template_rule(template: Json) -> list[Fault]:
    faults = doubled_keys(template["aspects"], "/aspects")
    for number, aspect in enumerate(template["aspects"]):
        faults += scale_faults(aspect["scale"], f"/aspects/{number}/scale")
    return faults


def scale_faults(scale: Json, place: str) -> list[Fault]:
    """What is wrong with a scale: that it does not rise, or anchors beside it."""
    faults = []
    if scale["min"] >= scale["max"]:
        faults.append(Fault(f"{place}/max", "The scale must end above where it starts."))
    steps = {str(step) for step in range(int(scale["min"]), int(scale["max"]) + 1)}
    return faults + [
        Fault(f"{place}/anchors", f'The scale has no score "{anchor[:20]}". Remove its anchor.')
        for anchor in scale.get("anchors", {})
        if anchor not in steps
    ]


def judgement_rule(template: Json, _payload: Json, judgement: Json) -> list[Fault]:
    ratings = judgement["ratings"]
    faults = aspect_faults(template["aspects"], ratings, "/ratings", required=True)
    for aspect in template["aspects"]:
        if aspect["key"] in ratings:
            faults += rating_faults(aspect, ratings[aspect["key"]])
    return faults


def rating_faults(aspect: Json, rating: Json) -> list[Fault]:
    place = f"/ratings/{aspect['key']}"
    scale = aspect["scale"]
    score = rating.get("score")
    faults = []
    if rating.get("na"):
        if not aspect.get("allow_na", False):
            faults.append(Fault(f"{place}/na", "This aspect always applies. Give a score."))
        if score is not None:
            faults.append(Fault(f"{place}/score", "Give a score or “not applicable”, not both."))
    elif score is None:
        faults.append(Fault(f"{place}/score", f"Score “{aspect['title']}”."))
    elif not scale["min"] <= score <= scale["max"]:
        bounds = f"from {scale['min']} to {scale['max']}"
        faults.append(Fault(f"{place}/score", f"The scale runs {bounds}."))
    return faults + reason_faults(aspect, rating, place)


def reason_faults(aspect: Json, rating: Json, place: str) -> list[Fault]:
    wanted = aspect.get("rationale", "optional")
    given = bool(str(rating.get("rationale", "")).strip())
    if wanted == "required" and not given:
        return [Fault(f"{place}/rationale", f"Say why you scored “{aspect['title']}” so.")]
    if wanted == "off" and given:
        return [Fault(f"{place}/rationale", "This aspect takes no reason. Leave it empty.")]
    return []


def units(judgement: Json) -> Units:
    """Each score by itself, `{"ratings.clarity": 4}`; not applicable is the label `na`."""
    return {
        f"ratings.{key}": "na" if rating.get("na") else int(rating.get("score", 0))
        for key, rating in judgement["ratings"].items()
        if rating.get("na") or rating.get("score") is not None
    }


def scales(template: Json) -> Scales:
    return ratings(template["aspects"])


def gold_rule(judgement: Json, gold: Json, template: Json) -> float | None:
    """The share of gold's aspects scored within the template's tolerance."""
    tolerance = int(template.get("gold_tolerance", 0))

    def near(given: Hashable, wanted: Hashable) -> bool:
        if isinstance(given, int) and isinstance(wanted, int):
            return abs(given - wanted) <= tolerance
        return given == wanted

    return share_matched(units(judgement), units(gold), near)


def helpsteer2(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Prompt, response and one column an aspect, as in NVIDIA's HelpSteer2.

    Under `majority` a column is null where no score has one; a row of nulls only is dropped.
    """
    for record in records:
        ballots = [units(given.judgement) for given in record.in_order()]
        if not ballots:
            counts.drop("no_judgement")
        for ballot in [majorities(ballots)] if policy is Policy.MAJORITY and ballots else ballots:
            if ballot:
                counts.keep()
                counts.note("not_applicable", sum(label == "na" for label in ballot.values()))
                if policy is Policy.MAJORITY:
                    spoken = {unit for each in ballots for unit in each}
                    counts.note("no_majority", len(spoken - ballot.keys()))
                yield helpsteer2_row(record, ballot)
            else:
                counts.drop("no_majority" if policy is Policy.MAJORITY else "no_score")


def helpsteer2_row(record: Record, ballot: Units) -> ExportRow:
    scores = {
        aspect["key"]: ballot.get(f"ratings.{aspect['key']}")
        for aspect in record.template["aspects"]
    }
    return {
        "external_id": record.external_id,
        "prompt": preferences.prompt_text(preferences.prompt_of(record.payload)),
        "response": record.payload["response"],
        **{key: None if label == "na" else label for key, label in scores.items()},
    }


def gold_template(template: Json) -> Json:
    """Gold may be scores alone, and of some aspects only."""
    relaxed = none_required(template)
    reasonless = [{**aspect, "rationale": "optional"} for aspect in relaxed["aspects"]]
    return {**relaxed, "aspects": reasonless}


RUBRIC = TaskType(
    key="rubric",
    title="Rubric rating",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=catalogue(
        HELPSTEER2.by(helpsteer2),
        label_studio(LABEL_STUDIO),
    ),
    template_rule=template_rule,
    judgement_rule=judgement_rule,
    gold_rule=gold_rule,
    prelabel_template=gold_template,
    gold_template=gold_template,
)
