"""Image regions in Label Studio's results: boxes, polygons and points in per cent of the sides."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any, TypeGuard
from urllib.parse import unquote, urlsplit

from marketplace.tasktypes.images.findings import CERTAINTIES, LATERALITIES
from marketplace.tasktypes.images.geometry import rounded
from marketplace.tasktypes.images.measures import from_percent, to_percent
from marketplace.tasktypes.label_studio.controls import Config, Control, Shown, datum_of
from marketplace.tasktypes.label_studio.dialect import (
    Dialect,
    Left,
    Place,
    Unfit,
    control_of,
    key_of,
    name_of,
    result,
    value_of,
    whole,
    words_of,
)
from marketplace.tasktypes.shapes import Json

TAGS = {"box": "RectangleLabels", "polygon": "PolygonLabels", "point": "KeyPointLabels"}
PLAIN = {"box": "Rectangle", "polygon": "Polygon", "point": "KeyPoint"}
KINDS = {tag.lower(): kind for tags in (TAGS, PLAIN) for kind, tag in tags.items()}
NOTHING, YES = "nothing_to_mark", "yes"
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")
LOOKED_AT_MAX = 200
POINT_WIDTH = 0.5  # Label Studio draws a point this wide, in per cent.
SAID = {"certainty": CERTAINTIES, "laterality": LATERALITIES}
IMAGE = ("image",)


def default(template: Json) -> Config:
    """`box`, `polygon` and `point` mark; questions and attributes go by their own keys."""
    labels = template.get("labels", [])
    titles = tuple(str(each["title"]) for each in labels)
    controls = [Control(kind, tag, IMAGE, titles) for kind, tag in TAGS.items()]
    for each in (each for label in labels for each in label.get("attributes", [])):
        tag = "Choices" if each.get("options") else "TextArea"
        offered = tuple(each.get("options", ()))
        controls.append(Control(str(each["key"]), tag, IMAGE, offered, per_region=True))
    controls += [
        Control(name, "Choices", IMAGE, offered, per_region=True)
        for name, offered in SAID.items()
        if template.get(name, "off") != "off"
    ]
    controls += [
        Control(str(each["key"]), "Choices", IMAGE, tuple(each["options"]))
        for each in template.get("answers", [])
    ]
    controls.append(Control(NOTHING, "Choices", IMAGE, (YES,)))
    return Config({"image": Shown("Image", "image")}, tuple(controls))


def payload(place: Place) -> Json:
    """The image's name, and its size where a result tells it."""
    shown = [each for each in place.config.shown.values() if each.tag == "Image"]
    address = datum_of(place.content, shown[0].datum) if shown else None
    if address is None:
        address = _guessed(place.content)
    if not isinstance(address, str) or not address.strip():
        raise Unfit("There is no image. Name one in the field that the configuration shows.")
    return {"image": image_name(address), **size_of(place.results)}


def _guessed(content: Json) -> str | None:
    """The first text of a task's data that names an image, however deep it lies."""
    waiting: list[Any] = [content.get("image"), content]
    for _ in range(LOOKED_AT_MAX):
        if not waiting:
            break
        value = waiting.pop(0)
        if isinstance(value, str) and urlsplit(value).path.lower().endswith(SUFFIXES):
            return value
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
    return None


def image_name(address: str) -> str:
    """The image's name from an address such as `/data/upload/7/scan%201.png` or a bare name.

    A relative path keeps its folders, since a job may hold `left/1.png` and `right/1.png`.
    """
    parts = urlsplit(address)
    if parts.scheme or address.startswith("/"):
        return unquote(parts.path).rpartition("/")[2]
    return address


def size_of(results: Iterable[Json]) -> Json:
    """Width and height in pixels, as the results tell them; {} where none does."""
    for each in results:
        width, height = each.get("original_width"), each.get("original_height")
        if number(width) and number(height) and min(width, height) >= 1:
            return {"width": int(width), "height": int(height)}
    return {}


def number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def judgement(place: Place, results: list[Json], left: Left) -> Json:
    """What an annotation marks; boxes that are turned, ellipses and brushes are left and counted,
    as is what names a label that the template lacks, or no image size."""
    keys = {str(each["title"]): str(each["key"]) for each in place.template.get("labels", [])}
    regions: dict[str, Json] = {}
    answers: Json = {}
    later = []
    for each in results:
        if each.get("type") in KINDS:
            region = _region(each, keys, size_of([each]) or place.payload, left)
            if region is not None:
                name = name_of(each.get("id") or f"r{len(regions) + 1}")
                regions[name] = {"id": name, **region}
        else:
            later.append(each)
    for each in (one for one in later if one.get("from_name") != NOTHING):
        _onto(place, regions.get(name_of(each.get("id"))), each, answers, left)
    told: Json = {"regions": [*regions.values()]}
    if not regions and any(each.get("from_name") == NOTHING for each in later):
        told[NOTHING] = True
    return told | ({"answers": answers} if answers else {})


