"""COCO: one document of images, annotations and categories, however large.

Annotations of an image stand anywhere in the document, so they are put aside in a file of this
process that SQLite sorts; memory holds one image with its annotations.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, line_of
from marketplace.jobs.rules.imports.objects import members
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import Line
from marketplace.tasktypes import Json
from marketplace.tasktypes.images import coco_items

PARTS = ("images", "annotations", "categories")
CATEGORIES_MAX = 100_000
IMAGE_BYTES_MAX = 16 * 1024 * 1024
NO_IMAGES = Fault("", "This is not COCO: its “images” are missing.")
SCHEMA = """
CREATE TABLE image (number INTEGER PRIMARY KEY, id TEXT, content BLOB);
CREATE TABLE annotation (image TEXT, content BLOB);
"""


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item an image, in the order of the document; the annotations are its label."""
    passed = after.number if after else 0
    # A name of no letters is a file that goes with its connection.
    with closing(sqlite3.connect("", isolation_level=None)) as aside:
        categories = _sorted(source, aside)
        total = aside.execute("SELECT count(*) FROM image").fetchone()[0]
        if total == 0:
            yield Line(1, NO_IMAGES, source.size or 1)
        size = source.size or total
        images = aside.execute("SELECT number, id, content FROM image WHERE number > ?", (passed,))
        for number, identity, content in images:
            made = _item(aside, identity, content, categories, reading)
            yield Line(number, made, max(1, size * number // total))


def _sorted(source: Source, aside: sqlite3.Connection) -> list[Json]:
    """Put images and annotations aside; the categories are few."""
    categories: list[Json] = []
    aside.executescript(SCHEMA)
    aside.execute("BEGIN")
    with closing(source.open()) as stream:
        for member in members(stream):
            document = (
                _parsed(member.content) if member.name in PARTS and not member.alone else None
            )
            if document is None:
                continue
            if member.name == "categories" and len(categories) < CATEGORIES_MAX:
                categories.append(document)
            elif member.name == "images":
                said = (str(document.get("id")), orjson.dumps(document))
                aside.execute("INSERT INTO image (id, content) VALUES (?, ?)", said)
            elif member.name == "annotations":
                said = (str(document.get("image_id")), orjson.dumps(document))
                aside.execute("INSERT INTO annotation VALUES (?, ?)", said)
    aside.execute("COMMIT")
    aside.execute("CREATE INDEX by_image ON annotation (image)")
    return categories


def _parsed(content: bytes | Fault) -> Json | None:
    try:
        document = None if isinstance(content, Fault) else orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _item(
    aside: sqlite3.Connection, image: str, content: bytes, categories: list[Json], reading: Reading
) -> bytes | Fault:
    query = "SELECT content FROM annotation WHERE image = ? ORDER BY rowid"
    said: list[Json] = []
    spent = 0
    for (each,) in aside.execute(query, (image,)):
        spent += len(each)
        if spent > IMAGE_BYTES_MAX:
            return Fault("", f"Image {image} has too many annotations for one item.")
        said.append(orjson.loads(each))
    document = {"images": [orjson.loads(content)], "annotations": said, "categories": categories}
    row = next(coco_items(document, gold=reading.labels is Labels.GOLD), None)
    if row is None or not row["payload"]["image"]:
        return Fault("", f"Image {image} has no “file_name”.")
    reading.left["mask_or_crowd"] += len(said) - _carried(row)
    if reading.labels is Labels.LEAVE:
        row.pop("prelabels", None)
    return line_of(row)


def _carried(row: Json) -> int:
    said = row["gold"]["judgement"] if "gold" in row else {"regions": []}
    said = row["prelabels"][0]["payload"] if "prelabels" in row else said
    return len(said["regions"])


def fits(head: Head) -> bool:
    """An object with images and with annotations or categories, in any order."""
    if not head.text.startswith(b"{"):
        return False
    names = head.first.keys()
    return "images" in names and bool({"annotations", "categories"} & names)


COCO = Kind(
    key=ImportKind.COCO,
    title="COCO",
    told="Each image becomes an item, with its annotations in pixels.",
    fits=fits,
    lines=lines,
    task_types=frozenset({"regions"}),
    labels=(Labels.PRELABELS, Labels.GOLD, Labels.LEAVE),
)
