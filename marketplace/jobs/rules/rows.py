"""One line of NDJSON to one item, or to what is wrong with it.

The line's members are found by scanning, so that payload and gold are kept letter for letter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.ndjson import Line

Json: TypeAlias = dict[str, Any]
EXTERNAL_ID_MAX = 200
PRELABELS_MAX = 50
NAME_MAX = 200
AUTHORS_MAX = 50
KNOWN = ("external_id", "payload", "prelabels", "gold")
_KNOWN = frozenset(KNOWN)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_BLANK = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of one job's task type, already bound to its template."""

    payload: Callable[[object], list[Fault]]
    judgement: Callable[[Json, object], list[Fault]]
    gold: Callable[[Json, object], list[Fault]]


@dataclass(frozen=True, slots=True)
class PrelabelRow:
    """What a model said about an item; confidence is from 0 to 1, None where it gave none."""

    model: str
    version: str
    payload: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as it is stored. payload, gold: JSON text; sent_sha256: over all that was sent,
    whatever its spacing and the order of its keys; authors: see `authors_of`."""

    line: int
    external_id: str
    payload: str
    gold: str | None
    prelabels: tuple[PrelabelRow, ...]
    payload_sha256: bytes
    sent_sha256: bytes
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """One fault of one line."""

    line: int
    external_id: str | None
    pointer: str
    message: str


class _Doubled(ValueError):
    pass


class _NoNumber(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Doubled(next(name for name in names if names.count(name) > 1))
    return found


def _refuse(constant: str) -> None:
    raise _NoNumber(constant)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse)


def read_row(line: Line, checks: Checks) -> ItemRow | list[Rejected]:
    """The item of a line, or all that is wrong with it; never raises, whatever the bytes."""
    if isinstance(line.content, Fault):
        return _rejected(line, None, [line.content])
    try:
        members = _members(line.content.decode())
    except UnicodeDecodeError as fault:
        advice = f"Byte {fault.start + 1} of this line is not UTF-8. Save the file as UTF-8."
        return _rejected(line, None, [Fault("", advice)])
    except json.JSONDecodeError as fault:
        advice = f"This is not one JSON object: {fault.msg} at character {fault.pos + 1}."
        return _rejected(line, None, [Fault("", advice)])
    except _Doubled as fault:
        advice = f"The name “{_plain(str(fault))}” stands twice in one object. Keep one."
        return _rejected(line, None, [Fault("", advice)])
    except _NoNumber as fault:
        return _rejected(line, None, [Fault("", f"{fault} is not JSON. Use null or leave it out.")])
    except RecursionError:
        return _rejected(line, None, [Fault("", "This is nested far too deep.")])
    except ValueError:
        # The parser's own limit on the digits of a whole number.
        return _rejected(line, None, [Fault("", "A number has too many digits. Send it as text.")])
    return _item(line, members, checks)


def sent_as(line: Line) -> tuple[str, bytes] | None:
    """The id of a line's item and SHA-256 of all that was sent, as `ItemRow` has them.

    Of lines that can be told quickly; None for the others, whatever is wrong with them. A name
    that stands twice counts by its last value, so what is stored already is what counts.
    """
    try:
        row = None if isinstance(line.content, Fault) else orjson.loads(line.content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(row, dict) or not row.keys() <= _KNOWN:
        return None
    external_id = row.get("external_id")
    named = str(external_id) if type(external_id) is int else external_id
    if not isinstance(named, str) or len(named) > EXTERNAL_ID_MAX or _CONTROL.search(named):
        return None
    try:
        return named, _sent_sha256(row.get("payload"), row.get("gold"), row.get("prelabels"))
    except orjson.JSONEncodeError:  # It is nested too deep.
        return None


def _sent_sha256(payload: Any, gold: Any, prelabels: Any) -> bytes:
    sent = [payload, gold, prelabels or None]
    return hashlib.sha256(orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)).digest()


def _members(text: str) -> dict[str, tuple[Any, str]]:
    """Each member of the outermost object: its value and its text."""
    found: dict[str, tuple[Any, str]] = {}
    at = _expect(text, 0, "{")
    if text[at : at + 1] == "}":
        return _ended(text, at + 1, found)
    while True:
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError("a name in double quotes is expected", text, at)
        name, at = _decoder.raw_decode(text, at)
        start = _expect(text, at, ":")
        value, end = _decoder.raw_decode(text, start)
        if name in found:
            raise _Doubled(name)
        found[name] = value, text[start:end]
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            return _ended(text, at + 1, found)
        at = _expect(text, at, ",")


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"“{mark}” is expected", text, at)
    return _skip(text, at + 1)


def _ended(text: str, at: int, found: dict[str, tuple[Any, str]]) -> dict[str, tuple[Any, str]]:
    if _skip(text, at) != len(text):
        raise json.JSONDecodeError("more follows after the object", text, _skip(text, at))
    return found


def _item(
    line: Line, members: dict[str, tuple[Any, str]], checks: Checks
) -> ItemRow | list[Rejected]:
    external_id, faults = _external_id(members)
    faults += [
        Fault(f"/{_plain(name)}", f"The known fields are {', '.join(KNOWN)}.")
        for name in members
        if name not in KNOWN
    ]
    payload, payload_text = members.get("payload", (None, ""))
    if "payload" not in members:
        faults.append(Fault("/payload", '"payload" is missing. Add it.'))
        return _rejected(line, external_id, faults)
    wrong = checks.payload(payload)
    faults += _under("/payload", wrong)
    gold, gold_text = members.get("gold", (None, ""))
    prelabels, _ = members.get("prelabels", (None, ""))
    if not wrong:
        if gold is not None:
            faults += _under("/gold", checks.gold(payload, gold))
        faults += _prelabel_faults(payload, prelabels, checks)
    if faults or external_id is None:
        return _rejected(line, external_id, faults)
    return ItemRow(
        line=line.number,
        external_id=external_id,
        payload=payload_text,
        gold=None if gold is None else gold_text,
        prelabels=tuple(_prelabel(each) for each in prelabels or ()),
        payload_sha256=hashlib.sha256(payload_text.encode()).digest(),
        sent_sha256=_sent_sha256(payload, gold, prelabels),
        authors=authors_of(payload),
    )


def authors_of(payload: Any) -> tuple[str, ...]:
    """The lab's pseudonyms of specialists who wrote something of an item: `metadata.authors`.

    What is no text there is the lab's own matter, and names nobody.
    """
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    named = metadata.get("authors") if isinstance(metadata, dict) else None
    listed = named[:AUTHORS_MAX] if isinstance(named, list) else []
    return tuple(dict.fromkeys(each.strip() for each in listed if isinstance(each, str)))


def _external_id(members: dict[str, tuple[Any, str]]) -> tuple[str | None, list[Fault]]:
    """The id, and what is wrong with it; a whole number is taken as its text."""
    value, text = members.get("external_id", (None, ""))
    if type(value) is int:
        value = text
    if not isinstance(value, str) or not value.strip():
        advice = "Give every item an id of yours, as text; it makes sending twice harmless."
        return None, [Fault("/external_id", advice)]
    if len(value) > EXTERNAL_ID_MAX or _CONTROL.search(value):
        advice = f"Use at most {EXTERNAL_ID_MAX} characters and no control characters."
        return None, [Fault("/external_id", advice)]
    return value, []


def _prelabel_faults(payload: Json, prelabels: object, checks: Checks) -> list[Fault]:
    if prelabels is None:
        return []
    if not isinstance(prelabels, list) or len(prelabels) > PRELABELS_MAX:
        return [Fault("/prelabels", f"Give a list of at most {PRELABELS_MAX} pre-labels.")]
    faults: list[Fault] = []
    authors: set[tuple[object, object]] = set()
    for number, each in enumerate(prelabels):
        place = f"/prelabels/{number}"
        if not isinstance(each, dict):
            faults.append(Fault(place, "Give an object with model, version, payload, confidence."))
            continue
        own = _author_faults(each) or _under("/payload", checks.judgement(payload, each["payload"]))
        author = (str(each.get("model")), str(each.get("version")))
        if author in authors:
            own.append(Fault("/model", "This model and version stand twice. Keep one."))
        authors.add(author)
        faults += _under(place, own)
    return faults


def _author_faults(prelabel: Json) -> list[Fault]:
    faults = [
        Fault(f"/{_plain(name)}", "The known fields are model, version, payload, confidence.")
        for name in prelabel
        if name not in {"model", "version", "payload", "confidence"}
    ]
    for name, least in (("model", 1), ("version", 0)):
        value = prelabel.get(name, "")
        ordinary = isinstance(value, str) and not _CONTROL.search(value)
        if not ordinary or not least <= len(value) <= NAME_MAX:
            faults.append(Fault(f"/{name}", f"Write a name of {least} to {NAME_MAX} characters."))
    confidence = prelabel.get("confidence")
    known = type(confidence) in {int, float} and 0 <= confidence <= 1  # type: ignore[operator]
    if confidence is not None and not known:
        faults.append(Fault("/confidence", "Give a number from 0 to 1, or leave it out."))
    if not isinstance(prelabel.get("payload"), dict):
        faults.append(Fault("/payload", "Give the model's judgement as an object."))
    return faults


def _prelabel(each: Json) -> PrelabelRow:
    confidence = each.get("confidence")
    return PrelabelRow(
        model=each["model"],
        version=each.get("version", ""),
        payload=orjson.dumps(each["payload"]).decode(),
        confidence=None if confidence is None else float(confidence),
    )


def _under(prefix: str, faults: list[Fault]) -> list[Fault]:
    return [Fault(prefix + fault.pointer, fault.message) for fault in faults]


def _rejected(line: Line, external_id: str | None, faults: list[Fault]) -> list[Rejected]:
    return [
        Rejected(line.number, external_id, _plain(fault.pointer), _plain(fault.message))
        for fault in faults
    ]


def _plain(text: str) -> str:
    """At most 300 characters that any database and any page can hold."""
    return _CONTROL.sub("�", text)[:300]
