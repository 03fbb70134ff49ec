"""Labelling configurations of Label Studio: the task type and the template that they come to.

The XML is untrusted: entities, document types and deep nesting are refused. Whatever has no place
in our template is told, tag by tag, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from marketplace.tasktypes.label_studio.controls import OBJECTS, root_of, said, tags_of
from marketplace.tasktypes.label_studio.controls import NotAConfiguration as NotAConfiguration
from marketplace.tasktypes.label_studio.dialect import RATIONALES, key_of
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.spans import KEYS_TAKEN

QUIET = frozenset({"View", "Style", "Label", "Choice", "Bucket", "Relation", "Header"})
REGIONS = {"RectangleLabels": "box", "PolygonLabels": "polygon", "KeyPointLabels": "point"}
PLAIN_REGIONS = {"Rectangle": "box", "Polygon": "polygon", "KeyPoint": "point"}
_HOTKEY = re.compile(r"[a-z1-9]")


@dataclass(frozen=True, slots=True)
class Left:
    """A tag that was not carried over, and why."""

    tag: str
    why: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What a configuration comes to. task_type: "" where none fits; fields: part of our item to
    the data field that it comes from."""

    task_type: str
    template: Json
    fields: Mapping[str, str]
    left: tuple[Left, ...]


def carried(text: str) -> Carried:
    """The task type and the template of a configuration; raises NotAConfiguration."""
    tags = list(tags_of(root_of(text)))
    controls = [tag for tag in tags if tag.tag not in OBJECTS | QUIET]
    for fits, build in _BUILDERS:
        mine = [tag for tag in controls if tag.tag in fits]
        if mine:
            found = build(tags, controls)
            if found.task_type:
                # One line ending, so that a form gives it back as it is.
                own = {"label_studio": "\n".join(text.strip().splitlines())}
                return replace(found, template=found.template | own)
            break
    told = [Left(_named(tag), "No task type of ours asks for this.") for tag in controls]
    return Carried("", {}, _fields(tags, {}), tuple(told))


def _fields(tags: list[Element], ours: Mapping[str, str]) -> dict[str, str]:
    """Our parts of an item to the data fields that the tags of these kinds show."""
    found: dict[str, str] = {}
    for tag in tags:
        name = str(tag.get("value", "")).removeprefix("$")
        if tag.tag in OBJECTS and name:
            found.setdefault(ours.get(tag.tag, tag.tag.lower()), name)
    return found


def _question(tags: list[Element]) -> Json:
    heads = [str(tag.get("value", "")).strip() for tag in tags if tag.tag == "Header"]
    words = " ".join(head for head in heads if head and not head.startswith("$"))
    return {"question": words[:2_000]} if words else {}


def _rest(controls: list[Element], used: list[Element], why: str) -> tuple[Left, ...]:
    return tuple(
        Left(_named(tag), WHY.get(tag.tag, why))
        for tag in controls
        if tag not in used and not _is_rationale(tag)
    )


def _is_rationale(tag: Element) -> bool:
    """Whether it asks for reasons, which every judgement carries and every export gives back."""
    return tag.tag == "TextArea" and key_of(str(tag.get("name", ""))) in RATIONALES


def _per_region(tag: Element) -> bool:
    return str(tag.get("perRegion", "")).lower() == "true"


def _asked_of_regions(controls: list[Element]) -> list[Element]:
    """Controls that ask one word of each region, or one choice."""
    return [
        tag
        for tag in controls
        if _per_region(tag)
        and (tag.tag == "TextArea" or (tag.tag == "Choices" and tag.get("choice") != "multiple"))
    ]


def _named(tag: Element) -> str:
    name = tag.get("name")
    return f"{tag.tag} “{name}”" if name else str(tag.tag)


WHY: Mapping[str, str] = {
    "BrushLabels": "Brush masks are not drawn here; use polygons.",
    "Brush": "Brush masks are not drawn here; use polygons.",
    "EllipseLabels": "Ellipses are not drawn here; use polygons.",
    "TextArea": "Words stand in the rationale that every judgement carries; call it “rationale”.",
    "Taxonomy": "Trees of labels are not carried over beside this; list the labels themselves.",
    "Filter": "It only helps to find a label.",
    "Relations": "Relations need span labels.",
}


def _label_names(tag: Element, kind: str = "Label") -> list[Element]:
    return [inner for inner in tag.iter(kind) if inner.get("value") or inner.get("alias")]


def _key(title: str, taken: set[str]) -> str:
    bare = key_of(title)
    key, at = bare, 2
    while key in taken:
        key, at = f"{bare}_{at}", at + 1
    taken.add(key)
    return key


