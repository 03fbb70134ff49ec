"""Spans in Label Studio's results: Labels, HyperTextLabels, ParagraphLabels, Relations.

Label Studio counts code points in texts, as we do (its editor converts with `charsToCodePoints`).
Results that share an id speak of one region: its label, its attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marketplace.tasktypes.label_studio.controls import Config, Control, Shown, datum_of
from marketplace.tasktypes.label_studio.dialect import (
    Dialect,
    Left,
    Place,
    Unfit,
    as_text,
    control_of,
    key_of,
    name_of,
    result,
    value_of,
    whole,
    words_of,
)
from marketplace.tasktypes.label_studio.layouts import Layout, layout_of
from marketplace.tasktypes.shapes import Json

TAGS = ("Labels", "HyperTextLabels", "ParagraphLabels")
TYPES = tuple(tag.lower() for tag in TAGS)
YES, NO = "yes", "no"
OWN = ("negated", "kb_id")
_TEXT_NAMES = ("text", "content", "document", "html", "dialogue", "note", "body")


def default(template: Json) -> Config:
    """`label` marks spans, `cats` labels the whole; attributes go by their own keys."""
    text = ("text",)
    labels = tuple(str(each["name"]) for each in template.get("labels", []))
    controls = [Control("label", "Labels", text, labels)]
    controls += [
        Control(
            str(each["key"]),
            "TextArea" if each["kind"] == "text" else "Choices",
            text,
            tuple(each.get("options", (YES, NO))),
            per_region=True,
        )
        for each in template.get("attributes", [])
    ]
    controls.append(Control("negated", "Choices", text, (YES,), per_region=True))
    controls.append(Control("kb_id", "TextArea", text, per_region=True))
    cats = tuple(str(each["name"]) for each in template.get("cats", []))
    many = bool(template.get("cats_many"))
    if cats:
        controls.append(Control("cats", "Choices", text, cats, many=many))
    return Config({"text": Shown("Text", "text")}, tuple(controls))


def payload(place: Place) -> Json:
    """The text that is marked; dialogues and HTML become the text that people read."""
    found = layout(place)
    if not found.text.strip():
        raise Unfit("There is no text to mark. Send one in the field that the configuration shows.")
    return {"text": found.text}


def layout(place: Place) -> Layout:
    """The text of a task with its own way of counting; that of our item where it is ours."""
    own = place.payload.get("text")
    marking = next(iter(place.config.of(*TAGS)), None)
    shown = place.config.about(marking)
    value = datum_of(place.content, shown.datum) if shown else None
    if value is None:
        value = _guessed(place.content)
    found = layout_of(value, shown, html=marking is not None and marking.tag == "HyperTextLabels")
    if isinstance(own, str) and found.text != own:
        return layout_of(own, None)
    return found


def _guessed(content: Json) -> Any:
    for name in _TEXT_NAMES:
        if isinstance(content.get(name), str | list):
            return content[name]
    texts = [value for value in content.values() if isinstance(value, str)]
    return max(texts, key=len, default="")


def judgement(place: Place, results: list[Json], left: Left) -> Json:
    """What an annotation marks; marks that lie nowhere in the text, or where it says something
    else, relations to them, and labels that the template lacks are left and counted."""
    found = layout(place)
    spans: dict[str, Json] = {}
    cats = place.config.of("Choices")
    told: Json = {}
    for each in results:
        kind = str(each.get("type"))
        if kind in TYPES:
            _add(spans, each, found, left)
        elif kind == "relation" or _onto(spans.get(name_of(each.get("id"))), each):
            continue
        elif kind == "choices" and _whole(each, cats):
            told.setdefault("cats", []).extend(words_of(value_of(each), "choices"))
        else:
            left["results_with_no_place_here"] += 1
    relations = list(_relations(place, results, spans, left))
    known = {str(each["name"]) for each in place.template.get("labels", [])}
    kept = [span for span in spans.values() if span["label"] in known or not known]
    left.update(["labels_that_the_template_lacks"] * (len(spans) - len(kept)))
    return {"spans": kept, **({"relations": relations} if relations else {}), **told}


def _whole(each: Json, cats: list[Control]) -> bool:
    return "start" not in value_of(each) and each.get("from_name") in {c.name for c in cats}


def _add(spans: dict[str, Json], each: Json, found: Layout, left: Left) -> None:
    """Put a region among the spans, one for each of its labels."""
    value = value_of(each)
    place = found.located(value)
    labels = [name for kind in TYPES for name in words_of(value, kind)]
    if isinstance(place, str) or not labels:
        left[place if isinstance(place, str) else "results_with_no_place_here"] += 1
        return
    start, end = place
    name = name_of(each.get("id") or f"s{len(spans) + 1}")
    for at, label in enumerate(labels):
        key = name if at == 0 else f"{name}_{at + 1}"
        words = found.text[start:end]
        spans[key] = {"id": key, "start": start, "end": end, "label": label, "text": words}


def _onto(span: Json | None, each: Json) -> bool:
    """Say of a span what a further result of its region says; False where there is no span."""
    if span is None:
        return False
    value = value_of(each)
    words = words_of(value, "choices") or words_of(value, "text")
    number = value.get("number", value.get("rating"))
    answer = words[0] if words else as_text(number)
    control = str(each.get("from_name"))
    if control == "negated":
        span["negated"] = answer == YES
    elif control == "kb_id":
        span["kb_id"] = answer
    else:
        flag = {YES: True, NO: False}.get(answer) if "choices" in value else None
        span.setdefault("attributes", {})[key_of(control)] = answer if flag is None else flag
    return True


def _relations(
    place: Place, results: list[Json], spans: dict[str, Json], left: Left
) -> Iterator[Json]:
    types = {str(each["name"]): each for each in place.template.get("relations", [])}
    for each in results:
        if each.get("type") != "relation":
            continue
        ends = [name_of(each.get(key)) for key in ("from_id", "to_id")]
        if not all(end in spans for end in ends):
            left["relations_without_an_end"] += 1
            continue
        source, target = reversed(ends) if each.get("direction") == "left" else ends
        for name in words_of(each, "labels") or [*types][:1]:
            if types and name not in types:
                left["labels_that_the_template_lacks"] += 1
                continue
            yield {"source": source, "type": name, "target": target}
            if each.get("direction") == "bi" and types.get(name, {}).get("directed", True):
                yield {"source": target, "type": name, "target": source}


def results(place: Place, judged: Json) -> list[Json]:
    """The results of one annotation: regions first, then relations, then the whole's labels."""
    found = layout(place)
    told: list[Json] = []
    regions: dict[str, Json] = {}
    names = {str(span["id"]) for span in judged["spans"]}
    # A further label of a region stands behind the first, whatever order the labels have.
    for span in sorted(judged["spans"], key=lambda each: _first_id(each) in names):
        _region(place, span, found, regions, told)
    directed = {
        str(each["name"]): each.get("directed", True)
        for each in place.template.get("relations", [])
    }
    told += [
        {
            "type": "relation",
            "from_id": each["source"],
            "to_id": each["target"],
            "direction": "right" if directed.get(each["type"], True) else "bi",
            "labels": [each["type"]],
        }
        for each in judged.get("relations", [])
    ]
    if judged.get("cats"):
        control = control_of(place.config, "cats", ("Choices",), per_region=False)
        whole_of = place.config.of("Choices")
        control = whole_of[0] if whole_of else control
        told.append(whole(control, {"choices": list(judged["cats"])}))
    return told


