"""pycocotools loads our COCO and makes masks of it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from marketplace.tasktypes import Json
from tests.delivery.consumers.written import file_of
from tests.tasktypes.examples import EXAMPLES, record

coco = pytest.importorskip("pycocotools.coco")
# Its own arrays answer to no `copy` yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def loaded(content: bytes, folder: Path) -> Any:
    path = folder / "instances.json"
    path.write_bytes(content)
    with contextlib.redirect_stdout(io.StringIO()):  # It says how long it took.
        return coco.COCO(str(path))


def test_boxes_and_polygons_become_masks_of_their_area(tmp_path: Path) -> None:
    box: Json = {"id": "r1", "label": "nodule", "kind": "box", "box": [10, 20, 30, 40]}
    corners = [[100, 100], [140, 100], [140, 150], [100, 150]]
    drawn: Json = {"id": "r2", "label": "nodule", "kind": "polygon", "points": corners}
    tip: Json = {"id": "r3", "label": "tip", "kind": "point", "points": [[5, 5]]}
    image = EXAMPLES["regions"].payload
    records = [
        record("regions", {"regions": [box, tip]}, payload=image),
        record("regions", {"regions": [drawn]}, {"regions": []}, payload={**image, "image": "b"}),
        record("regions", {"regions": []}, payload={**image, "image": "c.png"}),
    ]

    found = loaded(file_of("regions", "coco", records), tmp_path)

    assert [1, 2, 3] == found.getImgIds()
    names = {each["id"]: each["name"] for each in found.loadCats(found.getCatIds())}
    assert {1: "nodule", 2: "tip"} == names
    nodules = found.loadAnns(found.getAnnIds(catIds=[1]))
    assert [1_200, 2_000] == [int(found.annToMask(each).sum()) for each in nodules]
    assert [1_200, 2_000] == [each["area"] for each in nodules]


def test_nothing_at_all_is_a_document_too(tmp_path: Path) -> None:
    found = loaded(file_of("regions", "coco", []), tmp_path)

    assert ([], []) == (found.getImgIds(), found.getAnnIds())
