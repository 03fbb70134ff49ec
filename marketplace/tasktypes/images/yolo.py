"""YOLO: one text for each image, one line for each box, as parts of the image's sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.images.facts import Picture, pictures, titles_of
from marketplace.tasktypes.images.geometry import bounds
from marketplace.tasktypes.images.measures import to_centre
from marketplace.tasktypes.images.voc import file_of
from marketplace.tasktypes.records import Record


def yolo(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row {filename, txt, names} for each judgement. `names` lists the classes by number.

    Polygons are told by their box, since one file holds one form only; points are left out and
    counted. The counts are of regions, and of images that hold none.
    """
    for picture in pictures(records, counts):
        names = list(titles_of(picture.record))
        lines = []
        for region in picture.regions:
            if region["kind"] == "point":
                counts.drop("point_has_no_box")
            else:
                counts.keep()
                lines.append(line_of(picture, names.index(region["label"]), bounds(region)))
        if not picture.regions:
            counts.keep()
        yield {
            "filename": file_of(picture, ".txt"),
            "txt": "".join(lines),
            "names": names,
            "image": picture.name,
            "external_id": picture.record.external_id,
            "annotator": picture.annotator,
        }


def line_of(picture: Picture, number: int, box: tuple[float, float, float, float]) -> str:
    centre = to_centre(box, picture.width, picture.height)
    return " ".join([str(number), *(f"{min(1.0, max(0.0, part)):.8f}" for part in centre)]) + "\n"