def _spans(tags: list[Element], controls: list[Element]) -> Carried:
    marks = [tag for tag in controls if tag.tag in _SPANS]
    labels: list[Json] = []
    keys: set[str] = set()
    for each in (label for tag in marks for label in _label_names(tag)):
        name = said(each)
        if name in {label["name"] for label in labels}:
            continue
        label: Json = {"name": name}
        hotkey = str(each.get("hotkey", "")).lower()
        if _HOTKEY.fullmatch(hotkey) and hotkey not in keys | KEYS_TAKEN:
            label["key"] = hotkey
            keys.add(hotkey)
        if each.get("hint"):
            label["guideline"] = str(each.get("hint"))
        labels.append(label)
    template: Json = {**_question(tags), "labels": labels, "overlap": "any"}
    used = list(marks)
    relations = [tag for tag in tags if tag.tag == "Relations"]
    names = [str(each.get("value")) for tag in relations for each in tag.iter("Relation")]
    if names:
        template["relations"] = [{"name": name} for name in dict.fromkeys(names)]
        used += relations
    choices = next((t for t in controls if t.tag == "Choices" and not _per_region(t)), None)
    if choices is not None and _label_names(choices, "Choice"):
        cats = [str(each.get("value")) for each in _label_names(choices, "Choice")]
        template["cats"] = [{"name": name} for name in dict.fromkeys(cats)]
        template["cats_many"] = choices.get("choice") == "multiple"
        template["cats_required"] = choices.get("required") == "true"
        used.append(choices)
    attributes = [_attribute(tag) for tag in _asked_of_regions(controls)]
    if attributes:
        template["attributes"] = attributes
        used += _asked_of_regions(controls)
    left = _rest(controls, used, "Span tasks mark words only.")
    fields = _fields(tags, {"Text": "text", "HyperText": "text", "Paragraphs": "text"})
    return Carried("spans", template, fields, left)


def _attribute(tag: Element) -> Json:
    title = str(tag.get("name"))
    options = [said(each) for each in _label_names(tag, "Choice")]
    if tag.tag == "TextArea" or not options:
        return {"key": key_of(title), "title": title, "kind": "text"}
    return {"key": key_of(title), "title": title, "kind": "choice", "options": options}


def _regions(tags: list[Element], controls: list[Element]) -> Carried:
    marks = [tag for tag in controls if tag.tag in REGIONS or tag.tag in PLAIN_REGIONS]
    taken: set[str] = set()
    titles: dict[str, list[str]] = {}
    for tag in marks:
        shape = {**REGIONS, **PLAIN_REGIONS}[tag.tag]
        for label in _label_names(tag):
            titles.setdefault(said(label), []).append(shape)
    labels = [
        {"key": _key(title, taken), "title": title, "kinds": sorted(set(shapes))}
        for title, shapes in titles.items()
    ]
    template: Json = {**_question(tags), "labels": labels}
    asked = _asked_of_regions(controls)
    attributes = [
        {name: part for name, part in _attribute(tag).items() if name != "kind"} for tag in asked
    ]
    if attributes:
        template["labels"] = [{**label, "attributes": attributes} for label in labels]
    whole = [
        tag
        for tag in controls
        if tag.tag == "Choices"
        and not _per_region(tag)
        and tag.get("choice") != "multiple"
        and len(_label_names(tag, "Choice")) > 1
    ]
    answers = [
        {name: part for name, part in _attribute(tag).items() if name != "kind"} for tag in whole
    ]
    if answers:
        template["answers"] = answers
    left = _rest(controls, [*marks, *asked, *whole], "Image tasks mark regions only.")
    return Carried("regions", template, _fields(tags, {"Image": "image"}), left)


def _pairwise(tags: list[Element], controls: list[Element]) -> Carried:
    used = [tag for tag in controls if tag.tag == "Pairwise"][:1]
    names = str(used[0].get("toName", "")).split(",")
    shown = {str(tag.get("name")): str(tag.get("value", "")).removeprefix("$") for tag in tags}
    sides = zip(("a", "b"), (shown.get(name.strip(), "") for name in names), strict=False)
    left = _rest(controls, used, "A comparison asks which side is better, and why.")
    template = {**_question(tags), "allow_tie": True}
    return Carried("pairwise", template, {ours: theirs for ours, theirs in sides if theirs}, left)


def _ranking(tags: list[Element], controls: list[Element]) -> Carried:
    used = [tag for tag in controls if tag.tag == "Ranker"][:1]
    buckets = [tag for tag in tags if tag.tag == "Bucket"]
    left = _rest(controls, used, "A ranking puts answers in order, and nothing else.")
    left += tuple(Left(_named(tag), "Equal places take the part of buckets.") for tag in buckets)
    template = {**_question(tags), "allow_ties": True}
    return Carried("ranking", template, _fields(tags, {"List": "responses"}), left)


