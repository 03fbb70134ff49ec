"""Image regions: boxes, polygons and points on one image, in pixels of the original."""

from __future__ import annotations

from collections import Counter

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.aspects import doubled_keys
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.images.findings import CERTAINTIES, LATERALITIES
from marketplace.tasktypes.images.geometry import (
    area,
    crosses_itself,
    inside,
    outline_of,
)
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.regions_exports import EXPORTS
from marketplace.tasktypes.regions_form import complete, read_form, two_decimals, write_form
from marketplace.tasktypes.regions_score import gold_rule, marks, scales, units
from marketplace.tasktypes.shapes import Json, Shape, listed

REGIONS_MAX = 2_000
CORNERS_MAX = 500
CORNERS_IN_ALL_MAX = 10_000
SIDE_MIN = 0.01  # The smallest length that two decimals can say.
KINDS = ("box", "polygon", "point")

ASKED = pieces.one_of("off", "optional", "required")
OPTIONS = pieces.listing(pieces.words(200), most=50)

ATTRIBUTE = pieces.closed(
    {
        "key": pieces.KEY,
        "title": pieces.words(200),
        "options": {**OPTIONS, "description": "What may be chosen; free text where there is none."},
        "required": pieces.FLAG,
    },
    ("key", "title"),
)

LABEL = pieces.closed(
    {
        "key": pieces.KEY,
        "title": pieces.words(200),
        "kinds": {
            **pieces.listing(pieces.one_of(*KINDS), least=1, most=3),
            "description": "The shapes that this label may have; all three where unset.",
        },
        "attributes": pieces.listing(ATTRIBUTE, most=20),
        "colour": {**pieces.whole(0, 11), "description": "Which of twelve colours it is drawn in."},
    },
    ("key", "title"),
)

ANSWER = pieces.closed(
    {
        "key": pieces.KEY,
        "title": pieces.words(200),
        "options": {**OPTIONS, "minItems": 2},
        "required": pieces.FLAG,
    },
    ("key", "title", "options"),
)

TEMPLATE = Shape(
    pieces.contract(
        "Template of image regions",
        {
            **pieces.TEMPLATE_FIELDS,
            "labels": pieces.listing(LABEL, least=1, most=100),
            "certainty": {**ASKED, "description": "How certain each finding is; off where unset."},
            "laterality": {**ASKED, "description": "On which side each finding lies."},
            "answers": {
                **pieces.listing(ANSWER, most=30),
                "description": "Questions about the image as a whole.",
            },
            "confirm_empty": {
                **pieces.FLAG,
                "description": "Whether an image without regions must be confirmed; it must "
                "where unset.",
            },
            "start_from_prelabels": {
                **pieces.FLAG,
                "description": "Whether the first pre-label's regions are there to be corrected.",
            },
            "gold_point_pixels": {
                **pieces.whole(1, 1_000),
                "description": "How far from gold's point still counts as the same, in pixels.",
            },
            **LABEL_STUDIO_FIELD,
        },
        ("labels",),
    )
)

IMAGE_NAME: Json = {
    "type": "string",
    "maxLength": 200,
    "pattern": r"^(?![/.])(?!.*(^|/)\.\.?(/|$))[^\\\x00-\x1f\x7f]+$",
    "description": "Use the name of an image of this job, such as scan-01.png or left/scan-01.png.",
}
SHA256: Json = {
    "type": "string",
    "pattern": "^[0-9a-f]{64}$",
    "description": "Write the SHA-256 as 64 hexadecimal digits.",
}
SIDE = pieces.whole(1, 1_000_000)

ITEM = Shape(
    pieces.contract(
        "Item of image regions",
        {
            "image": IMAGE_NAME,
            "width": {**SIDE, "description": "In pixels; known once the image is in."},
            "height": SIDE,
            "sha256": SHA256,
            **pieces.ITEM_FIELDS,
        },
        ("image",),
    )
)

NUMBER: Json = {"type": "number"}

