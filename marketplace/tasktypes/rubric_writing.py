"""Rubric writing: the criteria by which answers to a conversation are to be scored.

A criterion has points from -10 to 10: an answer that meets it gains or loses them. An answer's
score is what it gains over the sum of the positive points, as HealthBench counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces, preferences
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats.texts import HEALTHBENCH
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.rubric_lint import same_words
from marketplace.tasktypes.scales import TEXT, Scales, ordinal
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.votes import Units, share_matched

POINTS_MOST = 10
TAG: Json = {
    "type": "string",
    "pattern": r"^[^\s,](?:[^,\r\n]{0,98}[^\s,])?$",
    "description": "Use a tag of at most 100 characters, without commas.",
}

TEMPLATE = Shape(
    pieces.contract(
        "Template of rubric writing",
        {
            **pieces.TEMPLATE_FIELDS,
            "tags": {
                **pieces.listing(TAG, most=100),
                "description": "The tags that criteria may carry; any where unset.",
            },
            "criteria_min": pieces.whole(1, 100),
            "criteria_max": pieces.whole(1, 100),
            "negative_required": {
                **pieces.FLAG,
                "description": "Whether at least one criterion must take points away.",
            },
            "ideal_completion": pieces.one_of("off", "optional", "required"),
        },
    )
)

REFERENCE = pieces.closed({"id": pieces.NAME, "text": pieces.words()}, ("id", "text"))

ITEM = Shape(
    pieces.contract(
        "Item of rubric writing",
        {
            **pieces.ITEM_FIELDS,
            "prompt_id": pieces.text(200),
            "references": {
                **pieces.listing(REFERENCE, most=20),
                "description": "Answers that the criteria should tell apart.",
            },
            "example_tags": pieces.listing(pieces.words(200), most=100),
        },
        ("messages",),
    )
)

CRITERION = pieces.closed(
    {
        "criterion": pieces.words(5_000),
        "points": pieces.whole(-POINTS_MOST, POINTS_MOST),
        "tags": pieces.listing(TAG, most=20),
    },
    ("criterion", "points"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of rubric writing",
        {
            "rubrics": pieces.listing(CRITERION, least=1, most=100),
            "ideal_completion": pieces.text(),
        },
        ("rubrics",),
    )
)


def template_rule(template: Json) -> list[Fault]:
    if template.get("criteria_min", 1) > template.get("criteria_max", 100):
        return [Fault("/criteria_max", "The most must not be below the least.")]
    return []


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    names = [each["id"] for each in payload.get("references", [])]
    return [
        Fault(f"/references/{number}/id", f'The id "{name}" stands twice. Rename one.')
        for number, name in enumerate(names)
        if name in names[:number]
    ]


def judgement_rule(template: Json, _payload: Json, judgement: Json) -> list[Fault]:
    rubrics = judgement["rubrics"]
    faults = number_faults(template, len(rubrics))
    seen: dict[str, int] = {}
    for number, each in enumerate(rubrics):
        place = f"/rubrics/{number}"
        words = same_words(each["criterion"])
        if words in seen:
            faults.append(
                Fault(f"{place}/criterion", f"Criterion {seen[words] + 1} says this. Keep one.")
            )
        seen.setdefault(words, number)
        if each["points"] == 0:
            faults.append(Fault(f"{place}/points", "Zero points say nothing. Give or take some."))
        faults += tag_faults(template, each.get("tags", []), f"{place}/tags")
    if not any(each["points"] > 0 for each in rubrics):
        words = "Let at least one criterion give points, or no answer can have a score."
        faults.append(Fault("/rubrics", words))
    if template.get("negative_required") and all(each["points"] >= 0 for each in rubrics):
        faults.append(Fault("/rubrics", "Say too what must not be in an answer: take points away."))
    return faults + ideal_faults(template, judgement)


def number_faults(template: Json, number: int) -> list[Fault]:
    least, most = template.get("criteria_min", 1), template.get("criteria_max", 100)
    if number < least:
        return [Fault("/rubrics", f"Write at least {least} criteria; there are {number}.")]
    if number > most:
        return [Fault("/rubrics", f"Write at most {most} criteria; there are {number}.")]
    return []


def tag_faults(template: Json, tags: list[str], place: str) -> list[Fault]:
    known = template.get("tags") or tags
    return [
        Fault(place, f"There is no tag “{tag}”. Choose from {listed(known)}.")
        for tag in tags
        if tag not in known
    ]


def ideal_faults(template: Json, judgement: Json) -> list[Fault]:
    wanted = template.get("ideal_completion", "optional")
    given = bool(judgement.get("ideal_completion", "").strip())
    if wanted == "required" and not given:
        return [Fault("/ideal_completion", "Write the answer that meets your criteria.")]
    if wanted == "off" and given:
        return [Fault("/ideal_completion", "This job takes no ideal answer. Leave it out.")]
    return []


def read_form(sent: fields.Fields, _template: Json, _payload: Json) -> Json:
    """Rows in the order of `place` where it is given; tags of a row with commas, or one a field."""
    rows = sent.below("rubrics").rows()
    order = [(*place_of(row, number), number) for number, row in enumerate(rows)]
    criteria = [read_row(rows[number]) for *_, number in sorted(order)]
    judgement = fields.judgement_from(sent, JUDGEMENT.schema)
    judgement.pop("rubrics", None)
    found = [each for each in criteria if each]
    return {"rubrics": found, **judgement} if found else judgement


def place_of(row: fields.Fields, number: int) -> tuple[int, int]:
    """Where a row is to stand, counted from 1; one that was moved there goes past who was there."""
    said = (row.below("place").one() or "").strip()
    place = int(said) if said.isdecimal() and len(said) < 4 else number + 1
    return place, (place > number + 1) - (place < number + 1)


def read_row(row: fields.Fields) -> Json:
    below = fields.Fields(inner={key: row.below(key) for key in ("criterion", "points")})
    found = fields.judgement_from(below, CRITERION)
    tags = row.below("tags")
    said = [*tags.values, *(each.one() or "" for each in tags.rows())]
    named = [tag.strip() for text in said for tag in text.split(",") if tag.strip()]
    if not found.get("criterion") and not named:
        # Points alone are what an empty row starts with.
        return {}
    return {**found, "tags": named} if named else found


def units(judgement: Json) -> Units:
    """The points of each criterion by its words; criteria in other words meet nobody's vote."""
    return {
        f"rubrics.{same_words(each['criterion'])}": each["points"] for each in judgement["rubrics"]
    }


