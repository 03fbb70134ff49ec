"""`datasets`, TRL and Label Studio's converter read what we write.

Slow: `make test-all` installs the libraries and runs these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest

from marketplace.tasktypes import TASK_TYPES, Json, Record
from marketplace.tasktypes.label_studio.project import configuration_of
from tests.delivery.consumers.written import file_of, marked, members_of, records_of
from tests.tasktypes.examples import EXAMPLES, record

HERE = Path(__file__).parent
SECONDS = 300
# Readers of traces need a library of their own; `test_traces` checks their shape.
NOT_ROWS = {"session_traces"}
TEXT = "In the High Court of Delhi, before Mr Justice Najmi."

pytestmark = pytest.mark.slow


def ran(program: str, *arguments: str, needs: tuple[str, ...], folder: Path) -> str:
    """What a program of this folder prints; skipped where a library is not installed."""
    for library in needs:
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed: pip install 'marketplace[consumers]'.")
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub")}
    done = subprocess.run(
        [sys.executable, str(HERE / program), *arguments],
        env=offline,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert 0 == done.returncode, done.stderr[-3_000:]
    return done.stdout


def test_every_file_of_rows_is_loaded_and_passes_trls_checks(tmp_path: Path) -> None:
    rows = {}
    for kind, found in TASK_TYPES.items():
        for form, exporter in found.exports.items():
            content = file_of(kind, form, records_of(kind)) if exporter.suffix == ".jsonl" else b""
            if content and form not in NOT_ROWS:
                (tmp_path / f"{kind}-{form}.jsonl").write_bytes(content)
                rows[f"{kind}-{form}"] = content.count(b"\n")

    said = ran(
        "load_with_datasets.py", str(tmp_path), needs=("datasets", "trl", "torch"), folder=tmp_path
    )

    seen: dict[str, Json] = json.loads(said.splitlines()[-1])
    assert rows == {name: each["rows"] for name, each in seen.items()}
    for name, each in seen.items():
        form = name.partition("-")[2]
        if form == "hh_rlhf":
            assert (False, True) == (each["conversational"], each["same"]), name
        elif form.startswith("trl_stepwise"):
            assert (True, ["bool"]) == (each["as_long"], each["labels"]), name
        elif "conversational" in each:
            assert each["conversational"], name
        if form == "trl_preference":
            assert (2 * each["rows"], [False, True]) == (each["unpaired_rows"], each["labels"])


def as_imported(content: bytes) -> bytes:
    """Tasks with the numbers that Label Studio gives when it imports them."""
    tasks = orjson.loads(content)
    for number, task in enumerate(tasks, 1):
        task["id"] = number
        for at, annotation in enumerate(task["annotations"]):
            annotation |= {"id": 100 * number + at, "completed_by": 1}
    return orjson.dumps(tasks)


def converted(kind: str, template: Json, records: list[Record], out: Path, *forms: str) -> Path:
    """The folder into which Label Studio's converter wrote our file in other formats."""
    config = ElementTree.fromstring(configuration_of(kind, template))  # noqa: S314
    for points in config.findall("KeyPointLabels"):
        config.remove(points)  # Where points may be marked, its COCO is one skeleton of all labels.
    (out / "config.xml").write_text(ElementTree.tostring(config, encoding="unicode"))
    (out / "tasks.json").write_bytes(as_imported(file_of(kind, "label_studio", records)))
    names = [str(out / name) for name in ("config.xml", "tasks.json", "done")]
    ran("convert_with_label_studio.py", *names, *forms, needs=("label_studio_sdk",), folder=out)
    return out / "done"


def own_name(path: str) -> str:
    """An image's name without what the converter puts before it."""
    return Path(path).stem.rpartition("__")[2]


