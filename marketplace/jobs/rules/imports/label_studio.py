"""Label Studio: tasks with data, predictions and annotations, as a project exports them."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, line_of
from marketplace.jobs.rules.imports.objects import documents_of
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import Line
from marketplace.tasktypes import Json, task_type
from marketplace.tasktypes.label_studio.reading import DIALECTS, item_of

SAID = frozenset({"annotations", "predictions"})
OWN = frozenset({"id", "data", "meta", "created_at", "updated_at", "inner_id", *SAID})


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item a task, with all that the task had kept beside it."""
    for number, content, end in documents_of(source, after):
        yield Line(number, content if isinstance(content, Fault) else _read(content, reading), end)


def _read(content: bytes, reading: Reading) -> bytes | Fault:
    try:
        task = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"This is not JSON: {wrong}.")
    of = task_type(reading.task_type)
    item = item_of(of, reading.template, task, reading.left, labels=reading.labels)
    return item if isinstance(item, Fault) else line_of(item)


def fits(head: Head) -> bool:
    """An object with `data`, and what was said of it or no other names than Label Studio has."""
    first: Json = head.first if head.json else {}
    if "data" not in first or not isinstance(first["data"], dict | None):
        return False
    return bool(SAID & first.keys()) or (isinstance(first["data"], dict) and first.keys() <= OWN)


LABEL_STUDIO = Kind(
    key=ImportKind.LABEL_STUDIO,
    title="Label Studio",
    told="Each task becomes an item: ground truth as gold, predictions as pre-labels. All that a "
    "task had is kept, and comes back in the export for Label Studio.",
    fits=fits,
    lines=lines,
    task_types=frozenset(DIALECTS),
    labels=(Labels.PRELABELS, Labels.GOLD, Labels.LEAVE),
)