def _region(each: Json, keys: dict[str, str], size: Json, left: Left) -> Json | None:
    value, tag = value_of(each), str(each["type"])
    kind = KINDS[tag]
    names = words_of(value, tag)
    key = keys.get(names[0], key_of(names[0])) if names else next(iter(keys.values()), "")
    if key not in keys.values() or len(names) > 1:
        left["labels_that_the_template_lacks"] += 1
    elif "width" not in size:
        left["marks_without_an_image_size"] += 1
    elif value.get("rotation"):
        left["turned_boxes"] += 1
    elif (corners := corners_of(kind, value)) is None:
        left["shapes_without_an_outline"] += 1
    else:
        return {"label": key, "kind": kind, **_pixels(kind, corners, size)}
    return None


def corners_of(kind: str, value: Json) -> list[list[float]] | None:
    """The box, the corners or the point of a value, in per cent; cut off at the image's edge."""
    if kind == "polygon":
        points = value.get("points")
        if not isinstance(points, list) or not all(_pair(each) for each in points):
            return None
        return [[_inside(side) for side in each] for each in points]
    names = ("x", "y", "width", "height") if kind == "box" else ("x", "y")
    found: list[Any] = [value.get(name) for name in names]
    if not all(number(side) for side in found):
        return None
    if kind == "point":
        return [[_inside(side) for side in found]]
    x, y, across, down = found
    left, top = _inside(x), _inside(y)
    return [[left, top, _inside(x + across) - left, _inside(y + down) - top]]


def _inside(side: float) -> float:
    return min(100.0, max(0.0, float(side)))


def _pair(each: object) -> bool:
    return isinstance(each, list) and len(each) == 2 and all(number(side) for side in each)


def _pixels(kind: str, corners: list[list[float]], size: Json) -> Json:
    width, height = size["width"], size["height"]
    if kind == "box":
        return {"box": [rounded(side) for side in from_percent(corners[0], width, height)]}
    return {
        "points": [
            [rounded(side) for side in from_percent([*corner, 0, 0], width, height)[:2]]
            for corner in corners
        ]
    }


def _onto(place: Place, region: Json | None, each: Json, answers: Json, left: Left) -> None:
    """What a result says of a region, or of the image as a whole."""
    value = value_of(each)
    words = words_of(value, "choices") or words_of(value, "text")
    key = key_of(str(each.get("from_name")))
    if region is not None and len(words) == 1 and "taxonomy" not in value:
        if key in SAID and place.template.get(key, "off") != "off":
            region[key] = words[0]
        else:
            region.setdefault("attributes", {})[key] = words[0]
    elif len(words) == 1 and key in {str(a["key"]) for a in place.template.get("answers", [])}:
        answers[key] = words[0]
    else:
        left["results_with_no_place_here"] += 1


def results(place: Place, judged: Json) -> list[Json]:
    """The results of one annotation."""
    size = sides_of(place, judged)
    titles = {str(each["key"]): str(each["title"]) for each in place.template.get("labels", [])}
    told = []
    for region in judged["regions"]:
        told += _told(place, region, titles.get(region["label"], region["label"]), size)
    if judged.get(NOTHING):
        control = control_of(place.config, NOTHING, ("Choices",), per_region=False)
        told.append(whole(control, {"choices": [YES]}))
    for key, answer in sorted(judged.get("answers", {}).items()):
        control = control_of(place.config, key, ("Choices",), per_region=False)
        told.append(whole(control, {"choices": [answer]}))
    return told


def sides_of(place: Place, judged: Json) -> Json:
    """The size of the image, as whoever judged it had it before them."""
    return {**place.payload, **judged.get("image", {})}


def unsayable(place: Place, judged: Json) -> str | None:
    """Per cent need the image's size."""
    return None if "width" in sides_of(place, judged) else "no_image_size"


def _told(place: Place, region: Json, title: str, size: Json) -> list[Json]:
    """One region as results that share its id."""
    width, height = int(size["width"]), int(size["height"])
    sides = {"original_width": width, "original_height": height, "image_rotation": 0}
    marking = marking_of(place.config, region["kind"], title)
    where = value_in_percent(region, width, height)
    name = str(region["id"])
    told = [result(marking, name, {**where, marking.kind: [title]}, **sides)]
    said = {**region.get("attributes", {}), **{key: region[key] for key in SAID if key in region}}
    for key, answer in sorted(said.items()):
        control = control_of(place.config, key, ("Choices", "TextArea"), per_region=True)
        one = "text" if control.tag == "TextArea" else "choices"
        told.append(result(control, name, {**where, one: [answer]}, **sides))
    return told


def marking_of(config: Config, kind: str, title: str) -> Control:
    """The control that marks this shape and offers this label."""
    marking = config.of(TAGS[kind], PLAIN[kind])
    offers = (each for each in marking if title in each.options)
    return next(offers, marking[0] if marking else Control(kind, TAGS[kind], IMAGE))


def value_in_percent(region: Json, width: int, height: int) -> Json:
    """Where a region lies, as results write it."""
    if region["kind"] == "box":
        x, y, across, down = to_percent(region["box"], width, height)
        return {"x": x, "y": y, "width": across, "height": down, "rotation": 0}
    corners = [list(to_percent([*corner, 0, 0], width, height)[:2]) for corner in region["points"]]
    if region["kind"] == "polygon":
        return {"points": corners, "closed": True}
    return {"x": corners[0][0], "y": corners[0][1], "width": POINT_WIDTH}


REGIONS = Dialect(
    default=default,
    payload=payload,
    judgement=judgement,
    results=results,
    unsayable=unsayable,
    told=lambda place: size_of(place.results),
)
