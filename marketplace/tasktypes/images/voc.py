"""Pascal VOC: one XML document for each image, written and read.

Corners are pixels from the upper left corner of the image, which is (0, 0), as labelling tools
write them today; with one decimal or two only where a region has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.images.facts import (
    Names,
    Picture,
    file_of,
    item_line,
    key_of,
    pictures,
    said_of,
    sides,
)
from marketplace.tasktypes.images.geometry import bounds, rounded
from marketplace.tasktypes.images.measures import box_of_corners, corners_of
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json

CORNERS = ("xmin", "ymin", "xmax", "ymax")
MODEL = "voc"


class NotVoc(ValueError):
    """This is no VOC annotation; the message says why."""


def voc(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row {filename, xml} for each judgement; where several people judged one image, each
    has a folder. Polygons keep their corners beside their box; points are left out and counted.

    The counts are of regions, and of images that hold none.
    """
    for picture in pictures(records, counts):
        boxed = [region for region in picture.regions if region["kind"] != "point"]
        for region in picture.regions:
            if region["kind"] == "point":
                counts.drop("point_has_no_box")
            else:
                counts.keep()
        if not picture.regions:
            counts.keep()
        yield {
            "filename": file_of(picture, ".xml"),
            "xml": document(picture, boxed),
            "external_id": picture.record.external_id,
            "annotator": picture.annotator,
        }


def members(rows: Iterable[ExportRow]) -> Iterator[tuple[str, bytes]]:
    """The files under `Annotations/`, where readers of VOC look for them."""
    names = Names()
    for row in rows:
        yield names.own("Annotations", row["filename"]), row["xml"].encode()


def document(picture: Picture, regions: list[Json]) -> str:
    root = ElementTree.Element("annotation")
    folder, _, name = picture.name.rpartition("/")
    written(root, "folder", folder)
    written(root, "filename", name)
    size = ElementTree.SubElement(root, "size")
    written(size, "width", picture.width)
    written(size, "height", picture.height)
    written(root, "segmented", 0)
    for region in regions:
        one = ElementTree.SubElement(root, "object")
        written(one, "name", region["label"])
        written(one, "pose", "Unspecified")
        written(one, "truncated", 0)
        written(one, "difficult", 0)
        box = ElementTree.SubElement(one, "bndbox")
        for name, side in zip(CORNERS, corners_of(bounds(region)), strict=True):
            written(box, name, rounded(side))
        if region["kind"] == "polygon":
            outline = ElementTree.SubElement(one, "polygon")
            for number, (x, y) in enumerate(region["points"], 1):
                written(outline, f"x{number}", rounded(x))
                written(outline, f"y{number}", rounded(y))
        said = said_of(region)
        if said:
            attributes = ElementTree.SubElement(one, "attributes")
            for key in sorted(said):
                each = ElementTree.SubElement(attributes, "attribute")
                written(each, "name", key)
                written(each, "value", said[key])
    ElementTree.indent(root, "\t")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def written(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = plain(str(value))


def plain(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    kept = "\t\n"
    return "".join(c for c in text if c in kept or (c >= " " and c not in "\ufffe\uffff"))


def voc_item(
    xml: bytes, *, name: str | None = None, model: str = MODEL, gold: bool = False
) -> Json:
    """The item of one VOC document; its boxes become a pre-label, or gold.

    name: the image's name where the document is not to be believed. Raises NotVoc.
    """
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as wrong:
        raise NotVoc(f"This is not XML that we read: {str(wrong)[:120]}.") from None
    image = name or (root.findtext("filename") or "").strip()
    if root.tag != "annotation" or not image:
        raise NotVoc("This is not a VOC annotation: it names no image.")
    payload: Json = {"image": image}
    for side in ("width", "height"):
        text = root.findtext(f"size/{side}")
        if text is not None and text.strip().isdecimal() and int(text) > 0:
            payload[side] = int(text)
    regions: list[Json] = []
    for one in root.iter("object"):
        regions.append({"id": f"r{len(regions) + 1}", **region_of(one, len(regions) + 1)})
    return item_line(image, payload, regions, model=model, gold=gold)


def region_of(one: ElementTree.Element, at: int) -> Json:
    label = (one.findtext("name") or "").strip()
    if not label:
        raise NotVoc(f"Object {at} has no name.")
    region: Json = {"label": key_of(label)}
    outline = one.find("polygon")
    if outline is not None:
        flat = [number(side, at) for side in outline]
        region |= {
            "kind": "polygon",
            "points": [sides(flat[start : start + 2]) for start in range(0, len(flat), 2)],
        }
    else:
        box = [number(one.find(f"bndbox/{corner}"), at) for corner in CORNERS]
        region |= {"kind": "box", "box": sides(box_of_corners(box))}
    said = {
        str(each.findtext("name")): str(each.findtext("value") or "")
        for each in one.iterfind("attributes/attribute")
    }
    apart: Json = {key: said.pop(key) for key in ("certainty", "laterality") if key in said}
    attributes = {key_of(key): text for key, text in said.items()}
    return {**region, **apart, **({"attributes": attributes} if attributes else {})}


def number(side: ElementTree.Element | None, at: int) -> float:
    try:
        return float((side.text or "") if side is not None else "")
    except ValueError:
        raise NotVoc(f"Object {at} has a corner that is no number.") from None
