"""Parameters: Stripe's bracketed form encoding, read by name with Stripe's own complaints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from marketplace.sandbox.errors import ApiError

PAIRS_MAX = 1_000
DEPTH_MAX = 8
TEXT_MAX = 5_000
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_WHOLE = re.compile(r"-?\d{1,18}")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested dicts and lists from `a[b][0][c]=1` pairs; `a[]=1` appends.

    Raises ApiError for a malformed name, too many pairs, or too deep a nesting.
    """
    tree: dict[str, Any] = {}
    for count, (name, value) in enumerate(pairs):
        if count >= PAIRS_MAX:
            raise ApiError(f"A request has at most {PAIRS_MAX} parameters.")
        match = _NAME.fullmatch(name)
        if match is None or "\0" in name or "\0" in value:
            raise ApiError(f"Invalid parameter name or value at {name!r}.")
        parts = [match[1], *_PART.findall(match[2])]
        if len(parts) > DEPTH_MAX:
            raise ApiError(f"Parameters nest at most {DEPTH_MAX} deep.", param=name)
        _plant(tree, parts, value)
    return {key: _settle(value, key) for key, value in tree.items()}


def _plant(tree: dict[str, Any], parts: list[str], value: str) -> None:
    at = tree
    for part in parts[:-1]:
        below = at.setdefault(part or str(len(at)), {})
        if not isinstance(below, dict):
            raise ApiError("Invalid object: a value and an object share one name.", param=parts[0])
        at = below
    at[parts[-1] or str(len(at))] = value


def _settle(value: Any, name: str) -> Any:
    """Turn dicts whose keys count 0, 1, 2 … into lists, except metadata, whose keys are free."""
    if not isinstance(value, dict):
        return value
    below = {key: _settle(item, key) for key, item in value.items()}
    if name != "metadata" and list(below) == [str(at) for at in range(len(below))]:
        return list(below.values())
    return below


class Params:
    """Reads parameters by name and remembers which were read; `done()` refuses the rest."""

    def __init__(self, values: dict[str, Any], prefix: str = "") -> None:
        self._values = values
        self._prefix = prefix
        self._read: set[str] = set()
        self._below: list[Params] = []

    def _name(self, name: str) -> str:
        return f"{self._prefix}[{name}]" if self._prefix else name

    def _take(self, name: str, *, required: bool = False) -> Any:
        self._read.add(name)
        value = self._values.get(name)
        if value is None and required:
            full = self._name(name)
            raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full)
        return value

    def has(self, name: str) -> bool:
        """Whether the parameter was sent at all."""
        return name in self._values

    def peek(self, name: str) -> Any:
        """The value as it was decoded, which does not count as read."""
        return self._values.get(name)

    def text(self, name: str, *, choices: Sequence[str] = (), most: int = TEXT_MAX) -> str | None:
        """A string, or None when it was not sent or sent empty (which unsets)."""
        value = self._take(name)
        if value is None or value == "":
            return None
        full = self._name(name)
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {full}", param=full)
        if len(value) > most:
            message = f"Invalid string: must be at most {most} characters"
            raise ApiError(message, code="parameter_invalid_string", param=full)
        if choices and value not in choices:
            message = f"Invalid {full}: must be one of {', '.join(choices)}"
            raise ApiError(message, param=full)
        return value

    def needed(self, name: str, *, choices: Sequence[str] = (), most: int = TEXT_MAX) -> str:
        """A string that must be there and not be empty."""
        self._take(name, required=True)
        value = self.text(name, choices=choices, most=most)
        if value is None:
            full = self._name(name)
            message = f"You passed an empty string for '{full}'."
            raise ApiError(message, code="parameter_invalid_empty", param=full)
        return value

    def whole(self, name: str, *, least: int | None = None) -> int | None:
        """A whole number, or None when it was not sent."""
        value = self._take(name)
        if value is None:
            return None
        full = self._name(name)
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            message = f"Invalid integer: {value}"
            raise ApiError(message, code="parameter_invalid_integer", param=full)
        if least is not None and int(value) < least:
            message = f"Invalid {full}: must be at least {least}"
            raise ApiError(message, code="parameter_invalid_integer", param=full)
        return int(value)

    def needed_whole(self, name: str, *, least: int = 1) -> int:
        """A whole number that must be there."""
        self._take(name, required=True)
        value = self.whole(name, least=least)
        assert value is not None  # noqa: S101 - `_take` has refused a missing one.
        return value

    def flag(self, name: str) -> bool | None:
        """true or false, or None when it was not sent."""
        value = self._take(name)
        if value is None:
            return None
        if value not in {"true", "false"}:
            full = self._name(name)
            raise ApiError(f"Invalid boolean: {value}", param=full)
        return bool(value == "true")

    def texts(self, name: str) -> list[str]:
        """A list of strings, empty when it was not sent."""
        value = self._take(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            full = self._name(name)
            raise ApiError("Invalid array", param=full)
        return value

    def nested(self, name: str) -> Params:
        """The object under a name; empty when it was not sent."""
        value = self._take(name)
        full = self._name(name)
        if value is not None and not isinstance(value, dict):
            raise ApiError("Invalid object", param=full)
        below = Params(value or {}, full)
        self._below.append(below)
        return below

    def each(self, name: str) -> list[Params]:
        """The objects of a list under a name."""
        value = self._take(name) or []
        full = self._name(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ApiError("Invalid array", param=full)
        below = [Params(item, f"{full}[{at}]") for at, item in enumerate(value)]
        self._below.extend(below)
        return below

    def metadata(self, current: dict[str, str] | None = None) -> dict[str, str]:
        """`current` with the sent keys over it; an empty value removes its key, "" all keys."""
        value = self._take("metadata")
        if value is None:
            return dict(current or {})
        if value == "":
            return {}
        full = self._name("metadata")
        if not isinstance(value, dict) or any(not isinstance(v, str) for v in value.values()):
            raise ApiError("Metadata must be a hash of strings.", param=full)
        merged = {**(current or {}), **value}
        kept = {key: text for key, text in merged.items() if text != ""}
        _check_metadata(kept, full)
        return kept

    def accept(self, *names: str) -> None:
        """Parameters that are taken and have no effect in this sandbox."""
        self._read.update(names)

    def done(self) -> None:
        """Refuse the first parameter that nobody read."""
        for name in self._values:
            if name not in self._read:
                full = self._name(name)
                message = f"Received unknown parameter: {full} (or not emulated by this sandbox)"
                raise ApiError(message, code="parameter_unknown", param=full)
        for below in self._below:
            below.done()


def _check_metadata(metadata: dict[str, str], param: str) -> None:
    if len(metadata) > METADATA_KEYS_MAX:
        raise ApiError(f"Metadata can have at most {METADATA_KEYS_MAX} keys.", param=param)
    for key, value in metadata.items():
        if len(key) > METADATA_KEY_MAX:
            raise ApiError(
                f"Metadata keys have at most {METADATA_KEY_MAX} characters.", param=param
            )
        if len(value) > METADATA_VALUE_MAX:
            message = f"Metadata values have at most {METADATA_VALUE_MAX} characters."
            raise ApiError(message, param=f"{param}[{key}]")
