"""A provider as NPPES lists one, read strictly: what has another shape than known is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marketplace.specialists.rules.checks import compact_form
from marketplace.specialists.rules.names import name_score

ACTIVE = "A"


class ShapeChanged(Exception):
    """The answer is not of the shape that this code was written for."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the register. names: the present one and former ones; licences: (state, number);
    codes: NUCC taxonomy codes, the primary one first; last_updated: an ISO date or None."""

    number: str
    is_organisation: bool
    is_active: bool
    names: tuple[str, ...]
    codes: tuple[str, ...]
    licences: tuple[tuple[str, str], ...]
    last_updated: str | None

    def name_score(self, name: str) -> float:
        """How alike a name is to the most alike of this provider's, 0 to 1."""
        return round(max((name_score(name, each) for each in self.names), default=0.0), 3)

    def name_like(self, name: str) -> str:
        """Of this provider's names, the one most like a name; "" where there is none."""
        return max(self.names, key=lambda each: name_score(name, each), default="")

    def holds(self, state: str, number: str) -> bool:
        """Whether this licence number is listed in this state. number: in compact form."""
        return (state, number) in self.licences

    def observed(self) -> dict[str, Any]:
        """What may be kept: nothing that names the person."""
        return {
            "active": self.is_active,
            "taxonomy": list(self.codes),
            "jurisdictions": sorted({f"US-{state}" for state, _ in self.licences if state}),
        }


def read_providers(body: Any) -> tuple[Provider, ...]:
    """The providers of an answer's JSON; ShapeChanged where the count and the rows disagree."""
    if not isinstance(body, dict):
        raise ShapeChanged
    count, rows = _number(body.get("result_count")), body.get("results", [])
    if not isinstance(rows, list) or not count.isdigit():
        raise ShapeChanged
    if int(count) != len(rows) or not all(isinstance(row, dict) for row in rows):
        raise ShapeChanged
    return tuple(_provider(row) for row in rows)


def _provider(row: dict[str, Any]) -> Provider:
    simple = _mapping(row.get("basic"))
    kind = row.get("enumeration_type")
    if kind not in {"NPI-1", "NPI-2"}:
        raise ShapeChanged
    taxonomies = sorted(_mappings(row.get("taxonomies", [])), key=lambda each: not _primary(each))
    others = _mappings(row.get("other_names", []))
    return Provider(
        number=_number(row.get("number")),
        is_organisation=kind == "NPI-2",
        is_active=_is_active(simple),
        names=tuple(name for each in (simple, *others) if (name := _name(each))),
        codes=tuple(dict.fromkeys(_text(each.get("code")) for each in taxonomies)),
        licences=tuple(
            (_text(each.get("state")), compact_form(_text(each.get("license"))))
            for each in taxonomies
            if each.get("license")
        ),
        last_updated=_text(simple.get("last_updated"))[:10] or None,
    )


def _is_active(simple: dict[str, Any]) -> bool:
    status = simple.get("status")
    if not isinstance(status, str):
        raise ShapeChanged
    gone = _text(simple.get("deactivation_date"))
    back = _text(simple.get("reactivation_date"))
    return status == ACTIVE and (not gone or bool(back))


def _primary(taxonomy: dict[str, Any]) -> bool:
    return taxonomy.get("primary") is True


def _name(row: dict[str, Any]) -> str:
    parts = (_text(row.get(key)) for key in ("first_name", "middle_name", "last_name"))
    # An empty field is written as two hyphens in some rows.
    return " ".join(part for part in parts if part and part != "--")


def _number(value: Any) -> str:
    """Numbers came as numbers in older answers and come as text today; both are read."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ShapeChanged
    return str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ShapeChanged
    return value.strip()


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ShapeChanged
    return value


def _mappings(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ShapeChanged
    return [_mapping(each) for each in value]
