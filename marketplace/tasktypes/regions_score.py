"""Votes on images and their regions, and how far they agree with gold."""

from __future__ import annotations

from marketplace.tasktypes.images.matching import POINT_PIXELS, agreement
from marketplace.tasktypes.scales import Mark, Scale, ScaleKind, Scales, nominal
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import Units


def units(judgement: Json) -> Units:
    """Whether each label was found, and the answers about the image.

    Absent labels vote only where `presence` says so, which is filled in at hand-in. Regions are
    matched, not voted on: `images.matching.matches` pairs those of two judgements.
    """
    found = {region["label"]: True for region in judgement["regions"]}
    presence = {**judgement.get("presence", {}), **found}
    return {
        **{f"presence.{key}": "present" if there else "absent" for key, there in presence.items()},
        **{f"answers.{key}": text for key, text in judgement.get("answers", {}).items()},
    }


def scales(template: Json) -> Scales:
    """Presence and answers are voted on; what nobody else found, the others saw as nothing."""
    keys = [label["key"] for label in template["labels"]]
    answers = {
        f"answers.{each['key']}": nominal(*each["options"]) for each in template.get("answers", [])
    }
    return {
        "presence.*": Scale(ScaleKind.NOMINAL, ("absent", "present"), silence="absent"),
        "regions.*": Scale(ScaleKind.REGIONS, tuple(keys), silence=""),
        **answers,
    }


def marks(template: Json, judgement: Json) -> list[Mark]:
    """Each region with its label; boxes and polygons by overlap, points by distance."""
    reach = float(template.get("gold_point_pixels", POINT_PIXELS))
    return [
        Mark("regions", str(region["id"]), str(region["label"]), region, reach=reach)
        for region in judgement["regions"]
    ]


def gold_rule(judgement: Json, gold: Json, template: Json) -> float | None:
    """The mean of two shares: F1 of matched regions by label, and gold's answers given alike.

    Where neither marks anything, they agree that nothing is there.
    """
    pixels = float(template.get("gold_point_pixels", POINT_PIXELS))
    alike = agreement(judgement["regions"], gold["regions"], point_pixels=pixels)
    shares = [1.0 if alike is None else alike]
    wanted, given = gold.get("answers", {}), judgement.get("answers", {})
    if wanted:
        shares.append(sum(given.get(key) == text for key, text in wanted.items()) / len(wanted))
    return sum(shares) / len(shares)