@pytest.fixture
def images() -> tuple[Json, list[Record]]:
    """A template of boxes and outlines, and two images."""
    labels = [
        {"key": key, "title": key.capitalize(), "kinds": ["box", "polygon"]}
        for key in ("nodule", "vessel")
    ]
    drawn = [[100, 100], [140, 100], [140, 150], [100, 150]]
    first: list[Json] = [
        {"id": "r1", "label": "nodule", "kind": "box", "box": [10, 20, 30, 40]},
        {"id": "r2", "label": "vessel", "kind": "polygon", "points": drawn},
    ]
    second: list[Json] = [
        {"id": "r1", "label": "vessel", "kind": "box", "box": [1.5, 2.25, 100, 50]}
    ]
    template = {"question": "Mark every nodule.", "labels": labels}
    size = {"width": 640, "height": 480}
    return template, [
        Record(
            item_id=name,
            external_id=name,
            task_type="regions",
            payload={"image": f"{name}.png", **size},
            template=template,
            judgements=record("regions", {"regions": regions}).judgements,
        )
        for name, regions in (("a", first), ("b", second))
    ]


def test_label_studio_converts_regions_as_we_do(
    images: tuple[Json, list[Record]], tmp_path: Path
) -> None:
    template, records = images
    theirs = converted("regions", template, records, tmp_path, "coco", "voc")

    assert boxes(orjson.loads((theirs / "coco/result.json").read_bytes()), "name") == boxes(
        orjson.loads(file_of("regions", "coco", records)), "title"
    )
    ours = {
        own_name(name): corners(content)
        for name, content in members_of(file_of("regions", "voc", records)).items()
    }
    # Their VOC has boxes only, whose corners lose what is behind the point: 59.9999 becomes 59.
    for path in theirs.rglob("*.xml"):
        for label, box in corners(path.read_bytes()):
            assert (label, True) in [
                (name, all(0 <= mine - side <= 1 for mine, side in zip(own, box, strict=True)))
                for name, own in ours[own_name(path.name)]
            ]
    assert ["a", "b"] == sorted(own_name(path.name) for path in theirs.rglob("*.xml"))


def boxes(document: Json, naming: str) -> list[Any]:
    """Image, label, box in whole hundredths, area in whole pixels, of every annotation."""
    names = {each["id"]: each[naming] for each in document["categories"]}
    files = {each["id"]: own_name(each["file_name"]) for each in document["images"]}
    return sorted(
        (
            files[each["image_id"]],
            names[each["category_id"]],
            [round(side, 2) for side in each["bbox"]],
            round(each["area"]),
        )
        for each in document["annotations"]
    )


def corners(xml: bytes) -> list[Any]:
    """Label and corners of every box, in pixels."""
    found = []
    for one in ElementTree.fromstring(xml).iter("object"):  # noqa: S314
        box = [
            float(one.findtext(f"bndbox/{side}") or "") for side in ("xmin", "ymin", "xmax", "ymax")
        ]
        found.append(((one.findtext("name") or "").lower(), box))
    return sorted(found)


def test_label_studio_converts_regions_to_the_same_yolo(
    images: tuple[Json, list[Record]], tmp_path: Path
) -> None:
    template, records = images
    theirs = converted("regions", template, records[1:], tmp_path, "yolo")

    ours = members_of(file_of("regions", "yolo", records[1:]))
    (label,) = theirs.rglob("labels/*.txt")
    number, *parts = label.read_text().split()
    mine, *sides = ours["labels/b.txt"].decode().split()
    assert [round(float(each), 6) for each in parts[:4]] == [
        round(float(each), 6) for each in sides
    ]
    classes = (theirs / "yolo/classes.txt").read_text().split("\n")
    assert ("Vessel", "1") == (classes[int(number)], mine)


def test_label_studio_converts_spans_to_the_same_iob2(tmp_path: Path) -> None:
    places = [(7, 26, "COURT"), (46, 51, "JUDGE")]
    records = [record("spans", marked(TEXT, places), payload={"text": TEXT})]
    template = EXAMPLES["spans"].template
    theirs = converted("spans", template, records, tmp_path, "conll2003")

    ours = file_of("spans", "conll", records).decode()

    (path,) = theirs.rglob("*.conll")
    assert tagged(path.read_text()) == tagged(ours)


def tagged(text: str) -> list[tuple[str, str]]:
    """Words with their tags."""
    lines = [line.split() for line in text.splitlines() if line and "-DOCSTART-" not in line]
    return [(parts[0], parts[-1]) for parts in lines]
