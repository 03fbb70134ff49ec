"""What a scan found in items: counts by kind and field, and the first places, masked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from marketplace.jobs.rules.scan.kinds import Personal, masked, told_by_field
from marketplace.jobs.rules.scan.patterns import found_in

PLACES_MAX = 5
FIELDS_MAX = 300
FIELD_MAX = 200
DEPTH_MAX = 40
OTHER_FIELDS = "/…"


class Declaration(StrEnum):
    """What a lab says of what was found."""

    NONE = "none"
    DEIDENTIFIED = "deidentified"
    PERMITTED = "permitted"


DECLARATION_LABELS = {
    Declaration.NONE: "Nothing of this is about a real person: false alarms, or invented",
    Declaration.DEIDENTIFIED: "It was de-identified: what is left leads to no person",
    Declaration.PERMITTED: "It is about people, and we may have it judged by specialists here",
}


@dataclass(slots=True)
class Finding:
    """Likely details of one kind in one field. places: `{external_id, position, shown}` each."""

    found: int = 0
    items: int = 0
    places: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What was found so far. items: how many hold anything; findings: by kind and field."""

    items: int = 0
    findings: dict[tuple[Personal, str], Finding] = field(default_factory=dict)

    def look(self, external_id: str, position: int, parts: Any) -> None:
        """Look through an item. parts: `{"payload": …, "gold": …, "prelabels": […]}`."""
        seen: set[tuple[Personal, str]] = set()
        for kind, place, value in details_of(parts):
            key = (kind, kept_field(self.findings, kind, place))
            finding = self.findings.setdefault(key, Finding())
            finding.found += 1
            if key in seen:
                continue
            seen.add(key)
            finding.items += 1
            if len(finding.places) < PLACES_MAX:
                shown = {"external_id": external_id, "position": position, "shown": masked(value)}
                finding.places.append(shown)
        self.items += bool(seen)


def kept_field(known: Collection[tuple[Personal, str]], kind: Personal, place: str) -> str:
    """The place, unless there are more of them than any report could show."""
    fits = (kind, place) in known or len(known) < FIELDS_MAX
    return place if fits else OTHER_FIELDS


def details_of(parts: Any) -> Iterator[tuple[Personal, str, str]]:
    """(kind, field, value) of every likely detail; a field is a pointer with `*` for any row."""
    waiting: list[tuple[Any, str, str, int]] = [(parts, "", "", 0)]
    while waiting:
        value, place, name, depth = waiting.pop()
        if isinstance(value, str):
            yield from _in_text(value, place, name)
        elif isinstance(value, dict) and depth < DEPTH_MAX:
            inner = [(each, f"{place}/{key}", key, depth + 1) for key, each in value.items()]
            waiting += reversed(inner)
        elif isinstance(value, list) and depth < DEPTH_MAX:
            waiting += [(each, f"{place}/*", name, depth + 1) for each in reversed(value)]


def _in_text(value: str, place: str, name: str) -> Iterator[tuple[Personal, str, str]]:
    place = place[:FIELD_MAX]
    told = told_by_field(name, value)
    if told is not None:
        yield told, place, value
    for each in found_in(value):
        if each.kind is not told:
            yield each.kind, place, value[each.start : each.end]
