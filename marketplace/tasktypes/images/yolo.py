"""YOLO: one text for each image, one line for each box, as parts of the image's sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.images.facts import Names, Picture, file_of, pictures, titles_of
from marketplace.tasktypes.images.geometry import bounds
from marketplace.tasktypes.images.measures import to_centre
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json


def yolo(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row for each judgement with its boxes. `names` lists the labels in the job's order.

    Polygons are told by their box, since one file holds one form only; points are left out. The
    counts are of regions, and of images that hold none.
    """
    for picture in pictures(records, counts):
        boxes = []
        for region in picture.regions:
            if region["kind"] == "point":
                counts.drop("point_has_no_box")
                continue
            counts.keep()
            counts.note("polygon_as_box", region["kind"] == "polygon")
            boxes.append(box_of(picture, region))
        if not picture.regions:
            counts.keep()
        yield {
            "filename": file_of(picture, ".txt"),
            "image": picture.name,
            "boxes": boxes,
            "names": list(titles_of(picture.record)),
            "external_id": picture.record.external_id,
            "annotator": picture.annotator,
        }


def box_of(picture: Picture, region: Json) -> Json:
    """A region's label with the middle and the size of its box, 0 to 1 of the image's sides."""
    centre = to_centre(bounds(region), picture.width, picture.height)
    x, y, width, height = (round(min(1.0, max(0.0, part)), 8) for part in centre)
    return {"label": region["label"], "x": x, "y": y, "width": width, "height": height}


def members(rows: Iterable[ExportRow]) -> Iterator[tuple[str, bytes]]:
    """A text for each row, and what the class numbers mean, as trainers of YOLO want it.

    Classes are numbered as they are met, so the list stands at the end: templates that followed
    one another may each have labels of their own.
    """
    names, numbers = Names(), dict[str, int]()
    for row in rows:
        for label in row["names"]:
            numbers.setdefault(label, len(numbers))
        lines = [written(numbers[box["label"]], box) for box in row["boxes"]]
        yield names.own("labels", row["filename"]), "".join(lines).encode()
    yield "data.yaml", yaml_of(list(numbers)).encode()


def yaml_of(labels: list[str]) -> str:
    classes = "".join(f"  {number}: {quoted(label)}\n" for number, label in enumerate(labels))
    head = "path: .\ntrain: images\nval: images\n"
    return head + (f"names:\n{classes}" if labels else "names: {}\n")


def written(number: int, box: Json) -> str:
    parts = (f"{box[name]:.8f}" for name in ("x", "y", "width", "height"))
    return " ".join([str(number), *parts]) + "\n"


def quoted(label: str) -> str:
    """A label as a text of YAML, of which those of JSON are a part."""
    return orjson.dumps(label).decode()