def _first_id(span: Json) -> str:
    """The id of the region that a span is a further label of, if it is one."""
    return str(span["id"]).rpartition("_")[0]


def _region(
    place: Place, span: Json, found: Layout, regions: dict[str, Json], told: list[Json]
) -> None:
    """One span as results that share its id, or a further label of a region that is told."""
    start, end, label = int(span["start"]), int(span["end"]), str(span["label"])
    name = str(span["id"])
    former = regions.get(_first_id(span))
    if former is not None and former["span"] == (start, end) and not span.get("attributes"):
        former["labels"].append(label)
        return
    marking = marking_of(place.config, label)
    where = found.said(start, end)
    labels = [label]
    regions[name] = {"span": (start, end), "labels": labels}
    told.append(result(marking, name, {**where, marking.kind: labels}))
    said: Json = dict(span.get("attributes", {}))
    said |= {key: span[key] for key in OWN if span.get(key)}
    kinds = {str(each["key"]): each["kind"] for each in place.template.get("attributes", [])}
    for key, value in sorted(said.items()):
        chosen = isinstance(value, bool) or kinds.get(key) == "choice"
        tags = ("Choices", "TextArea") if chosen else ("TextArea", "Choices")
        control = control_of(place.config, key, tags, per_region=True)
        answer = (YES if value else NO) if isinstance(value, bool) else value
        one = "choices" if control.tag == "Choices" else "text"
        told.append(result(control, name, {**where, one: [answer]}))


def marking_of(config: Config, label: str) -> Control:
    """The control that offers a label, else the first that marks."""
    marking = config.of(*TAGS)
    offers = (each for each in marking if label in each.options)
    return next(offers, marking[0] if marking else Control("label", "Labels", ("text",)))


SPANS = Dialect(default=default, payload=payload, judgement=judgement, results=results)
