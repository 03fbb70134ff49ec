"""Tasks of Label Studio's as items: the import kind `label_studio`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marketplace.errors import Fault
from marketplace.tasktypes.exports import line
from marketplace.tasktypes.label_studio.comparisons import PAIRWISE, RANKING
from marketplace.tasktypes.label_studio.controls import datum_of
from marketplace.tasktypes.label_studio.dialect import (
    RATIONALES,
    Dialect,
    Left,
    Place,
    Unfit,
    key_of,
)
from marketplace.tasktypes.label_studio.originals import CORNER, kept_of, objects
from marketplace.tasktypes.label_studio.regions import REGIONS
from marketplace.tasktypes.label_studio.scales import JUDGE_CALIBRATION, RUBRIC
from marketplace.tasktypes.label_studio.spans import SPANS
from marketplace.tasktypes.label_studio.texts import CORRECTION, DEMONSTRATION
from marketplace.tasktypes.shapes import Json

if TYPE_CHECKING:
    from marketplace.tasktypes.contract import TaskType

DIALECTS: Mapping[str, Dialect] = {
    "spans": SPANS,
    "regions": REGIONS,
    "pairwise": PAIRWISE,
    "ranking": RANKING,
    "rubric": RUBRIC,
    "judge_calibration": JUDGE_CALIBRATION,
    "demonstration": DEMONSTRATION,
    "correction": CORRECTION,
}
MODEL, PEOPLE = "label_studio", "Label Studio annotation"
PRELABELS_MAX = 50
NAME_MAX = 200
GOLD, LEAVE = "gold", "leave"


def item_of(of: TaskType, template: Json, task: object, left: Left, *, labels: str) -> Json | Fault:
    """The item of one task, `{external_id, payload, prelabels?, gold?}`, or why there is none.

    labels: what becomes of what is marked already: `prelabels`, `gold` (the first annotation, where
    none is marked as ground truth) or `leave`. Everything of the task is kept in each case.
    """
    dialect = DIALECTS.get(of.key)
    if dialect is None:
        known = ", ".join(sorted(DIALECTS))
        return Fault(
            "", f"Tasks of Label Studio's are read for {known}; this job has another type."
        )
    if not isinstance(task, dict):
        return Fault("", "This is no task: an object with “data” is expected.")
    content = task.get("data", task)
    if not isinstance(content, dict):
        return Fault("/data", "The task's data must be an object.")
    told = [*objects(task.get("annotations")), *objects(task.get("predictions"))]
    results = tuple(one for each in told for one in objects(each.get("result")))
    place = Place(template, dialect.config(template, results), content, results=results)
    try:
        payload = _payload(of, dialect, place)
    except Unfit as unfit:
        return Fault("/data", str(unfit))
    place = replace(place, payload=payload)
    row: Json = {"external_id": external_id(task, content), "payload": payload}
    if labels != LEAVE:
        row |= _said(of, dialect, place, task, left, gold=labels == GOLD)
    metadata = payload.get("metadata") if isinstance(payload.get("metadata"), dict) else {}
    kept = kept_of(task if "data" in task else {}, content, payload)
    row["payload"] = {**payload, "metadata": {**(metadata or {}), CORNER: kept}}
    return row


def _payload(of: TaskType, dialect: Dialect, place: Place) -> Json:
    """The item's payload: the data as they are where they are one already, as we write them."""
    lists = {each.datum for each in place.config.shown.values() if each.tag == "List"}
    own = {key: value for key, value in place.content.items() if value != [] or key not in lists}
    if of.check_item(place.template, own):
        return dialect.payload(place)
    return {**own, **dialect.told(place)}


def external_id(task: Json, content: Json) -> str:
    """The id that we gave it, else the task's own, else one that follows from its data."""
    meta = task.get("meta")
    ours = meta.get("external_id") if isinstance(meta, dict) else None
    known = ours or datum_of(content, "external_id") or (task.get("id") if "data" in task else None)
    if isinstance(known, str | int) and str(known).strip():
        return str(known)[:NAME_MAX]
    return hashlib.sha256(line(content)).hexdigest()[:16]


def _said(
    of: TaskType, dialect: Dialect, place: Place, task: Json, left: Left, *, gold: bool
) -> Json:
    """Pre-labels and gold of a task; an annotation is a pre-label only where work begins from
    one, since it is no model's word."""
    row: Json = {}
    prelabels: list[Json] = []
    for each in objects(task.get("predictions")):
        model = str(each.get("model_version") or MODEL)[:NAME_MAX]
        said = _prelabel(model, "", _read(dialect, place, each, left), each.get("score"))
        _add(of, place, prelabels, said, left)
    for each in objects(task.get("annotations")):
        if each.get("was_cancelled"):
            left["cancelled_annotations"] += 1
            continue
        judgement = _read(dialect, place, each, left)
        wanted = "gold" not in row and (gold or each.get("ground_truth") is True)
        if wanted:
            if of.check_gold(place.template, place.payload, {"judgement": judgement}):
                left["ground_truth_that_the_template_refuses"] += 1
            else:
                row["gold"] = {"judgement": judgement}
        elif of.prelabels_shown is not None:
            said = _prelabel(PEOPLE, str(each.get("id", "")), judgement, None)
            _add(of, place, prelabels, said, left)
    return row | ({"prelabels": prelabels} if prelabels else {})


def _read(dialect: Dialect, place: Place, each: Json, left: Left) -> Json:
    found = objects(each.get("result"))
    reasons = [one for one in found if _is_rationale(dialect, place, one)]
    left.update(["reasons_in_words"] * len(reasons))
    lost: Counter[str] = Counter()
    judgement = dialect.judgement(place, [one for one in found if one not in reasons], lost)
    left.update(lost)
    return judgement


def _is_rationale(dialect: Dialect, place: Place, result: Json) -> bool:
    """Reasons belong to who gave them; no pre-label has a place for them."""
    key = key_of(str(result.get("from_name")))
    asked = {str(each.get("key")) for each in place.template.get("fields", [])}
    written = result.get("type") == "textarea" and dialect is not DEMONSTRATION
    return written and key in RATIONALES and key not in asked


def _prelabel(model: str, version: str, judgement: Json, score: Any) -> Json:
    sure = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    confidence = {"confidence": float(score)} if sure else {}
    return {"model": model, "version": version, "payload": judgement, **confidence}


def _add(of: TaskType, place: Place, found: list[Json], said: Json, left: Left) -> None:
    """Put a pre-label among the others, if the type can take it; no two of one name and version."""
    faults = of.check_prelabel(place.template, place.payload, said["payload"])
    if faults or len(found) >= PRELABELS_MAX:
        left["suggestions_that_the_template_refuses"] += 1
        return
    taken = {(one["model"], one["version"]) for one in found}
    at = 2
    while (said["model"], said["version"]) in taken:
        said["version"], at = str(at), at + 1
    found.append(said)
