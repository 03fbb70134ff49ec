"""Forms that follow from the schema of a template: which parts there are, reading, writing.

A part is one field, or several in a row. Short lists are typed as text, since that is how people
write them: keyed texts (`1: Mostly wrong`) and pairs (`PERSON -> PLACE`) one a line, keys with
commas. Whatever this cannot show, `template_form` finds out and shows as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.tasktypes import Json
from marketplace.tasktypes.fields import Fields, judgement_from
from marketplace.tasktypes.fields import as_text as said
from marketplace.web.labs.template_words import choice_of, hint_of, label_of

LINE_MAX = 300
_KEYED = re.compile(r"([a-z][a-z0-9_]{0,39}): (.+)")
_ARROW = " -> "


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the form. kind: text, area, number, flag, choice, lines, group or rows; parts:
    of a group, or of each row."""

    name: str
    kind: str
    label: str
    hint: str = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    attrs: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


def parts_of(schema: Json) -> tuple[Part, ...]:
    """The parts of an object, in the order of its schema."""
    needed = schema.get("required", [])
    return tuple(_part(name, each, name in needed) for name, each in schema["properties"].items())


def _part(name: str, schema: Json, required: bool) -> Part:
    label, hint = label_of(name), hint_of(name, _told(schema))
    form = _form_of(schema)
    if form in {"rows", "group"}:
        inner = parts_of(schema["items"] if form == "rows" else schema)
        return Part(name, form, label, hint, required, parts=inner)
    if form == "choice":
        options = (("", "As usual"), *((each, choice_of(each)) for each in schema["enum"]))
        return Part(name, form, label, hint, required, options=options)
    if form == "flag":
        options = (("", "As usual"), ("true", "Yes"), ("false", "No"))
        return Part(name, "choice", label, hint, required, options=options)
    kind = form if form in {"text", "area", "number"} else _text_kind(form)
    return Part(name, kind, label, hint, required, attrs=_limits(schema))


def _text_kind(form: str) -> str:
    return "text" if form == "words" else "lines"


def _told(schema: Json) -> str:
    """The description, where it describes; those of patterns say what is wrong."""
    return "" if "pattern" in schema else str(schema.get("description", ""))


def _limits(schema: Json) -> dict[str, str]:
    names = {"minimum": "min", "maximum": "max", "maxLength": "maxlength"}
    return {names[each]: str(schema[each]) for each in names if each in schema}


def _form_of(schema: Json) -> str:
    match schema.get("type"):
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return "keyed"
        case "object":
            return "group"
        case "array":
            return _list_form(schema["items"])
        case "boolean":
            return "flag"
        case "integer" | "number":
            return "number"
    if "enum" in schema:
        return "choice"
    return "text" if schema.get("maxLength", 0) <= LINE_MAX else "area"


def _list_form(items: Json) -> str:
    """words: keys with commas; lines: texts; titled: a key and a title; pairs: two names."""
    if items.get("type") == "string":
        return "words" if "a-z0-9_" in items.get("pattern", "") else "lines"
    names = list(items.get("properties", {}))
    if names == ["key", "title"]:
        return "titled"
    return "pairs" if names == ["source", "target"] else "rows"


def read(sent: Fields, schema: Json) -> Json:
    """The object that the fields describe; what was left blank is not there."""
    plain = {name: each for name, each in schema["properties"].items() if _form_of(each) in _PLAIN}
    found = judgement_from(sent, {**schema, "properties": plain})
    for name, each in schema["properties"].items():
        value = _value(sent.below(name), each)
        if value:
            found[name] = value
    # In the schema's order, so that the same form gives the same text.
    return {name: found[name] for name in schema["properties"] if name in found}


_PLAIN = frozenset({"text", "area", "number", "flag", "choice"})


def _value(sent: Fields, schema: Json) -> Any:
    form = _form_of(schema)
    if form == "group":
        return read(sent, schema)
    if form == "rows":
        rows = [_row(row, schema["items"], at) for at, row in enumerate(sent.rows())]
        return [row for row in rows if row]
    reader = _READERS.get(form)
    return reader("\n".join(sent.values)) if reader else None


def _row(sent: Fields, items: Json, at: int) -> Json | None:
    """One row; None where nothing was typed into it. Its key follows from its title."""
    row = read(sent, items)
    written = {name for name, value in row.items() if not isinstance(value, bool)}
    if not written - _CHOSEN:
        return None
    if "key" in items["properties"] and "key" in items["required"] and "key" not in row:
        row = {"key": key_of(str(row.get("title", f"aspect {at + 1}"))), **row}
    return row


# What a row may hold by itself, since a list of options always says one.
_CHOSEN = frozenset({"kind", "rationale", "scale_unit"})


def _words(text: str) -> list[str]:
    return [key_of(word) for word in text.replace("\n", ",").split(",") if word.strip()]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _keyed(text: str) -> dict[str, str]:
    parted = [line.partition(":") for line in _lines(text)]
    return {key.strip(): words.strip() for key, _, words in parted}


def _titled(text: str) -> list[Json]:
    found = []
    for line in _lines(text):
        keyed = _KEYED.fullmatch(line)
        key, title = keyed.groups() if keyed else (key_of(line), line)
        found.append({"key": key, "title": title})
    return found


def _pairs(text: str) -> list[Json]:
    parted = [line.partition("->") for line in _lines(text)]
    return [{"source": one.strip(), "target": other.strip()} for one, _, other in parted]


_READERS: Mapping[str, Callable[[str], Any]] = {
    "words": _words,
    "lines": _lines,
    "keyed": _keyed,
    "titled": _titled,
    "pairs": _pairs,
}


def key_of(title: str) -> str:
    """A key for what has a title: letters, digits and underscores, at most 40."""
    key = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return (key if key[:1].isalpha() else f"k_{key}".rstrip("_"))[:40]


def write(value: object, schema: Json, name: str) -> dict[str, str]:
    """Form fields that `read` reads back as this value, as far as the form can show it."""
    form = _form_of(schema)
    if form == "group" and isinstance(value, dict):
        known = schema["properties"]
        fields: dict[str, str] = {}
        for key, inner in value.items():
            fields |= write(inner, known[key], f"{name}.{key}") if key in known else {}
        return fields
    if form == "rows" and isinstance(value, list):
        fields = {}
        for at, row in enumerate(value):
            fields |= write(row, schema["items"], f"{name}.{at}")
        return fields
    if form in _WRITERS and value:
        return {name: "\n".join(_WRITERS[form](value)) if _fits(form, value) else ""}
    return {} if value is None else {name: said(value)}


def _fits(form: str, value: object) -> bool:
    """Whether a list has the shape that its lines stand for."""
    if form == "keyed":
        return isinstance(value, dict)
    if not isinstance(value, list):
        return False
    return form in {"words", "lines"} or all(isinstance(each, dict) for each in value)


def _titled_line(each: Json) -> str:
    key, title = each.get("key"), str(each.get("title", ""))
    return title if key == key_of(title) else f"{key}: {title}"


_WRITERS: Mapping[str, Callable[[Any], list[str]]] = {
    "words": lambda value: [", ".join(map(str, value))],
    "lines": lambda value: [str(each) for each in value],
    "keyed": lambda value: [f"{key}: {words}" for key, words in value.items()],
    "titled": lambda value: [_titled_line(each) for each in value],
    "pairs": lambda value: [f"{e.get('source')}{_ARROW}{e.get('target')}" for e in value],
}
