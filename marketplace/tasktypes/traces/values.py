"""Values of JSON that somebody else wrote, and rows of items made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from marketplace.errors import Fault
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces.documents import Row

ITEM_BYTES_MAX = 1024 * 1024
EXTERNAL_ID_MAX = 200


class NotThis(Exception):
    """Why a document is no run of this format; the words go to whoever sent it."""


def text(value: Any) -> str:
    """Text, also out of the parts that chat formats have; other JSON as its text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(_part, value) if part)
    return "" if value is None else orjson.dumps(value).decode()


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return text(part)
    if isinstance(part.get("text"), str):
        return str(part["text"])
    return f"[{part['type']}]" if isinstance(part.get("type"), str) else text(part)


def objects(value: Any) -> list[Json]:
    """The objects of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def members(value: Any) -> Json:
    """An object, or an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def parsed(value: Any) -> Any:
    """Arguments of a call: formats write them as JSON text; text that is no JSON stays."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def fingerprint(value: Any, digits: int = 16) -> str:
    """A short hash of JSON, the same for equal content."""
    written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()[:digits]


def named(*parts: Any) -> str:
    """An external id of these parts that no control character is in."""
    written = "-".join(str(part) for part in parts)
    plain = "".join(character if character.isprintable() else "-" for character in written)
    if len(plain) <= EXTERNAL_ID_MAX:
        return plain
    return f"{plain[: EXTERNAL_ID_MAX - 17]}-{fingerprint(plain)}"


def present(found: Json) -> Json:
    """The members that say something."""
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def items(read: Iterable[Row], item: Callable[[Json], tuple[str, Json]]) -> Iterator[Row]:
    """Each document as a line with `external_id` and `payload`, or with what is wrong with it."""
    for number, content, end in read:
        made = content if isinstance(content, Fault) else _made(content, item)
        yield Row(number, made, end)


def _made(content: bytes, item: Callable[[Json], tuple[str, Json]]) -> bytes | Fault:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"This is not JSON: {wrong}.")
    if not isinstance(document, dict):
        return Fault("", "A run must be an object.")
    try:
        external_id, payload = item(document)
    except NotThis as wrong:
        return Fault("", str(wrong))
    return written(external_id, payload)


def written(external_id: str, payload: Json) -> bytes | Fault:
    line = orjson.dumps({"external_id": external_id, "payload": payload})
    if len(line) > ITEM_BYTES_MAX:
        advice = f"This run makes an item of {len(line):,} bytes; {ITEM_BYTES_MAX:,} is the most."
        return Fault("", f"{advice} Shorten its longest results.")
    return line
