"""Spans: stretches of a text marked with labels, relations between them, labels of the whole.

Offsets count Unicode code points from 0, `[start, end)`, in the item's `text` exactly as it was
imported; a browser, which counts UTF-16 units, converts before it sends. Every span carries the
words it marks, so that a text which changed on the way is found out at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.spans_exports import EXPORTS
from marketplace.tasktypes.spans_form import first_answer, prelabels_shown, read_form, write_form
from marketplace.tasktypes.spans_score import gold_rule, marks, scales, units

SPANS_MAX = 2_000
# What the workbench itself uses beside a text; a label's own key must not be one of these.
KEYS_TAKEN = frozenset("efghiklqr")

LABEL_NAME: Json = {
    "type": "string",
    "pattern": r"^\S(?:[^\r\n\t]{0,98}\S)?$",
    "description": "Use a name of at most 100 characters in one line, without blanks around it.",
}
OFFSET = pieces.whole(0, pieces.TEXT_MAX)
LABEL_NAMES = pieces.listing(LABEL_NAME, most=100)

LABEL = pieces.closed(
    {
        "name": LABEL_NAME,
        "guideline": pieces.text(2_000, "When this label applies, in a sentence or two."),
        "key": {
            "type": "string",
            "pattern": r"^[a-z1-9]$",
            "description": "Use one digit from 1 to 9 or one lower-case letter.",
        },
    },
    ("name",),
)

ATTRIBUTE = pieces.closed(
    {
        "key": pieces.KEY,
        "title": pieces.words(200),
        "kind": pieces.one_of("choice", "flag", "text"),
        "options": pieces.listing(pieces.words(200), most=50),
        "labels": {**LABEL_NAMES, "description": "The labels that have it; all where unset."},
        "required": pieces.FLAG,
    },
    ("key", "title", "kind"),
)

RELATION_TYPE = pieces.closed(
    {
        "name": LABEL_NAME,
        "directed": {**pieces.FLAG, "description": "Whether it has a direction; true where unset."},
        "pairs": pieces.listing(
            pieces.closed({"source": LABEL_NAME, "target": LABEL_NAME}, ("source", "target")),
            most=500,
        ),
    },
    ("name",),
)

CATEGORY = pieces.closed({"name": LABEL_NAME, "guideline": pieces.text(2_000)}, ("name",))

TEMPLATE = Shape(
    pieces.contract(
        "Template of spans",
        {
            **pieces.TEMPLATE_FIELDS,
            "labels": pieces.listing(LABEL, least=1, most=100),
            "overlap": {
                **pieces.one_of("none", "nested", "any"),
                "description": "Whether spans may overlap: not at all (where unset), only one "
                "inside the other, or in any way.",
            },
            "attributes": pieces.listing(ATTRIBUTE, most=20),
            "negation": {**pieces.FLAG, "description": "Whether a span may be marked as negated."},
            "kb_ids": {**pieces.FLAG, "description": "Whether a span may name a concept's id."},
            "relations": pieces.listing(RELATION_TYPE, most=50),
            "cats": pieces.listing(CATEGORY, most=50),
            "cats_many": {
                **pieces.FLAG,
                "description": "Whether several labels may apply to the whole text.",
            },
            "cats_required": pieces.FLAG,
            "start_from_prelabels": {
                **pieces.FLAG,
                "description": "Whether the first pre-label's spans are there to be corrected.",
            },
            "gold_match": {
                **pieces.one_of("exact", "overlap"),
                "description": "Whether a span agrees with gold only at the same offsets (where "
                "unset), or when the two share at least half of what both cover.",
            },
            **LABEL_STUDIO_FIELD,
        },
        ("labels",),
    )
)

ITEM = Shape(
    pieces.contract(
        "Item of spans",
        {
            **pieces.ITEM_FIELDS,
            "text": pieces.words(),
            "text_sha256": {
                "type": "string",
                "pattern": r"^[0-9a-f]{64}$",
                "description": "The SHA-256 of the text in UTF-8, in lower-case hexadecimal.",
            },
        },
        ("text",),
    )
)

SPAN = pieces.closed(
    {
        "id": pieces.NAME,
        "start": OFFSET,
        "end": OFFSET,
        "label": LABEL_NAME,
        "text": pieces.text(),
        "attributes": {
            "type": "object",
            "additionalProperties": {"type": ["string", "boolean"], "maxLength": 2_000},
        },
        "negated": pieces.FLAG,
        "kb_id": pieces.words(200),
    },
    ("id", "start", "end", "label", "text"),
)

RELATION = pieces.closed(
    {"source": pieces.NAME, "target": pieces.NAME, "type": LABEL_NAME},
    ("source", "target", "type"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of spans",
        {
            "spans": pieces.listing(SPAN, most=SPANS_MAX),
            "relations": pieces.listing(RELATION, most=SPANS_MAX),
            "cats": pieces.listing(LABEL_NAME, most=50),
        },
        ("spans",),
    )
)


def text_sha256(text: str) -> str:
    """The hash that an item and its exports carry, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def names_of(entries: Iterable[Json]) -> list[str]:
    return [str(entry["name"]) for entry in entries]


