"""Flat form fields to a judgement and back, directed by the judgement's schema.

Names are paths with dots: `choice`, `aspects.helpfulness`, `ratings.clarity.score`,
`claims.0.verdict`. A field left blank counts as not answered; a row of a list that is blank
throughout is no row. Nothing here refuses: what cannot be read stays as text, and the check of
the judgement says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.tasktypes.shapes import Json

DEPTH_MAX = 12
WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0+)?")
DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
FLAGS = {"on": True, "true": True, "yes": True, "1": True}
FLAGS |= {"off": False, "false": False, "no": False, "0": False}


@dataclass(slots=True)
class Fields:
    """The fields under one name: what was sent for the name itself, and the names below it."""

    values: list[str] = field(default_factory=list)
    inner: dict[str, Fields] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Fields:
        """Fields from a MultiDict, or from a mapping to texts or lists of texts."""
        root = cls()
        for name in form:
            node = root
            for part in name.split(".", DEPTH_MAX):
                node = node.inner.setdefault(part, cls())
            node.values.extend(unix_lines(value) for value in sent(form, name))
        return root

    def below(self, name: str) -> Fields:
        return self.inner.get(name) or Fields()

    def one(self) -> str | None:
        """The first text that is not blank."""
        return next((value for value in self.values if value.strip()), None)

    def rows(self) -> list[Fields]:
        """The numbered rows, in order of their numbers, whatever gaps there are."""
        numbered = [key for key in self.inner if re.fullmatch(r"[0-9]{1,9}", key)]
        return [self.inner[key] for key in sorted(numbered, key=int)]


def sent(form: Mapping[str, Any], name: str) -> Iterable[str]:
    every = getattr(form, "getlist", None)
    values = every(name) if every else form[name]
    if isinstance(values, str):
        return [values]
    return [value for value in values if isinstance(value, str)]


def unix_lines(value: str) -> str:
    # Browsers send every line break of a text area as CRLF; the text that was shown had LF.
    return value.replace("\r\n", "\n").replace("\r", "\n")


def judgement_from(fields: Fields, schema: Json) -> Json:
    """The object that the fields describe; its parts are absent where nothing was sent."""
    found = _read(fields, schema)
    return found if isinstance(found, dict) else {}


def _read(fields: Fields, schema: Json) -> Any:
    match schema.get("type"):
        case "object":
            return _read_object(fields, schema) or None
        case "array":
            return _read_list(fields, schema["items"]) or None
        case "integer":
            return _number(fields.one(), WHOLE)
        case "number":
            return _number(fields.one(), DECIMAL)
        case "boolean":
            answer = fields.one()
            return None if answer is None else FLAGS.get(answer.strip().lower(), answer)
        case _:
            return fields.one()


def _read_object(fields: Fields, schema: Json) -> Json:
    known: Json = schema.get("properties", {})
    shapes = dict(known)
    further = schema.get("additionalProperties")
    if isinstance(further, dict):
        shapes |= {key: further for key in fields.inner if key not in known}
    read = {key: _read(fields.below(key), shape) for key, shape in shapes.items()}
    return {key: value for key, value in read.items() if value is not None}


def _read_list(fields: Fields, items: Json) -> list[Any]:
    single = [Fields([value]) for value in fields.values]
    read = [_read(row, items) for row in [*single, *fields.rows()]]
    return [value for value in read if value is not None]


def _number(answer: str | None, pattern: re.Pattern[str]) -> int | float | str | None:
    if answer is None:
        return None
    written = answer.strip()
    if not pattern.fullmatch(written):
        return answer
    value = float(written)
    return int(value) if value.is_integer() else value


def flat(judgement: object) -> dict[str, str]:
    """Form fields for any judgement, also for a draft that is not finished or not legal."""
    found: dict[str, str] = {}
    _flatten(judgement, [], found)
    return found


def _flatten(value: object, path: list[str], found: dict[str, str]) -> None:
    if len(path) > DEPTH_MAX:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, [*path, str(key)], found)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _flatten(inner, [*path, str(number)], found)
    elif value is not None and path:
        found[".".join(path)] = as_text(value)


def as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
