"""A judgement of spans in form fields.

The island sends everything in one field, `marks`: JSON with `spans` and `relations`, offsets in
code points already. Without script each span is a row: its label, and either `start` and `end`,
or its words in `quote` with `occurrence` where they stand more than once in the text.
"""

from __future__ import annotations

import json
from typing import Any

from marketplace.tasktypes import fields
from marketplace.tasktypes.shapes import Json, unstorable_places

MARKS_MAX = 2_000_000


def read_form(sent: fields.Fields, template: Json, payload: Json) -> Json:
    """The judgement that the fields describe; `marks` wins over rows."""
    found: Json = {}
    marks = parsed(sent.below("marks").one() or "")
    # An empty list of spans is an answer, and only who ticks `nothing` gives it.
    if sent.below("nothing").one() == "true":
        found["spans"] = []
    if marks is None:
        rows = [read_row(row, template, payload) for row in sent.below("spans").rows()]
        relations = [
            {key: row.below(key).one() or "" for key in ("source", "type", "target")}
            for row in sent.below("relations").rows()
        ]
        marks = {"relations": [each for each in relations if all(each.values())]}
        marks["spans"] = named([row for row in rows if row])
    found |= {key: marks[key] for key in ("spans", "relations") if marks.get(key)}
    cats = sent.below("cats")
    chosen = [*cats.values, *(row.one() or "" for row in cats.rows())]
    if any(chosen):
        found["cats"] = [name for name in chosen if name]
    return found


def parsed(text: str) -> Json | None:
    """What the island sent, None where it sent nothing that can be read."""
    if not text or len(text) > MARKS_MAX:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_row(row: fields.Fields, template: Json, payload: Json) -> Json:
    """One span as far as the row says it; empty where the row is blank."""
    said = {key: row.below(key).one() for key in ("id", "label", "start", "end", "quote", "kb_id")}
    if not (said["label"] or said["quote"] or said["start"]):
        return {}
    span: Json = {key: said[key] for key in ("id", "label", "kb_id") if said[key]}
    span |= place_of(row, str(payload["text"]))
    if row.below("negated").one() == "true":
        span["negated"] = True
    attributes = {
        key: attribute_of(key, inner.one() or "", template)
        for key, inner in row.below("attributes").inner.items()
        if inner.one()
    }
    return {**span, "attributes": attributes} if attributes else span


def place_of(row: fields.Fields, text: str) -> Json:
    """Offsets and words of a row; where they cannot be found, what was typed."""
    typed = {key: row.below(key).one() for key in ("start", "end")}
    if all(value and value.strip().isdecimal() and len(value) < 10 for value in typed.values()):
        start, end = (int(str(typed[key])) for key in ("start", "end"))
        return {"start": start, "end": end, "text": text[start:end]}
    quote = row.below("quote").one()
    which = row.below("occurrence").one() or "1"
    number = int(which) if which.isdecimal() and len(which) < 6 else 1
    # A browser gives every line break back as one character, whatever the text has.
    for words in (quote or "", (quote or "").replace("\n", "\r\n")):
        start = nth(text, words, number)
        if start >= 0:
            return {"start": start, "end": start + len(words), "text": words}
    return {key: value for key, value in {**typed, "text": quote}.items() if value}


def nth(text: str, words: str, which: int) -> int:
    """Where words stand for the nth time (1 is first), -1 where they do not."""
    at = -1
    for _ in range(which):
        at = text.find(words, at + 1) if words else -1
        if at < 0:
            return -1
    return at


def attribute_of(key: str, value: str, template: Json) -> str | bool:
    kinds = {each["key"]: each["kind"] for each in template.get("attributes", [])}
    return fields.FLAGS.get(value, value) if kinds.get(key) == "flag" else value


def named(spans: list[Json]) -> list[Json]:
    """The spans, each with an id: those without one get the first free number."""
    taken = {span.get("id") for span in spans}
    free = (f"s{number}" for number in range(1, 2 * len(spans) + 2) if f"s{number}" not in taken)
    return [span if "id" in span else {"id": next(free), **span} for span in spans]


def write_form(judgement: object) -> dict[str, str]:
    """Rows for who has no script, and `marks` for the island."""
    if not isinstance(judgement, dict):
        return {}
    written = fields.flat(judgement)
    found = {name: value for name, value in written.items() if not name.startswith("marks")}
    marks: dict[str, Any] = {key: judgement.get(key) or [] for key in ("spans", "relations")}
    if judgement.get("spans") == []:
        found["nothing"] = "true"
    # Only what can be stored can be shown; a draft may hold anything.
    if next(unstorable_places(marks), None) is None:
        found["marks"] = json.dumps(marks, ensure_ascii=False, separators=(",", ":"))
    return found


def prelabels_shown(template: Json, prelabels: list[Json]) -> list[Json]:
    """The first one, where the job starts from it; nothing of what others said."""
    return prelabels[:1] if template.get("start_from_prelabels") else []


def first_answer(template: Json, payload: Json) -> Json:
    """The spans of the pre-label that the job starts from."""
    shown = payload.get("prelabels") or []
    if not template.get("start_from_prelabels") or not shown:
        return {}
    said = shown[0]["payload"]
    return {name: said[name] for name in ("spans", "relations", "cats") if name in said}