REGION = pieces.closed(
    {
        "id": pieces.NAME,
        "label": pieces.KEY,
        "kind": pieces.one_of(*KINDS),
        "box": {
            **pieces.listing(NUMBER, least=4, most=4),
            "description": "x, y, width and height in pixels, from the upper left corner.",
        },
        "points": {
            **pieces.listing(pieces.listing(NUMBER, least=2, most=2), least=1, most=CORNERS_MAX),
            "description": "The corners of a polygon, or the one point, as [x, y] in pixels.",
        },
        "attributes": {"type": "object", "additionalProperties": pieces.text(500)},
        "certainty": pieces.one_of(*CERTAINTIES),
        "laterality": pieces.one_of(*LATERALITIES),
    },
    ("id", "label", "kind"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of image regions",
        {
            "regions": pieces.listing(REGION, most=REGIONS_MAX),
            "nothing_to_mark": {
                **pieces.FLAG,
                "description": "Said of an image on which there is nothing to mark.",
            },
            "answers": {"type": "object", "additionalProperties": pieces.text(200)},
            "image": {
                **pieces.closed(
                    {"name": IMAGE_NAME, "width": SIDE, "height": SIDE, "sha256": SHA256}
                ),
                "description": "Which image it was; the marketplace fills this in.",
            },
            "presence": {
                "type": "object",
                "additionalProperties": pieces.FLAG,
                "description": "Whether each label was found; the marketplace fills this in.",
            },
        },
        ("regions",),
    )
)


def template_rule(template: Json) -> list[Fault]:
    faults = doubled_keys(template["labels"], "/labels")
    faults += doubled_keys(template.get("answers", []), "/answers")
    for number, label in enumerate(template["labels"]):
        faults += doubled_keys(label.get("attributes", []), f"/labels/{number}/attributes")
    return faults


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    missing = [name for name in ("width", "height") if name not in payload]
    if len(missing) == 1:
        return [Fault(f"/{missing[0]}", "Give both sides of the image, or neither.")]
    return []


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    regions = judgement["regions"]
    corners = sum(len(region.get("points", ())) for region in regions)
    if corners > CORNERS_IN_ALL_MAX:
        return [Fault("/regions", f"Use at most {CORNERS_IN_ALL_MAX:,} corners; it has {corners}.")]
    faults = doubled_ids(regions) + empty_faults(template, judgement)
    labels = {label["key"]: label for label in template["labels"]}
    for number, region in enumerate(regions):
        place = f"/regions/{number}"
        label = labels.get(region["label"])
        if label is None:
            words = f"The template has no label “{region['label'][:80]}”. Its labels: "
            faults.append(Fault(f"{place}/label", f"{words}{listed(sorted(labels))}."))
            continue
        faults += shape_faults(label, payload, region, place)
        faults += attribute_faults(label, region, place)
        for name in ("certainty", "laterality"):
            faults += said_faults(template.get(name, "off"), region, f"{place}/{name}")
    return faults + answer_faults(template.get("answers", []), judgement.get("answers", {}))


def empty_faults(template: Json, judgement: Json) -> list[Fault]:
    """An empty image is an answer that somebody gives, not what was there before the first mark."""
    said = judgement.get("nothing_to_mark", False)
    if judgement["regions"] and said:
        message = "There are regions, so there is something to mark. Delete them, or untick this."
        return [Fault("/nothing_to_mark", message)]
    if not judgement["regions"] and not said and template.get("confirm_empty", True):
        message = "Mark what is there, or say that there is nothing to mark."
        return [Fault("/nothing_to_mark", message)]
    return []


def doubled_ids(regions: list[Json]) -> list[Fault]:
    counted = Counter(region["id"] for region in regions)
    return [
        Fault(f"/regions/{number}/id", f'The id "{region["id"]}" stands twice. Change one.')
        for number, region in enumerate(regions)
        if counted[region["id"]] > 1
    ]


def shape_faults(label: Json, payload: Json, region: Json, place: str) -> list[Fault]:
    kind = region["kind"]
    allowed = label.get("kinds", KINDS)
    if kind not in allowed:
        message = f"“{label['title']}” is marked by {listed(list(allowed))}."
        return [Fault(f"{place}/kind", message)]
    wanted, other = ("box", "points") if kind == "box" else ("points", "box")
    if wanted not in region:
        return [Fault(f"{place}/{wanted}", f"Say where this {kind} lies.")]
    if other in region:
        return [Fault(f"{place}/{other}", f"A {kind} has only “{wanted}”. Leave this out.")]
    fault = outline_fault(region)
    if fault:
        return [Fault(f"{place}/{wanted}", fault)]
    width, height = payload.get("width"), payload.get("height")
    if width and height and not inside(region, width, height):
        message = f"This leaves the image, which is {width} by {height} pixels."
        return [Fault(f"{place}/{wanted}", message)]
    return []


