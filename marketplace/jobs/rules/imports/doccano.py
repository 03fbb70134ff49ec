"""doccano: texts with spans, relations, labels or other texts, and images with boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, item
from marketplace.jobs.rules.imports.objects import documents_of
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import Line
from marketplace.tasktypes import Json
from marketplace.tasktypes.images.facts import key_of
from marketplace.tasktypes.spans_readers import LABEL_FIELDS, TEXT_FIELDS, from_doccano
from marketplace.tasktypes.traces.values import fingerprint, named

MODEL = "doccano"
IMAGE = "filename"
OUTLINES = ("bbox", "segmentation")


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item a row; its label fits the type of the job, or is left out and counted."""
    made = MAKERS[reading.task_type]
    for number, content, end in documents_of(source, after):
        yield Line(
            number, content if isinstance(content, Fault) else _read(content, reading, made), end
        )


def _read(content: bytes, reading: Reading, made: Maker) -> bytes | Fault:
    try:
        row = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"This is not JSON: {wrong}.")
    if not isinstance(row, dict):
        return Fault("", "A row must be an object.")
    return made(row, reading)


def _id(row: Json) -> str:
    own = row.get("id", row.get("external_id", row.get(IMAGE)))
    return named(own) if own is not None else named("row", fingerprint(row))


def _text(row: Json) -> str | None:
    found = next((row[name] for name in TEXT_FIELDS if name in row), None)
    return found if isinstance(found, str) else None


NO_TEXT = Fault("", "This row has no text. It stands under “text”, “data” or “column_data”.")


def _spans(row: Json, reading: Reading) -> bytes | Fault:
    if _text(row) is None:
        return NO_TEXT
    marked = from_doccano(row)
    reading.left.update(marked.left)
    judgement = marked.judgements[0]
    labelled = any(row.get(name) for name in (*LABEL_FIELDS, "cats"))
    metadata = row.get("meta") or row.get("metadata")
    payload = {**marked.payload, **({"metadata": metadata} if isinstance(metadata, dict) else {})}
    return item(
        _id(row), payload, judgement=judgement if labelled else None, reading=reading, model=MODEL
    )


def _labels(row: Json) -> list[Any]:
    found = next((row[name] for name in LABEL_FIELDS if name in row), None)
    return found if isinstance(found, list) else [] if found is None else [found]


def _answer(row: Json, reading: Reading) -> bytes | Fault:
    """Sequence to sequence: the text is asked, its first label is an answer to it."""
    asked = _text(row)
    if asked is None:
        return NO_TEXT
    answers = [each for each in _labels(row) if isinstance(each, str) and each.strip()]
    reading.left["more_than_one_answer"] += max(0, len(answers) - 1)
    said = {"messages": [{"role": "assistant", "content": answers[0]}]} if answers else None
    payload = {"messages": [{"role": "user", "content": asked}]}
    return item(_id(row), payload, judgement=said, reading=reading, model=MODEL)


def _regions(row: Json, reading: Reading) -> bytes | Fault:
    image = row.get(IMAGE)
    if not isinstance(image, str):
        return Fault("", "This row names no image. It stands under “filename”.")
    regions: list[Json] = []
    for each in (one for name in OUTLINES for one in row.get(name) or []):
        region = _region(each, len(regions) + 1)
        if region is None:
            reading.left["unreadable"] += 1
        else:
            regions.append(region)
    said = {"regions": regions} if regions else None
    return item(_id(row), {"image": image}, judgement=said, reading=reading, model=MODEL)


def _region(each: Any, number: int) -> Json | None:
    try:
        region: Json = {"id": f"r{number}", "label": key_of(str(each["label"]))}
        if "points" in each:
            flat = [float(side) for side in each["points"]]
            corners = [list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
            return {**region, "kind": "polygon", "points": corners}
        box = [float(each[side]) for side in ("x", "y", "width", "height")]
        return {**region, "kind": "box", "box": box}
    except (KeyError, TypeError, ValueError):
        return None


Maker = Callable[[Json, Reading], bytes | Fault]
MAKERS: dict[str, Maker] = {"spans": _spans, "demonstration": _answer, "regions": _regions}


def fits(head: Head) -> bool:
    """A text or an image with labels, in doccano's words."""
    names = head.first.keys() if head.json else set()
    labelled = {*LABEL_FIELDS, "relations", "cats"} & names
    return bool(({*TEXT_FIELDS} & names and labelled) or (IMAGE in names and {*OUTLINES} & names))


DOCCANO = Kind(
    key=ImportKind.DOCCANO,
    title="doccano",
    told="Each row becomes a text, with its spans, relations and labels.",
    fits=fits,
    lines=lines,
    task_types=frozenset(MAKERS),
    labels=(Labels.PRELABELS, Labels.GOLD, Labels.LEAVE),
)