def scales(_template: Json) -> Scales:
    return {
        "rubrics.*": ordinal(*range(-POINTS_MOST, POINTS_MOST + 1)),
        "ideal_completion": TEXT,
    }


def gold_rule(judgement: Json, gold: Json, _template: Json) -> float | None:
    """The share of gold's criteria that stand in the judgement with points of the same sign."""

    def same(given: Hashable, wanted: Hashable) -> bool:
        return isinstance(given, int) and isinstance(wanted, int) and (given > 0) == (wanted > 0)

    return share_matched(units(judgement), units(gold), same)


def healthbench(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row a judgement, with the columns that HealthBench's evaluation reads."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        for given in record.in_order():
            counts.keep()
            yield row(record, given)


def row(record: Record, given: AuthoredJudgement) -> ExportRow:
    judgement, payload = given.judgement, record.payload
    ideal = judgement.get("ideal_completion")
    references = [each["text"] for each in payload.get("references", [])]
    return {
        "prompt_id": payload.get("prompt_id") or record.external_id,
        "annotation_id": given.annotation_id,
        "prompt": preferences.prompt_of(payload),
        "rubrics": [{"tags": [], **each} for each in judgement["rubrics"]],
        "example_tags": list(payload.get("example_tags", [])),
        "ideal_completions_data": {
            "ideal_completion": ideal,
            "ideal_completions_group": None,
            "ideal_completions_ref_completions": references or None,
        }
        if ideal
        else None,
    }


def write_form(judgement: object) -> dict[str, str]:
    """Tags of a row as one text with commas, as people write them."""
    if not isinstance(judgement, dict):
        return {}
    rubrics = judgement.get("rubrics")
    if not isinstance(rubrics, list):
        return fields.flat(judgement)
    written = [
        {**each, "tags": ", ".join(map(str, each["tags"]))}
        if isinstance(each, dict) and isinstance(each.get("tags"), list)
        else each
        for each in rubrics
    ]
    return fields.flat({**judgement, "rubrics": written})


RUBRIC_WRITING = TaskType(
    key="rubric_writing",
    title="Rubric writing",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=catalogue(HEALTHBENCH.by(healthbench)),
    template_rule=template_rule,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    gold_rule=gold_rule,
    read_form=read_form,
    write_form=write_form,
)
