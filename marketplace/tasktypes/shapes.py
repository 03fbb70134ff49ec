"""JSON Schemas that answer with faults a person can act on."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias

import jsonschema_rs

from marketplace.errors import Fault

Json: TypeAlias = dict[str, Any]

FAULTS_MAX = 50
DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1

NAMES_OF_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


class Shape:
    """A JSON Schema 2020-12, compiled once, with messages that say what to do.

    `schema` is what clients are served; `faults` is what it means, so the two cannot disagree.
    """

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self._validator = jsonschema_rs.Draft202012Validator(schema)

    def faults(self, value: object) -> list[Fault]:
        """What is wrong with any value that a JSON parser can return; at most `FAULTS_MAX`."""
        unstorable = list(islice(unstorable_places(value), FAULTS_MAX))
        if unstorable:
            return unstorable
        errors = self._validator.iter_errors(value)
        told = (fault for error in errors for fault in self._told(error))
        return list(islice(told, FAULTS_MAX))

    def _told(self, error: jsonschema_rs.ValidationError) -> Iterator[Fault]:
        place = [*error.instance_path]
        kind = error.kind.as_dict()
        name = error.kind.name
        rule = self._rule_at(error.schema_path)
        if name == "required":
            missing = str(kind["property"])
            yield Fault(pointer([*place, missing]), f'"{missing}" is missing. Add it.')
        elif name == "additionalProperties":
            for key in kind["unexpected"]:
                yield Fault(pointer([*place, key]), unknown_key(key, rule))
        else:
            yield Fault(pointer(place), message(name, kind, rule, error.instance))

    def _rule_at(self, path: list[str | int]) -> Json:
        """The schema object that holds the keyword which failed."""
        found: Any = self.schema
        for step in path[:-1]:
            found = found[step]
        return found if isinstance(found, dict) else {}


def pointer(path: list[str | int]) -> str:
    """A JSON pointer (RFC 6901): `["a/b", 0]` becomes `/a~1b/0`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def under(prefix: str, faults: list[Fault]) -> list[Fault]:
    """The same faults seen from one level up."""
    return [Fault(prefix + fault.pointer, fault.message) for fault in faults]


def unknown_key(key: str, rule: Json) -> str:
    known = sorted(rule.get("properties", {}))
    near = difflib.get_close_matches(key[:80], known, n=1)
    advice = f'Did you mean "{near[0]}"?' if near else f"The known fields are {listed(known)}."
    if "metadata" in known:
        advice += ' Anything of your own may stand under "metadata".'
    return f'"{key[:80]}" is not a field here. {advice}'


def message(name: str, kind: Json, rule: Json, instance: object) -> str:
    """One sentence for one failed keyword. The rule's own description wins for patterns."""
    limit = kind.get("limit")
    match name:
        case "type":
            return wrong_type(str(rule.get("type")), instance)
        case "enum":
            return f"Choose one of {listed([str(option) for option in rule['enum']])}."
        case "maxLength":
            length = len(instance) if isinstance(instance, str) else 0
            return f"Shorten this to {limit:,} characters; it has {length:,}."
        case "minLength":
            return f"Write at least {limit:,} characters."
        case "pattern" | "propertyNames":
            return str(rule.get("description", "This is not written as it must be."))
        case "minimum" | "maximum":
            side = "at least" if name == "minimum" else "at most"
            return f"This must be {side} {limit}."
        case "minItems" | "minProperties":
            return f"Give at least {limit:,}."
        case "maxItems" | "maxProperties":
            return f"Give at most {limit:,}."
        case "uniqueItems":
            return "No entry may stand here twice."
        case _:
            return f"This does not fit the rule “{name}” of the schema."


def wrong_type(wanted: str, instance: object) -> str:
    said = f"This must be {NAMES_OF_TYPES.get(wanted, 'another type')}."
    if wanted == "string" and isinstance(instance, bool | int | float):
        # Seen in published sets, where a response “True” was saved as the JSON value true.
        return f"{said} Put it in quotes."
    return said


def listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def unstorable_places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    """What no database and no export could hold: NUL, half characters, endless numbers, depth."""
    if len(place) > DEPTH_MAX:
        yield Fault(pointer([*place]), f"Nest no deeper than {DEPTH_MAX} levels.")
    elif isinstance(value, str):
        yield from unstorable_text(value, place)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from unstorable_text(key, place)
            yield from unstorable_places(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unstorable_places(inner, (*place, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(
            pointer([*place]), "NaN and infinity are not JSON numbers. Use null or leave out."
        )
    elif isinstance(value, int) and abs(value) > INTEGER_MAX:
        yield Fault(pointer([*place]), "This number needs more than 64 bits. Send it as text.")


def unstorable_text(text: str, place: tuple[str | int, ...]) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(written(place), "Remove the NUL character (U+0000) from this text.")
    elif not encodable(text):
        yield Fault(
            written(place), "Half a surrogate pair stands in this text. Encode it as UTF-8."
        )


def encodable(text: str) -> bool:
    """Whether no half of a surrogate pair stands in it; the encoder finds one fastest."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def written(place: tuple[str | int, ...]) -> str:
    """A pointer that can itself be encoded, whatever stood in the keys."""
    return pointer([*place]).encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
