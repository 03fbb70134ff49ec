"""A job as one document: the body of `POST /jobs`, as a file holds it in YAML or JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.fields import JobFields, cleaned
from marketplace.money import Money
from marketplace.tasktypes import TASK_TYPES, Json

# Where each field of a job stands in the document, in the order in which a file tells them.
PLACES: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "domain": ("domain",),
    "purpose": ("purpose",),
    "instructions_md": ("instructions_md",),
    "template": ("template",),
    "profession": ("requirements", "profession"),
    "specialties": ("requirements", "specialties"),
    "credential_level_min": ("requirements", "credential_level_min"),
    "jurisdictions": ("requirements", "jurisdictions"),
    "languages": ("requirements", "languages"),
    "skill_min": ("requirements", "skill_min"),
    "qualification_ids": ("requirements", "qualifications"),
    "overlap_min": ("overlap", "min"),
    "overlap_max": ("overlap", "max"),
    "confidence_target": ("overlap", "confidence_target"),
    "pay_per": ("pay", "per"),
    "expected_seconds": ("expected_seconds",),
    "time_cap_seconds": ("time_cap_seconds",),
    "lease_seconds": ("lease_seconds",),
    "review_sample_ratio": ("review", "sample_ratio"),
    "ai_policy": ("ai_policy",),
    "deadline_at": ("deadline_at",),
    "distinct_by": ("conflicts", "distinct_by"),
    "claims_live_max": ("limits", "claims_live_max"),
    "tasks_a_person_max": ("limits", "tasks_a_person_max"),
    "late_pay": ("late_pay",),
    "cannot_complete_ratio": ("cannot_complete_ratio",),
    "contingency_ratio": ("contingency_ratio",),
    "repeat_ratio": ("repeat_ratio",),
}
PAY = frozenset({"amount_minor", "currency", "per"})
GROUPS = frozenset(place[0] for place in PLACES.values() if len(place) == 2)


def document_of(task_type: str, fields: Mapping[str, Any]) -> Json:
    """The document of a job's fields; the pay under `pay`, as everywhere else."""
    found: Json = {"title": fields["title"], "task_type": task_type}
    for name, place in PLACES.items():
        value = _plain(fields[name])
        if len(place) == 1:
            found[place[0]] = value
        else:
            found.setdefault(place[0], _money(fields["pay"]) if place[0] == "pay" else {})
            found[place[0]][place[1]] = value
    return found


def _money(pay: Money) -> Json:
    return {"amount_minor": pay.minor, "currency": pay.currency}


def _plain(value: Any) -> Any:
    """A value as JSON has it; shares have three decimals, so that a float tells them exactly."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [each if isinstance(each, str) else str(each) for each in value]
    return str(value) if isinstance(value, str) else value


def fields_of(document: object) -> tuple[str, JobFields]:
    """The task type and the fields that a document says, tidied; the rest has defaults.

    Raises Faulty with pointers into the document for all that cannot be used.
    """
    if not isinstance(document, dict):
        raise Faulty("This is no job.", [Fault("", "Write an object: names with values.")])
    faults = _unknown(document)
    kind = document.get("task_type")
    if kind not in TASK_TYPES:
        faults.append(Fault("/task_type", f"Choose one of {', '.join(sorted(TASK_TYPES))}."))
    if "title" not in document:
        faults.append(Fault("/title", "Write a title."))
    given = {
        name: _TYPED.get(name, _same)(value)
        for name, place in PLACES.items()
        if (value := _at(document, place)) is not _ABSENT
    }
    pay, wrong = _read_pay(document)
    given |= {"pay": pay} if pay is not None else {}
    try:
        found = cleaned(given)
    except Faulty as faulty:
        wrong = [*faulty.faults, *wrong]
    if faults or wrong:
        raise Faulty("Some of this cannot be used.", [*faults, *wrong])
    return str(kind), _as_fields(found)


def _as_fields(found: dict[str, Any]) -> JobFields:
    fields: JobFields = found  # type: ignore[assignment]  # `cleaned` gives the fields' own types.
    return fields


_ABSENT = object()


def _at(document: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    outer = document.get(place[0], _ABSENT)
    if len(place) == 1 or outer is _ABSENT:
        return outer
    return outer.get(place[1], _ABSENT) if isinstance(outer, dict) else _ABSENT


def _unknown(document: Json) -> list[Fault]:
    known = {place[0] for place in PLACES.values()} | {"task_type"}
    faults = [
        Fault(f"/{name}", "This is no field of a job. Remove it.")
        for name in document
        if name not in known
    ]
    for group in sorted(GROUPS & document.keys()):
        inner = {place[1] for place in PLACES.values() if len(place) == 2 and place[0] == group}
        inner |= PAY if group == "pay" else set()
        value = document[group]
        if not isinstance(value, dict):
            faults.append(Fault(f"/{group}", "This must be an object."))
            continue
        faults += [
            Fault(f"/{group}/{name}", "This is no field here. Remove it.")
            for name in value
            if name not in inner
        ]
    return faults


def _read_pay(document: Json) -> tuple[Money | None, list[Fault]]:
    pay = document.get("pay")
    if not isinstance(pay, dict):
        return None, []
    minor, currency = pay.get("amount_minor"), pay.get("currency")
    if type(minor) is not int:
        return None, [Fault("/pay/amount_minor", "Give a whole number of minor units.")]
    try:
        return Money(minor, str(currency)), []
    except ValueError:
        return None, [Fault("/pay/currency", "Use a currency of ISO 4217, such as USD.")]


def _same(value: Any) -> Any:
    return value


def _moment(value: Any) -> Any:
    """YAML reads times by itself, JSON leaves them as text; what is neither stays and is told."""
    if isinstance(value, date) or not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


_TYPED: Mapping[str, Callable[[Any], Any]] = {"deadline_at": _moment}