def doubled(names: Sequence[str], place: str, field: str = "name") -> list[Fault]:
    return [
        Fault(f"{place}/{number}/{field}", f"“{name}” stands twice. Rename one.")
        for number, name in enumerate(names)
        if name in names[:number]
    ]


def template_rule(template: Json) -> list[Fault]:
    labels = names_of(template["labels"])
    faults = doubled(labels, "/labels") + key_faults(template["labels"])
    faults += doubled(names_of(template.get("relations", [])), "/relations")
    faults += doubled(names_of(template.get("cats", [])), "/cats")
    attributes = template.get("attributes", [])
    faults += doubled([str(each["key"]) for each in attributes], "/attributes", "key")
    for number, attribute in enumerate(attributes):
        place = f"/attributes/{number}"
        faults += strangers(attribute.get("labels", []), labels, f"{place}/labels")
        if attribute["kind"] == "choice" and not attribute.get("options"):
            faults.append(Fault(f"{place}/options", "Say what may be chosen."))
        if attribute["kind"] != "choice" and attribute.get("options"):
            faults.append(Fault(f"{place}/options", "Only a choice has options. Remove them."))
    for number, relation in enumerate(template.get("relations", [])):
        for at, pair in enumerate(relation.get("pairs", [])):
            place = f"/relations/{number}/pairs/{at}"
            faults += strangers([pair["source"], pair["target"]], labels, place)
    return faults


def key_faults(labels: list[Json]) -> list[Fault]:
    keys = [str(label.get("key", "")) for label in labels]
    return [
        Fault(f"/labels/{number}/key", words)
        for number, key in enumerate(keys)
        if key
        for taken, words in (
            (key in keys[:number], f"The key “{key}” stands twice. Choose another."),
            (key in KEYS_TAKEN, f"The workbench uses the key “{key}” itself. Choose another."),
        )
        if taken
    ]


def strangers(named: Iterable[str], known: list[str], place: str) -> list[Fault]:
    return [
        Fault(place, f"The template has no label “{name}”. Its labels: {listed(known)}.")
        for name in named
        if name not in known
    ]


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    told = payload.get("text_sha256")
    found = text_sha256(payload["text"])
    if told is not None and told != found:
        words = f"The text's hash is {found}. The text changed on its way; send it again."
        return [Fault("/text_sha256", words)]
    return []


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    spans = judgement["spans"]
    faults = doubled([str(span["id"]) for span in spans], "/spans", "id")
    for number, span in enumerate(spans):
        place = f"/spans/{number}"
        faults += place_faults(span, payload["text"], place)
        faults += label_faults(template, span, place)
    faults += overlap_faults(template.get("overlap", "none"), spans)
    faults += relation_faults(template, spans, judgement.get("relations", []))
    return faults + cat_faults(template, judgement.get("cats", []))


def place_faults(span: Json, text: str, place: str) -> list[Fault]:
    start, end = int(span["start"]), int(span["end"])
    if not start < end <= len(text):
        bounds = f"0 ≤ start < end ≤ {len(text)}"
        return [Fault(f"{place}/end", f"The span must lie in the text: {bounds}.")]
    if span["text"] != text[start:end]:
        quoted = text[start:end][:80]
        return [Fault(f"{place}/text", f"At these offsets the text says “{quoted}”.")]
    return []


def label_faults(template: Json, span: Json, place: str) -> list[Fault]:
    """What is wrong with a span's label and with what is said of it."""
    faults = strangers([span["label"]], names_of(template["labels"]), f"{place}/label")
    if span.get("negated") and not template.get("negation"):
        faults.append(Fault(f"{place}/negated", "This job marks no negation. Leave it out."))
    if "kb_id" in span and not template.get("kb_ids"):
        faults.append(Fault(f"{place}/kb_id", "This job names no concepts. Leave it out."))
    known = {
        str(each["key"]): each
        for each in template.get("attributes", [])
        if span["label"] in each.get("labels", [span["label"]])
    }
    given = span.get("attributes", {})
    for key, value in given.items():
        faults += attribute_faults(known.get(key), value, f"{place}/attributes/{key[:40]}")
    return faults + [
        Fault(f"{place}/attributes/{key}", f"Say “{attribute['title']}” of this span too.")
        for key, attribute in known.items()
        if attribute.get("required") and key not in given
    ]


