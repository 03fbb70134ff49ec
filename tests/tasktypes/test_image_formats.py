"""COCO, VOC and YOLO: written, read, and led there and back with real images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import orjson
import pytest
import yaml

from marketplace.tasktypes import AuthoredJudgement, Counts, Json, Record, line
from marketplace.tasktypes.images import NotVoc, coco_items, voc_item
from marketplace.tasktypes.images.measures import from_centre
from marketplace.tasktypes.regions import REGIONS

TEMPLATE: Json = {
    "labels": [
        {"key": "rbc", "title": "RBC"},
        {"key": "wbc", "title": "WBC"},
        {"key": "platelets", "title": "Platelets"},
    ]
}
SHAPES: list[Json] = [
    {
        "id": "a1",
        "label": "wbc",
        "kind": "box",
        "box": [10.25, 20, 30.5, 40],
        "certainty": "possible",
        "attributes": {"margin": "sharp & <clear>"},
    },
    {"id": "a2", "label": "rbc", "kind": "polygon", "points": [[1, 1], [50.5, 1], [1, 60]]},
    {"id": "a3", "label": "rbc", "kind": "point", "points": [[7, 9.75]], "laterality": "left"},
]


def record_of(item: Json, *judgements: Json, number: int = 1) -> Record:
    given = tuple(
        AuthoredJudgement(annotation_id=f"an-{at:03}", judgement=judgement, author=f"sp-{at:03}")
        for at, judgement in enumerate(judgements, 1)
    )
    return Record(
        item_id=f"it-{number:04}",
        external_id=item["external_id"],
        task_type="regions",
        payload=item["payload"],
        template=TEMPLATE,
        judgements=given,
    )


def exported(form: str, records: Sequence[Record]) -> tuple[list[Any], Counts]:
    """The rows as a consumer reads them from the file; the same bytes whoever writes them again."""
    exporter = REGIONS.exports[form]
    counts = Counts()
    content = b"".join(exporter.file(records, "all", counts))
    assert content == b"".join(exporter.file(records, "all", Counts()))
    if form == "coco":
        return [orjson.loads(content)], counts
    return [orjson.loads(line(row)) for row in exporter.rows(records, "all", Counts())], counts


def packed(form: str, records: Sequence[Record]) -> dict[str, str]:
    """The files of a ZIP by name."""
    content = b"".join(REGIONS.exports[form].file(records, "all", Counts()))
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def shapes(item: Json) -> list[Json]:
    """The regions of a line without their ids, which formats do not all keep."""
    (said,) = item["prelabels"]
    regions = said["payload"]["regions"]
    return [{name: part for name, part in region.items() if name != "id"} for region in regions]


@pytest.fixture
def mixed() -> Record:
    """One image with a shape of each kind."""
    item = {"external_id": "x-1", "payload": {"image": "a/b.png", "width": 640, "height": 480}}
    return record_of(item, {"regions": SHAPES})


BARE = [{name: part for name, part in region.items() if name != "id"} for region in SHAPES]


def test_coco_keeps_every_shape_and_what_was_said_of_it(mixed: Record) -> None:
    (document,), counts = exported("coco", [mixed])

    (item,) = coco_items(document)

    assert {"image": "a/b.png", "width": 640, "height": 480} == item["payload"]
    assert "x-1" == item["external_id"]
    assert BARE == shapes(item)
    assert 1 == counts.kept
    assert [1220, 1460.25, 0] == [each["area"] for each in document["annotations"]]
    assert {"pseudonym": "sp-001"}.items() <= document["annotations"][0]["annotator"].items()


def test_coco_names_an_image_once_however_many_judged_it(mixed: Record) -> None:
    two = record_of(
        {"external_id": "x", "payload": mixed.payload},
        {"regions": SHAPES[:1]},
        {"regions": SHAPES[1:]},
    )

    (document,), counts = exported("coco", [two])

    assert 1 == len(document["images"])
    assert ["an-001", "an-002", "an-002"] == [
        each["annotator"]["annotation_id"] for each in document["annotations"]
    ]
    assert 2 == counts.kept


def test_a_box_has_corners_of_which_masks_are_made_and_stays_a_box() -> None:
    box: Json = {"id": "b", "label": "rbc", "kind": "box", "box": [2, 3, 4, 5]}
    corners = [[2, 3], [6, 3], [6, 8], [2, 8]]
    drawn: Json = {"id": "p", "label": "rbc", "kind": "polygon", "points": corners}
    item = {"external_id": "x", "payload": {"image": "a.png", "width": 9, "height": 9}}

    (document,), _ = exported("coco", [record_of(item, {"regions": [box, drawn]})])
    (read,) = coco_items(document)

    flat = [side for corner in corners for side in corner]
    assert [[flat], [flat]] == [each["segmentation"] for each in document["annotations"]]
    regions = read["prelabels"][0]["payload"]["regions"]
    assert ["box", "polygon"] == [each["kind"] for each in regions]


def test_voc_keeps_boxes_and_polygons_and_counts_points(mixed: Record) -> None:
    row, counts = exported("voc", [mixed])

    item = voc_item(row[0]["xml"].encode(), name="a/b.png")

    assert "a/b.xml" == row[0]["filename"]
    assert BARE[:2] == shapes(item)
    assert {"image": "a/b.png", "width": 640, "height": 480} == item["payload"]
    assert {"point_has_no_box": 1} == dict(counts.dropped)


def test_yolo_lines_lead_back_to_the_pixels(mixed: Record) -> None:
    (row,), counts = exported("yolo", [mixed])
    files = packed("yolo", [mixed])

    read = [text.split() for text in files["labels/a/b.txt"].splitlines()]

    assert {"labels/a/b.txt", "data.yaml"} == files.keys()
    classes = {0: "rbc", 1: "wbc", 2: "platelets"}
    assert classes == yaml.safe_load(files["data.yaml"])["names"]
    assert ["wbc", "rbc"] == [classes[int(number)] for number, *_ in read]
    boxes = [from_centre([float(part) for part in parts], 640, 480) for _, *parts in read]
    assert [[10.25, 20, 30.5, 40], [1, 1, 49.5, 59]] == [
        [round(side, 2) for side in each] for each in boxes
    ]
    assert ["wbc", "rbc"] == [box["label"] for box in row["boxes"]]
    assert 1 == counts.dropped["point_has_no_box"]
    assert {"polygon_as_box": 1} == dict(counts.noted)


def test_files_of_one_name_stand_side_by_side_in_a_zip_and_never_outside(mixed: Record) -> None:
    other = record_of({"external_id": "x-2", "payload": mixed.payload}, {"regions": SHAPES[:1]})
    outside = {"image": "../../etc/A.png", "width": 9, "height": 9}
    far = record_of({"external_id": "x-3", "payload": outside}, {"regions": []})

    assert {"Annotations/a/b.xml", "Annotations/a/b-2.xml", "Annotations/etc/A.xml"} == set(
        packed("voc", [mixed, other, far])
    )


def test_an_image_of_unknown_size_is_dropped_with_its_reason() -> None:
    item = {"external_id": "x", "payload": {"image": "a.png"}}
    told = {"regions": SHAPES, "image": {"name": "a.png", "width": 640, "height": 480}}

    for form in ("coco", "voc", "yolo", "label_studio"):
        _, counts = exported(form, [record_of(item, {"regions": SHAPES}, told)])
        assert 1 == counts.dropped["no_image_size"]
        assert counts.kept >= 1


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        (b"", "not XML"),
        (b"<annotation/>", "no image"),
        (b"<x><filename>a</filename></x>", "no image"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "not XML"),
        (b"<annotation><filename>a</filename><object/></annotation>", "no name"),
        (
            b"<annotation><filename>a</filename><object><name>n</name></object></annotation>",
            "no number",
        ),
    ],
)
def test_what_is_no_voc_says_why(xml: bytes, said: str) -> None:
    with pytest.raises(NotVoc, match=said):
        voc_item(xml)


def test_what_is_no_coco_gives_what_it_can() -> None:
    strange: Json = {
        "images": [{"id": 1, "file_name": "a.png"}, "no"],
        "categories": [{"id": 1, "name": "Left lung"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 1, "bbox": [True, 2, 3, 4]},
            {"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 1, "segmentation": {"counts": "x"}, "iscrowd": 1},
            {"image_id": 1, "category_id": 1, "segmentation": [[1, 2, 3]], "bbox": "x"},
        ],
    }

    (item,) = coco_items(strange)

    assert [{"label": "left_lung", "kind": "box", "box": [1, 2, 3, 4]}] == shapes(item)
    assert [] == list(coco_items({"images": None}))


# --- real images ---------------------------------------------------------------------------------


@pytest.fixture
def bccd(sample_data: Path) -> Json:
    """60 images of blood with 1,093 boxes, as COCO."""
    document: Json = json.loads((sample_data / "bccd" / "instances_coco.json").read_text("utf-8"))
    return document


def judged(item: Json) -> Json:
    (said,) = item["prelabels"]
    completed = REGIONS.completed(TEMPLATE, item["payload"], said["payload"])
    assert [] == REGIONS.check_judgement(TEMPLATE, item["payload"], completed)
    return completed


def test_real_coco_comes_out_as_it_went_in(bccd: Json) -> None:
    items = list(coco_items(bccd))
    records = [record_of(item, judged(item), number=at) for at, item in enumerate(items)]

    (document,), counts = exported("coco", records)

    def told(one: Json) -> list[Any]:
        images = {each["id"]: each["file_name"] for each in one["images"]}
        names = {each["id"]: each["name"].lower() for each in one["categories"]}
        return sorted(
            (images[each["image_id"]], names[each["category_id"]], each["bbox"], each["area"])
            for each in one["annotations"]
        )

    assert (60, 1_093) == (len(document["images"]), len(document["annotations"]))
    assert told(bccd) == told(document)
    assert 60 == counts.kept


def test_real_voc_comes_out_as_it_went_in_and_as_coco_says(bccd: Json, sample_data: Path) -> None:
    folder = sample_data / "bccd" / "BCCD" / "Annotations"
    as_coco = {item["payload"]["image"]: shapes(item) for item in coco_items(bccd)}
    items = [voc_item(path.read_bytes()) for path in sorted(folder.glob("*.xml"))]
    records = [record_of(item, judged(item), number=at) for at, item in enumerate(items)]

    rows, counts = exported("voc", records)
    again = [voc_item(row["xml"].encode()) for row in rows]

    assert [shapes(item) for item in items] == [shapes(item) for item in again]
    assert as_coco == {item["payload"]["image"]: shapes(item) for item in items}
    assert (60, 1_093) == (len(rows), counts.kept)


def test_real_boxes_survive_yolo(bccd: Json) -> None:
    items = list(coco_items(bccd))
    records = [record_of(item, judged(item), number=at) for at, item in enumerate(items)]

    files = packed("yolo", records)

    for item in items:
        stem = item["payload"]["image"].rpartition(".")[0]
        boxes = [
            [round(side, 2) for side in from_centre([float(part) for part in parts], 640, 480)]
            for _, *parts in map(str.split, files[f"labels/{stem}.txt"].splitlines())
        ]
        assert [region["box"] for region in shapes(item)] == boxes
