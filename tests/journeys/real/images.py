"""Images: blood smears with the cells that people boxed."""

from __future__ import annotations

from pathlib import Path

from marketplace.tasktypes import Json
from marketplace.tasktypes.images import voc_item
from tests.journeys.real.sets import RealRow, RealSet


def regions(folder: Path) -> RealSet:
    """Smears as JPEG, with boxes in pixels read from VOC."""
    smears = folder / "bccd/BCCD"
    rows = [row(path) for path in sorted((smears / "Annotations").glob("*.xml"))[:6]]
    return RealSet(
        kind="regions",
        title="Mark the cells",
        domain="haematology",
        profession="medicine",
        instructions="Box every cell that lies in the image by half or more.",
        template={
            "question": "Box every cell.",
            "labels": [
                {"key": "rbc", "title": "Red cell"},
                {"key": "wbc", "title": "White cell"},
                {"key": "platelets", "title": "Platelets"},
            ],
        },
        rows=tuple(rows),
        images={
            each.payload["image"]: smears / "JPEGImages" / each.payload["image"] for each in rows
        },
    )


def row(path: Path) -> RealRow:
    image = f"{path.stem}.jpg"
    item: Json = voc_item(path.read_bytes(), name=image)
    answer = item["prelabels"][0]["payload"]
    return RealRow(external_id=path.stem, payload={"image": image}, answer=answer)