def attribute_faults(attribute: Json | None, value: str | bool, place: str) -> list[Fault]:
    if attribute is None:
        return [Fault(place, "Spans of this label have no such attribute. Leave it out.")]
    kind = attribute["kind"]
    if (kind == "flag") != isinstance(value, bool):
        wanted = "true or false" if kind == "flag" else "text"
        return [Fault(place, f"“{attribute['title']}” must be {wanted}.")]
    if kind == "choice" and value not in attribute["options"]:
        return [Fault(place, f"Choose one of {listed(attribute['options'])}.")]
    return []


def overlap_faults(allowed: str, spans: Sequence[Json]) -> list[Fault]:
    """Spans that overlap though the template forbids it, and spans that stand twice."""
    faults = []
    numbered = sorted(
        enumerate(spans), key=lambda each: (int(each[1]["start"]), -int(each[1]["end"]))
    )
    seen: set[tuple[int, int, str]] = set()
    open_ends: list[int] = []
    for number, span in numbered:
        start, end = int(span["start"]), int(span["end"])
        mark = (start, end, str(span["label"]))
        open_ends = [each for each in open_ends if each > start]
        if mark in seen:
            faults.append(Fault(f"/spans/{number}", "This span stands twice. Keep one."))
        elif allowed == "none" and open_ends:
            words = "It overlaps another span, and this job allows no overlap. Keep one."
            faults.append(Fault(f"/spans/{number}", words))
        elif allowed == "nested" and any(each < end for each in open_ends):
            words = "It crosses another span. One may stand inside the other, not half over it."
            faults.append(Fault(f"/spans/{number}", words))
        seen.add(mark)
        open_ends.append(end)
    return faults


def relation_faults(
    template: Json, spans: Sequence[Json], relations: Sequence[Json]
) -> list[Fault]:
    types = {str(each["name"]): each for each in template.get("relations", [])}
    labels = {str(span["id"]): str(span["label"]) for span in spans}
    seen: set[tuple[str, ...]] = set()
    faults = []
    for number, relation in enumerate(relations):
        place = f"/relations/{number}"
        source, target = str(relation["source"]), str(relation["target"])
        kind = types.get(relation["type"])
        ends = (source, target)
        if kind is not None and kind.get("directed") is False:
            ends = (min(ends), max(ends))
        if kind is None:
            known = listed([*types])
            faults.append(Fault(f"{place}/type", f"The template's relations are: {known}."))
        elif source not in labels or target not in labels or source == target:
            faults.append(Fault(place, "Relate two spans of this judgement, by their ids."))
        elif not may_relate(kind, labels[source], labels[target]):
            words = f"“{kind['name']}” does not lead from {labels[source]} to {labels[target]}."
            faults.append(Fault(place, words))
        elif (relation["type"], *ends) in seen:
            faults.append(Fault(place, "This relation stands twice. Keep one."))
        seen.add((str(relation["type"]), *ends))
    return faults


def may_relate(kind: Json, source: str, target: str) -> bool:
    """Whether a relation type allows this pair of labels; without pairs it allows all."""
    pairs = [(pair["source"], pair["target"]) for pair in kind.get("pairs", [])]
    either = kind.get("directed") is False and (target, source) in pairs
    return not pairs or (source, target) in pairs or either


def cat_faults(template: Json, cats: Sequence[str]) -> list[Fault]:
    known = names_of(template.get("cats", []))
    faults = [
        Fault(f"/cats/{number}", f"Choose one of {listed(known)}.")
        for number, name in enumerate(cats)
        if name not in known
    ]
    if len(set(cats)) < len(cats):
        faults.append(Fault("/cats", "A label of the whole text stands twice. Keep one."))
    if len(cats) > 1 and not template.get("cats_many"):
        faults.append(Fault("/cats", "Choose one label for the whole text."))
    if not cats and template.get("cats_required"):
        faults.append(Fault("/cats", "Choose a label for the whole text too."))
    return faults


def gold_template(template: Json) -> Json:
    """Gold may be spans alone, without attributes and without labels of the whole."""
    attributes = [{**each, "required": False} for each in template.get("attributes", [])]
    relaxed = {**template, "cats_required": False}
    return {**relaxed, "attributes": attributes} if attributes else relaxed


SPANS = TaskType(
    key="spans",
    title="Spans and relations",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    marks=marks,
    formats=EXPORTS,
    template_rule=template_rule,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    prelabels_shown=prelabels_shown,
    prelabel_template=gold_template,
    first_answer=first_answer,
    gold_rule=gold_rule,
    gold_template=gold_template,
    read_form=read_form,
    write_form=write_form,
)