def _scales(tags: list[Element], controls: list[Element]) -> Carried:
    """Ratings and numbers become a rubric; with choices beside them, verdicts of both kinds."""
    if any(_is_verdict(tag) for tag in controls):
        return _choices(tags, controls)
    used = [tag for tag in controls if tag.tag in {"Rating", "Number"}]
    taken: set[str] = set()
    aspects = [_scaled(tag, taken) for tag in used]
    left = _rest(controls, used, "A rubric scores on scales, and nothing else.")
    fields = _fields(tags, {"Text": "response", "HyperText": "response", "Chat": "messages"})
    return Carried("rubric", {**_question(tags), "aspects": aspects}, fields, left)


def _scaled(tag: Element, taken: set[str]) -> Json:
    title = str(tag.get("name") or tag.tag)
    most = tag.get("maxRating", "5") if tag.tag == "Rating" else tag.get("max", "10")
    scale = {"min": 1 if tag.tag == "Rating" else 0, "max": _bounded(str(most))}
    return {"key": _key(title, taken), "title": title, "scale": scale}


def _is_verdict(tag: Element) -> bool:
    """Whether it asks for one of several options of the whole."""
    many = tag.get("choice") == "multiple"
    return tag.tag == "Choices" and not many and len(_label_names(tag, "Choice")) > 1


def _bounded(text: str) -> int:
    return max(2, min(10, int(text))) if text.isascii() and text.isdigit() and text else 5


def _choices(tags: list[Element], controls: list[Element]) -> Carried:
    """Choices over a whole text become verdicts on it; several at once, fields to fill."""
    used = [tag for tag in controls if _is_verdict(tag)]
    if not used:
        return _filled(tags, controls)
    used += [tag for tag in controls if tag.tag in {"Rating", "Number"}]
    taken: set[str] = set()
    aspects = []
    for tag in used:
        if tag.tag != "Choices":
            aspects.append({**_scaled(tag, taken), "kind": "score"})
            continue
        options: set[str] = set()
        titles = [said(each) for each in _label_names(tag, "Choice")][:20]
        title = str(tag.get("name") or "choice")
        aspects.append({
            "key": _key(title, taken),
            "title": title,
            "kind": "choice",
            "options": [{"key": _key(each, options), "title": each} for each in titles],
        })  # fmt: skip
    left = _rest(controls, used, "This asks for one choice of several.")
    ours = "responses" if len([tag for tag in tags if tag.tag in OBJECTS]) > 1 else "messages"
    fields = _fields(tags, {"Text": ours, "Chat": "messages"})
    return Carried("judge_calibration", {**_question(tags), "aspects": aspects}, fields, left)


def _filled(tags: list[Element], controls: list[Element]) -> Carried:
    """Trees of labels, dates and several choices at once are fields to fill."""
    kinds = {"TextArea": "text", "DateTime": "text", "Number": "number", "Rating": "number"}
    kinds |= {"Taxonomy": "json", "Choices": "json"}
    used = [tag for tag in controls if tag.tag in kinds]
    taken: set[str] = set()
    titles = [str(tag.get("name") or tag.tag) for tag in used]
    fields = [
        {"key": _key(title, taken), "title": title, "kind": kinds[tag.tag]}
        for tag, title in zip(used, titles, strict=True)
    ]
    if not fields:
        return Carried("", {}, _fields(tags, {}), _rest(controls, [], "Nothing asks for this."))
    left = _rest(controls, used, "A correction fills fields, and nothing else.")
    return Carried("correction", {**_question(tags), "fields": fields}, _fields(tags, {}), left)


def _written(tags: list[Element], controls: list[Element]) -> Carried:
    used = [tag for tag in controls if tag.tag == "TextArea"][:1]
    left = _rest(controls, used, "A demonstration asks for one text.")
    fields = _fields(tags, {"Text": "messages", "Chat": "messages"})
    return Carried("demonstration", _question(tags), fields, left)


_SPANS = frozenset({"Labels", "HyperTextLabels", "ParagraphLabels"})
_Builder = Callable[[list[Element], list[Element]], Carried]
_BUILDERS: tuple[tuple[frozenset[str], _Builder], ...] = (
    (frozenset({*REGIONS, *PLAIN_REGIONS}), _regions),
    (_SPANS, _spans),
    (frozenset({"Pairwise"}), _pairwise),
    (frozenset({"Ranker"}), _ranking),
    (frozenset({"Rating", "Number"}), _scales),
    (frozenset({"Choices"}), _choices),
    (frozenset({"Taxonomy", "DateTime"}), _filled),
    (frozenset({"TextArea"}), _written),
)
