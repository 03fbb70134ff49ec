"""Spans in the shape of Label Studio's results, and back.

Label Studio counts code points in texts, as we do (its editor converts with `charsToCodePoints`).
Results that share an id speak of one region: its label, its attributes. Names of controls:
`label` marks spans, `cats` labels the whole, `negated` and `kb_id` say so of a span, and any other
control of a region is an attribute of that key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from marketplace.tasktypes.exports import ExportRow
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json

LABELS, CATS, TEXT = "label", "cats", "text"
FLAG = "yes"
REGION_TYPES = ("labels", "hypertextlabels", "paragraphlabels")


def results_of(judgement: Json) -> list[Json]:
    """The results of one annotation: regions first, then relations, then the whole's labels."""
    found: list[Json] = []
    for span in judgement["spans"]:
        found += region_of(span)
    for relation in judgement.get("relations", []):
        found.append(
            {
                "type": "relation",
                "from_id": relation["source"],
                "to_id": relation["target"],
                "direction": "right",
                "labels": [relation["type"]],
            }
        )
    if judgement.get("cats"):
        found.append(result("cats", CATS, "choices", {"choices": list(judgement["cats"])}))
    return found


def region_of(span: Json) -> list[Json]:
    """One span as results that share its id."""
    where = {"start": int(span["start"]), "end": int(span["end"]), "text": span["text"]}
    name = str(span["id"])
    found = [result(name, LABELS, "labels", {**where, "labels": [span["label"]]})]
    said: Json = dict(span.get("attributes", {}))
    said |= {key: span[key] for key in ("negated", "kb_id") if span.get(key)}
    for key, value in sorted(said.items()):
        if isinstance(value, bool):
            chosen = {**where, "choices": [FLAG if value else "no"]}
            found.append(result(name, key, "choices", chosen))
        else:
            found.append(result(name, key, "textarea", {**where, "text": [value]}))
    return found


def result(name: str, control: str, kind: str, value: Json) -> Json:
    return {
        "id": name,
        "from_name": control,
        "to_name": TEXT,
        "type": kind,
        "value": value,
        "origin": "manual",
    }


def task_of(
    record: Record, found: Sequence[tuple[AuthoredJudgement | None, list[Json]]]
) -> ExportRow:
    """One task with its annotations; what most say has no author."""
    return {
        "data": {TEXT: record.payload["text"], "external_id": record.external_id},
        "annotations": [annotation_of(record, one, results) for one, results in found],
        "predictions": [],
    }


def annotation_of(record: Record, one: AuthoredJudgement | None, results: list[Json]) -> Json:
    told: dict[str, Any] = {
        "result": results,
        "result_count": len(results),
        "was_cancelled": False,
        "ground_truth": record.is_gold,
    }
    if one is not None:
        told |= {"unique_id": one.annotation_id, "completed_by": one.author}
        told |= {"created_at": one.submitted_at, "lead_time": one.active_seconds}
    return told


def judgement_of(results: Iterable[Json], text: str) -> tuple[Json, Counter[str]]:
    """A judgement from the results of one annotation, and what could not be carried over.

    A region whose words are not where it says is looked up as UTF-16, which other writers count.
    Reasons: `no_region` (a result that marks nothing here), `outside` (offsets beyond the text),
    `other_words` (the text says something else there), `no_end` (a relation to neither).
    """
    left: Counter[str] = Counter()
    spans: dict[str, Json] = {}
    judgement: Json = {"spans": [], "relations": []}
    relations = []
    for each in results:
        kind, value = str(each.get("type")), each.get("value") or {}
        if kind == "relation":
            relations.append(each)
        elif kind in REGION_TYPES and "start" in value:
            reason = add_region(spans, each, text)
            left.update([reason] if reason else [])
        elif "start" not in value and kind == "choices":
            judgement.setdefault("cats", []).extend(map(str, value.get("choices", [])))
        elif not attribute_onto(spans.get(str(each.get("id"))), each):
            left["no_region"] += 1
    judgement["spans"] = [*spans.values()]
    for each in relations:
        ends = [str(each.get(key)) for key in ("from_id", "to_id")]
        if not all(end in spans for end in ends):
            left["no_end"] += 1
            continue
        source, target = reversed(ends) if each.get("direction") == "left" else ends
        for name in each.get("labels") or ["related"]:
            judgement["relations"].append({"source": source, "type": name, "target": target})
    return judgement, left


def add_region(spans: dict[str, Json], each: Json, text: str) -> str | None:
    """Put a region among the spans, one for each of its labels; else the reason why not."""
    value = each["value"]
    place = located(value, text)
    if isinstance(place, str):
        return place
    start, end = place
    labels = [str(name) for kind in REGION_TYPES for name in value.get(kind, [])]
    name = str(each.get("id") or f"s{len(spans) + 1}")
    for at, label in enumerate(labels):
        key = name if at == 0 else f"{name}_{at + 1}"
        spans[key] = {
            "id": key,
            "start": start,
            "end": end,
            "label": label,
            "text": text[start:end],
        }
    return None if labels else "no_region"


def located(value: Json, text: str) -> tuple[int, int] | str:
    """Where a region lies in code points, or why it lies nowhere."""
    try:
        start, end = int(value["start"]), int(value["end"])
    except (KeyError, TypeError, ValueError):
        return "outside"
    words = value.get("text")
    if 0 <= start < end <= len(text) and words in (None, text[start:end]):
        return start, end
    if words is None:
        return "outside"
    units = text.encode("utf-16-le")
    first = len(units[: 2 * start].decode("utf-16-le", "ignore")) if start >= 0 else 0
    if text[first : first + len(str(words))] == words:
        return first, first + len(str(words))
    return "other_words"


def attribute_onto(span: Json | None, each: Json) -> bool:
    """Say of a span what a further result of its region says; False where there is no span."""
    if span is None:
        return False
    value = each.get("value") or {}
    control = str(each.get("from_name"))
    said: object = value.get("choices") or value.get("text") or ""
    answer = str(said[0] if isinstance(said, list) else said)
    if control == "negated":
        span["negated"] = answer == FLAG
    elif control == "kb_id":
        span["kb_id"] = answer
    else:
        flag = {FLAG: True, "no": False}.get(answer) if "choices" in value else None
        span.setdefault("attributes", {})[control] = answer if flag is None else flag
    return True
