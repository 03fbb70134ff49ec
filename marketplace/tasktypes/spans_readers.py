"""Other tools' marked texts as items and judgements: doccano's lines.

Pure: one object in, one `Marked` out. Whoever imports makes items of `payload`, and gold or
pre-labels of `judgements`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from marketplace.tasktypes.shapes import Json

TEXT_FIELDS = ("text", "data", "column_data")
LABEL_FIELDS = ("label", "labels", "entities", "column_label")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with what others marked in it.

    external_id: the tool's id, None where it has none; payload: of an item; judgements: one for
    each annotation; left: what could not be carried over, counted by reason.
    """

    external_id: str | None
    payload: Json
    judgements: list[Json]
    left: Counter[str] = field(default_factory=Counter)


def from_doccano(row: Json) -> Marked:
    """A line of doccano's: sequence labelling, relations, or intents with `cats`.

    Reasons: `outside` (offsets beyond the text), `unreadable` (not of a known form), `no_end`.
    """
    text = str(next((row[name] for name in TEXT_FIELDS if name in row), ""))
    left: Counter[str] = Counter()
    spans: dict[str, Json] = {}
    cats: list[str] = []
    for entry in next((row[name] for name in LABEL_FIELDS if name in row), None) or []:
        if isinstance(entry, str):
            # A classification's label speaks of the whole text.
            cats.append(entry)
            continue
        place = place_of(entry)
        if place is None:
            left["unreadable"] += 1
        elif not 0 <= place[0] < place[1] <= len(text):
            left["outside"] += 1
        else:
            start, end, label = place
            number = entry["id"] if isinstance(entry, dict) and "id" in entry else len(spans)
            words = text[start:end]
            name = f"s{number}"
            spans[name] = {"id": name, "start": start, "end": end, "label": label, "text": words}
    judgement: Json = {"spans": [*spans.values()]}
    relations = relations_of(row.get("relations") or [], spans, left)
    cats += map(str, row.get("cats") or [])
    judgement |= ({"relations": relations} if relations else {}) | ({"cats": cats} if cats else {})
    known = row.get("id", row.get("external_id"))
    external_id = None if known is None else str(known)
    return Marked(external_id, {"text": text}, [judgement], left)


def place_of(entry: object) -> tuple[int, int, str] | None:
    """Start, end and label of an entity, as a list or as an object."""
    if isinstance(entry, dict):
        entry = [entry.get("start_offset"), entry.get("end_offset"), entry.get("label")]
    if not isinstance(entry, list) or len(entry) != 3:
        return None
    start, end, label = entry
    if type(start) is not int or type(end) is not int or not label:
        return None
    return start, end, str(label)


def relations_of(rows: Iterable[Json], spans: dict[str, Json], left: Counter[str]) -> list[Json]:
    found = []
    for each in rows:
        source, target = f"s{each.get('from_id')}", f"s{each.get('to_id')}"
        if source in spans and target in spans:
            found.append({"source": source, "type": str(each.get("type")), "target": target})
        else:
            left["no_end"] += 1
    return found
