"""The form of image regions: one row of short fields for each, or all of them in one field.

With script the page keeps everything in `regions_json`; without it each region is a row:
`regions.0.label`, `.kind`, `.x`, `.y`, `.w`, `.h`, or `.points` written as `10,20 30,20 30,40`,
with `.certainty`, `.laterality` and `.attributes.<key>`. A row without a label, a number and a
point is no region.
"""

from __future__ import annotations

import json
import re
from typing import Any

from marketplace.tasktypes import fields
from marketplace.tasktypes.fields import DECIMAL, Fields
from marketplace.tasktypes.images.geometry import rounded
from marketplace.tasktypes.shapes import Json

SIDES = ("x", "y", "w", "h")
SAID = ("certainty", "laterality")
_NUMBER = r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?"
_CORNER = re.compile(rf"({_NUMBER})\s*[,;]\s*({_NUMBER})")
# No legal judgement is as long as this; a longer text is not worth the reading.
TEXT_MAX = 2_000_000


def complete(template: Json, payload: Json, judgement: Json) -> Json:
    """The judgement with pixels of two decimals, the image it is of, and what was found at all."""
    return {
        **judgement,
        "regions": [two_decimals(region) for region in judgement["regions"]],
        **known_facts(template, payload, judgement["regions"]),
    }


def known_facts(template: Json, payload: Json, regions: list[Any]) -> Json:
    """What the marketplace fills in itself."""
    found = {region.get("label") for region in regions if isinstance(region, dict)}
    facts = {"name": payload["image"]} | {
        name: payload[name] for name in ("width", "height", "sha256") if name in payload
    }
    presence = {label["key"]: label["key"] in found for label in template["labels"]}
    return {"image": facts, "presence": presence}


def two_decimals(region: Json) -> Json:
    """The region with the decimals that are kept."""
    short: dict[str, Any] = {}
    if "box" in region:
        short["box"] = [rounded(side) for side in region["box"]]
    if "points" in region:
        short["points"] = [[rounded(x), rounded(y)] for x, y in region["points"]]
    return {**region, **short}


def read_form(sent: Fields, template: Json, payload: Json) -> Json:
    """The judgement that the fields describe; it may still have faults."""
    written = sent.below("regions_json").one()
    regions = None if written is None else parsed(written)
    if regions is None:
        regions = [region for row in sent.below("regions").rows() if (region := _row(row))]
    judgement: Json = {"regions": _named(regions)} | known_facts(template, payload, regions)
    if sent.below("nothing_to_mark").one() is not None:
        judgement["nothing_to_mark"] = True
    answers = {
        key: text
        for key, inner in sent.below("answers").inner.items()
        if (text := inner.one()) is not None
    }
    if answers:
        judgement["answers"] = answers
    return judgement


def parsed(text: str) -> list[Any] | None:
    """The list that the page keeps; None where this is no list, or nested beyond sense."""
    if len(text) > TEXT_MAX:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _row(row: Fields) -> Json:
    sides = {name: _side(row, name) for name in SIDES}
    outline = row.below("points").one()
    given = {name: value for name, value in sides.items() if value is not None}
    region: Json = {}
    for name in ("id", "label"):
        text = row.below(name).one()
        if text is not None:
            region[name] = text.strip()
    if not given and outline is None and "label" not in region:
        return {}
    region |= _shape(row.below("kind").one(), given, outline)
    for name in SAID:
        text = row.below(name).one()
        if text is not None:
            region[name] = text.strip()
    said = row.below("attributes").inner.items()
    attributes = {key: text for key, inner in said if (text := inner.one()) is not None}
    return {**region, "attributes": attributes} if attributes else region


def _side(row: Fields, name: str) -> float | int | str | None:
    text = row.below(name).one()
    if text is None:
        return None
    # What cannot be read stays as text, and the check says so.
    return rounded(float(text)) if DECIMAL.fullmatch(text.strip()) else text


def _shape(kind: str | None, given: Json, outline: str | None) -> Json:
    """The shape that a row's fields make; the kind follows from them where none is chosen."""
    chosen = kind or ("polygon" if outline else "box" if {"w", "h"} & given.keys() else "point")
    if chosen == "polygon":
        return {"kind": chosen, "points": _corners(outline)} if outline else {"kind": chosen}
    if chosen == "point":
        corner = [given[name] for name in ("x", "y") if name in given]
        return {"kind": chosen, "points": [corner]} if corner else {"kind": chosen}
    sides = [given[name] for name in SIDES if name in given]
    return {"kind": chosen, "box": sides} if sides else {"kind": chosen}


def _corners(text: str) -> list[Any]:
    """`10,20 30,40` as a list of corners; as it was typed where anything else stands between."""
    corners = [[rounded(float(x)), rounded(float(y))] for x, y in _CORNER.findall(text)]
    return corners if not _CORNER.sub("", text).strip(" \t\n;,") else [text]


def _named(regions: list[Any]) -> list[Any]:
    """The regions, each with an id: what has none gets the next number that is free."""
    used = {region.get("id") for region in regions if isinstance(region, dict) and _text_id(region)}
    named = []
    number = 0
    for region in regions:
        if isinstance(region, dict) and "id" not in region:
            number += 1
            while f"r{number}" in used:
                number += 1
            named.append({"id": f"r{number}", **region})
        else:
            named.append(region)
    return named


def _text_id(region: Json) -> bool:
    return isinstance(region.get("id"), str)


def write_form(judgement: Json) -> dict[str, str]:
    """The fields of both ways to fill the form; drafts of any shape too."""
    found: dict[str, str] = {}
    regions = judgement.get("regions")
    rows = regions if isinstance(regions, list) else []
    if rows:
        found["regions_json"] = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    for at, region in enumerate(rows):
        if isinstance(region, dict):
            row = f"regions.{at}"
            found |= {f"{row}.{name}": text for name, text in _fields(region).items()}
    if judgement.get("nothing_to_mark"):
        found["nothing_to_mark"] = "true"
    answers = judgement.get("answers")
    if isinstance(answers, dict):
        found |= {f"answers.{key}": str(each) for key, each in answers.items() if each is not None}
    return found


def _fields(region: Json) -> dict[str, str]:
    names = ("id", "label", "kind", *SAID)
    found = {name: str(region[name]) for name in names if region.get(name) is not None}
    box, points = region.get("box"), region.get("points")
    if isinstance(box, list):
        found |= {name: fields.as_text(side) for name, side in zip(SIDES, box, strict=False)}
    if isinstance(points, list):
        if region.get("kind") == "point" and len(points) == 1 and isinstance(points[0], list):
            pair = zip(("x", "y"), points[0], strict=False)
            found |= {name: fields.as_text(side) for name, side in pair}
        else:
            found["points"] = " ".join(_corner_text(corner) for corner in points)
    attributes = region.get("attributes")
    if isinstance(attributes, dict):
        found |= {
            f"attributes.{key}": str(each) for key, each in attributes.items() if each is not None
        }
    return found


def _corner_text(corner: object) -> str:
    if isinstance(corner, list):
        return ",".join(fields.as_text(side) for side in corner)
    return fields.as_text(corner)