def outline_fault(region: Json) -> str | None:
    """What is wrong with a shape by itself."""
    if region["kind"] == "box":
        small = min(region["box"][2:]) < SIDE_MIN
        return "Width and height must be more than nothing." if small else None
    corners = region["points"]
    if region["kind"] == "point":
        return None if len(corners) == 1 else "A point is one pair, [[x, y]]."
    if len(corners) < 3:
        return "A polygon has at least three corners."
    across = [corner[0] for corner in corners]
    down = [corner[1] for corner in corners]
    flat = min(max(across) - min(across), max(down) - min(down)) < SIDE_MIN
    if flat or area(outline_of(region)) < SIDE_MIN**2:
        return "These corners enclose nothing."
    if crosses_itself(corners):
        return "The outline of this polygon crosses itself. Move a corner."
    return None


def attribute_faults(label: Json, region: Json, place: str) -> list[Fault]:
    known = {each["key"]: each for each in label.get("attributes", [])}
    given = region.get("attributes", {})
    faults = []
    for key, text in given.items():
        if key not in known:
            names = listed(sorted(known))
            message = f"“{label['title']}” has no such attribute. It has: {names}."
            faults.append(Fault(f"{place}/attributes", message))
        elif known[key].get("options") and text not in known[key]["options"]:
            names = listed(known[key]["options"])
            faults.append(Fault(f"{place}/attributes/{key}", f"Choose one of {names}."))
    return faults + [
        Fault(f"{place}/attributes/{key}", f"Answer “{each['title']}” too.")
        for key, each in known.items()
        if each.get("required") and not str(given.get(key, "")).strip()
    ]


def said_faults(wanted: str, region: Json, place: str) -> list[Fault]:
    name = place.rpartition("/")[2]
    if wanted == "required" and name not in region:
        return [Fault(place, f"Say the {name} of this finding.")]
    if wanted == "off" and name in region:
        return [Fault(place, f"This job does not ask for {name}. Leave it out.")]
    return []


def answer_faults(asked: list[Json], given: Json) -> list[Fault]:
    known = {each["key"]: each for each in asked}
    faults = []
    for key, text in given.items():
        if key not in known:
            names = listed(sorted(known))
            faults.append(
                Fault("/answers", f"The template asks no “{key[:80]}”. It asks: {names}.")
            )
        elif text not in known[key]["options"]:
            names = listed(known[key]["options"])
            faults.append(Fault(f"/answers/{key}", f"Choose one of {names}."))
    return faults + [
        Fault(f"/answers/{key}", f"Answer “{each['title']}” too.")
        for key, each in known.items()
        if each.get("required") and key not in given
    ]


def lenient(template: Json) -> Json:
    """The template for gold and pre-labels: shapes and labels alone are enough."""
    labels = [
        {
            **label,
            "attributes": [{**each, "required": False} for each in label.get("attributes", [])],
        }
        for label in template["labels"]
    ]
    answers = [{**each, "required": False} for each in template.get("answers", [])]
    asked = {
        name: "optional" for name in ("certainty", "laterality") if template.get(name) == "required"
    }
    return {**template, "labels": labels, "answers": answers, "confirm_empty": False, **asked}


def prelabels_shown(template: Json, prelabels: list[Json]) -> list[Json]:
    """The first one, where the job starts from it; nothing of what others said."""
    return prelabels[:1] if template.get("start_from_prelabels") else []


def first_answer(template: Json, payload: Json) -> Json:
    """The regions of the pre-label that the job starts from."""
    shown = payload.get("prelabels") or []
    if not template.get("start_from_prelabels") or not shown:
        return {}
    said = shown[0]["payload"]
    kept = {name: said[name] for name in ("regions", "answers", "nothing_to_mark") if name in said}
    return {**kept, "regions": [two_decimals(region) for region in said["regions"]]}


REGIONS = TaskType(
    key="regions",
    title="Image regions",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    marks=marks,
    formats=EXPORTS,
    template_rule=template_rule,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    prelabels_shown=prelabels_shown,
    prelabel_template=lenient,
    first_answer=first_answer,
    complete=complete,
    gold_rule=gold_rule,
    gold_template=lenient,
    read_form=read_form,
    write_form=write_form,
)
