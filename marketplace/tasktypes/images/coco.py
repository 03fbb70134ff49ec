"""COCO: one document of images, annotations and categories, written and read.

Readers of COCO pass over keys they do not know, so what was said of a region stands under
`attributes`, and who said it under `annotator`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.images.facts import (
    Picture,
    item_line,
    key_of,
    pictures,
    said_of,
    sides,
    titles_of,
)
from marketplace.tasktypes.images.geometry import area, bounds, outline_of, rounded
from marketplace.tasktypes.packing import Kept
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json

MODEL = "coco"
INFO = {"description": "Image regions in pixels of the original images", "version": "1"}


def coco(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row an image, with the regions of everyone who judged it; the counts are of judgements.

    A point is a box without extent and a keypoint.
    """
    for record in records:
        seen = list(pictures([record], counts))
        if not seen:
            continue
        for _ in seen:
            counts.keep()
        yield {
            "image": image(seen[0]),
            "categories": [
                {"name": key, "supercategory": "", "title": title}
                for key, title in titles_of(record).items()
            ],
            "annotations": [
                drawn(picture, region) for picture in seen for region in picture.regions
            ],
        }


def document(rows: Iterable[ExportRow]) -> Iterator[bytes]:
    """The rows as COCO's one document, numbers given in order.

    Annotations are written as they come; images wait pressed together, since the form wants them
    in a list of their own.
    """
    images, categories = Kept(), dict[str, Json]()
    written = number = 0
    yield b'{"annotations":[\n'
    for number, row in enumerate(rows, 1):
        images.add((b",\n" if number > 1 else b"") + one_line({**row["image"], "id": number}))
        for each in row["categories"]:
            categories.setdefault(each["name"], {**each, "id": len(categories) + 1})
        for each in row["annotations"]:
            numbered = {
                **{name: value for name, value in each.items() if name != "category"},
                "id": written + 1,
                "image_id": number,
                "category_id": categories[each["category"]]["id"],
            }
            yield (b",\n" if written else b"") + one_line(numbered)
            written += 1
    yield b'],\n"categories":' + one_line(list(categories.values()))
    yield b',\n"images":[\n'
    yield from images.pieces()
    yield b'],\n"info":' + one_line(INFO) + b',\n"licenses":[]}\n'


def one_line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def image(picture: Picture) -> Json:
    facts = {
        "file_name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "external_id": picture.record.external_id,
    }
    return facts | ({"sha256": picture.sha256} if picture.sha256 else {})


def drawn(picture: Picture, region: Json) -> Json:
    outline = outline_of(region)
    more: Json = {}
    if region["kind"] == "point":
        more = {"keypoints": [*sides(outline[0]), 2], "num_keypoints": 1}
    return {
        "category": region["label"],
        "bbox": sides(bounds(region)),
        "area": rounded(area(outline)),
        "segmentation": segmentation(region),
        "iscrowd": 0,
        "shape": region["kind"],
        "region_id": region["id"],
        "attributes": said_of(region),
        "annotator": picture.annotator,
        **more,
    }


def segmentation(region: Json) -> list[list[float | int]]:
    """Corners one after the other; those of a box too, as pycocotools completes results, since it
    makes no mask of an empty list. A point has none."""
    if region["kind"] == "point":
        return []
    return [[rounded(side) for corner in outline_of(region) for side in corner]]


def coco_items(document: Json, *, model: str = MODEL, gold: bool = False) -> Iterator[Json]:
    """The items of a COCO document, with its annotations as pre-labels or as gold.

    Every image becomes an item named after its file; masks as run lengths and crowds are left
    out, since nobody can correct them corner by corner. What is not COCO is passed over.
    """
    names = {
        each["id"]: key_of(str(each["name"]))
        for each in objects(document.get("categories"))
        if "id" in each and "name" in each
    }
    by_image: dict[Any, list[Json]] = {}
    for annotation in objects(document.get("annotations")):
        region = region_of(annotation, names)
        if region is not None:
            found = by_image.setdefault(annotation.get("image_id"), [])
            found.append({"id": f"r{len(found) + 1}", **region})
    for each in objects(document.get("images")):
        name = str(each.get("file_name", ""))
        payload = {"image": name} | {
            side: int(each[side]) for side in ("width", "height") if number(each.get(side))
        }
        external_id = str(each.get("external_id", name))
        regions = by_image.get(each.get("id"), [])
        yield item_line(external_id, payload, regions, model=model, gold=gold)


def region_of(annotation: Json, names: dict[Any, str]) -> Json | None:
    label = names.get(annotation.get("category_id"))
    if label is None or annotation.get("iscrowd") == 1:
        return None
    outline = annotation.get("segmentation")
    keypoints = annotation.get("keypoints")
    box = annotation.get("bbox")
    region: Json = {"label": label}
    if numbers(keypoints, 3) and len(keypoints or ()) == 3:
        region |= {"kind": "point", "points": [sides((keypoints or ())[:2])]}
    elif annotation.get("shape") == "box" and numbers(box, 4):
        region |= {"kind": "box", "box": sides(box or ())}
    elif isinstance(outline, list) and len(outline) == 1 and numbers(outline[0], 2):
        flat = outline[0]
        corners = [sides(flat[at : at + 2]) for at in range(0, len(flat), 2)]
        region |= {"kind": "polygon", "points": corners}
    elif numbers(box, 4):
        region |= {"kind": "box", "box": sides(box or ())}
    else:
        return None
    said = annotation.get("attributes")
    return {**region, **spoken(said if isinstance(said, dict) else {})}


def spoken(said: Json) -> Json:
    """Attributes as we keep them: certainty and laterality beside the others, texts only."""
    apart = {
        name: said[name] for name in ("certainty", "laterality") if isinstance(said.get(name), str)
    }
    rest = {
        key_of(str(key)): text
        for key, text in said.items()
        if isinstance(text, str) and key not in apart
    }
    return {**apart, **({"attributes": rest} if rest else {})}


def objects(value: object) -> list[Json]:
    """The objects of a list, whatever else stands in it."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def number(value: object) -> bool:
    """Whether it is a number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbers(value: object, step: int) -> bool:
    """Whether it is a list of numbers, in groups of `step`."""
    return (
        isinstance(value, list)
        and len(value) >= step
        and len(value) % step == 0
        and all(number(each) for each in value)
    )
