"""Label Studio: tasks with results in per cent of the image's sides, written and read.

The configuration these results fit has `Image name="image" value="$image"` and the tags
`RectangleLabels name="box"`, `PolygonLabels name="polygon"` and `KeyPointLabels name="point"`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.images.coco import number, objects
from marketplace.tasktypes.images.facts import (
    Picture,
    item_line,
    key_of,
    pictures,
    said_of,
    sides,
    titles_of,
)
from marketplace.tasktypes.images.measures import from_percent, to_percent
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json

TAGS = {"box": "rectanglelabels", "polygon": "polygonlabels", "point": "keypointlabels"}
POINT_WIDTH = 0.5  # Label Studio draws a point this wide, in per cent.
MODEL = "label_studio"


def label_studio(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row, a task, for each item, with one annotation for each judgement.

    The counts are of judgements. A label is written by its title, as Label Studio shows it.
    """
    task: ExportRow = {}
    for picture in pictures(records, counts):
        counts.keep()
        if task and task["meta"]["item_id"] != picture.record.item_id:
            yield task
            task = {}
        task = task or {
            "data": {"image": picture.name},
            "meta": {
                "item_id": picture.record.item_id,
                "external_id": picture.record.external_id,
            },
            "annotations": [],
        }
        task["annotations"].append(annotation(picture))
    if task:
        yield task


def annotation(picture: Picture) -> Json:
    titles = titles_of(picture.record)
    answers = picture.given.judgement.get("answers", {})
    results = [
        result(region, titles[region["label"]], picture.width, picture.height)
        for region in picture.regions
    ]
    results += [
        {
            "id": key,
            "from_name": key,
            "to_name": "image",
            "type": "choices",
            "origin": "manual",
            "value": {"choices": [answers[key]]},
        }
        for key in sorted(answers)
    ]
    facts = {
        "unique_id": picture.given.annotation_id,
        "completed_by": picture.given.author,
        "was_cancelled": False,
        "ground_truth": False,
        "result": results,
        "result_count": len(results),
    }
    seconds = picture.given.active_seconds
    return facts | ({"lead_time": seconds} if seconds is not None else {})


def result(region: Json, title: str, width: int, height: int) -> Json:
    """One region as a result; what was said of it stands under `meta`."""
    tag = TAGS[region["kind"]]
    said = said_of(region)
    row = {
        "id": region["id"],
        "from_name": region["kind"],
        "to_name": "image",
        "type": tag,
        "origin": "manual",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {**value_of(region, width, height), tag: [title]},
    }
    return row | ({"meta": said} if said else {})


def value_of(region: Json, width: int, height: int) -> Json:
    if region["kind"] == "box":
        x, y, across, down = to_percent(region["box"], width, height)
        return {"x": x, "y": y, "width": across, "height": down, "rotation": 0}
    corners = [list(to_percent([*corner, 0, 0], width, height)[:2]) for corner in region["points"]]
    if region["kind"] == "polygon":
        return {"points": corners, "closed": True}
    return {"x": corners[0][0], "y": corners[0][1], "width": POINT_WIDTH}


def label_studio_item(task: Json, *, image: str = "image", gold: bool = False) -> Json | None:
    """The item of one task, with the regions of its first annotation or prediction.

    image: the name of the datum that holds the image's address; its last part is the image's
    name. None for a task without one. Rotated boxes, ellipses and brushes are left out.
    """
    held = task.get("data")
    address = held.get(image) if isinstance(held, dict) else None
    if not isinstance(address, str) or not address.strip():
        return None
    name = name_of(address)
    said = [*objects(task.get("annotations")), *objects(task.get("predictions"))]
    results = objects(said[0].get("result")) if said else []
    payload: Json = {"image": name}
    regions: list[Json] = []
    for each in results:
        width, height = each.get("original_width"), each.get("original_height")
        if not (number(width) and number(height)) or min(width or 0, height or 0) <= 0:
            continue
        payload |= {"width": int(width or 0), "height": int(height or 0)}
        region = region_of(each, payload["width"], payload["height"])
        if region is not None:
            regions.append({"id": f"r{len(regions) + 1}", **region})
    meta = task.get("meta")
    external_id = meta.get("external_id") if isinstance(meta, dict) else None
    model = str(said[0].get("model_version") or MODEL) if said else MODEL
    return item_line(
        str(external_id or task.get("id") or name), payload, regions, model=model, gold=gold
    )


def name_of(address: str) -> str:
    """The image's name from an address such as `/data/upload/7/scan%201.png` or a bare name.

    A relative path keeps its folders, since a job may hold `left/1.png` and `right/1.png`.
    """
    parts = urlsplit(address)
    if parts.scheme or address.startswith("/"):
        return unquote(parts.path).rpartition("/")[2]
    return address


def region_of(each: Json, width: int, height: int) -> Json | None:
    value = each.get("value")
    kind = next((kind for kind, tag in TAGS.items() if each.get("type") == tag), None)
    if kind is None or not isinstance(value, dict):
        return None
    names = value.get(TAGS[kind])
    if not isinstance(names, list) or not names or value.get("rotation"):
        return None
    region: Json = {"label": key_of(str(names[0])), "kind": kind}
    corners = corners_of(kind, value)
    if corners is None:
        return None
    if kind == "box":
        region["box"] = sides(from_percent(corners[0], width, height))
    else:
        region["points"] = [
            sides(from_percent([*corner, 0, 0], width, height)[:2]) for corner in corners
        ]
    said = each.get("meta")
    if isinstance(said, dict):
        texts = {key: text for key, text in said.items() if isinstance(text, str)}
        apart = {key: texts.pop(key) for key in ("certainty", "laterality") if key in texts}
        attributes = {key_of(key): text for key, text in texts.items()}
        region |= {**apart, **({"attributes": attributes} if attributes else {})}
    return region


def corners_of(kind: str, value: Json) -> list[list[float]] | None:
    """The box, the corners or the point of a value, in per cent."""
    if kind == "polygon":
        points = value.get("points")
        if not isinstance(points, list) or not all(_pair(each) for each in points):
            return None
        return [list(each) for each in points]
    names = ("x", "y", "width", "height") if kind == "box" else ("x", "y")
    found = [value.get(name) for name in names]
    return [[float(side or 0) for side in found]] if all(number(side) for side in found) else None


def _pair(each: object) -> bool:
    return isinstance(each, list) and len(each) == 2 and all(number(side) for side in each)
