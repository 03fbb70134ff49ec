"""What specialists say about themselves: how it is tidied, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict
from zoneinfo import available_timezones

from marketplace.errors import Fault, Faulty
from marketplace.money import EXPONENT
from marketplace.specialists.rules.catalogue import PROFESSIONS

HEADLINE_MAX = 200
LIST_MAX = 50
MINUTES_OF_DAY = 24 * 60
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class ProfileFields(TypedDict, total=False):
    """A profile. works_from, works_until: minutes of the local day; until may be before from."""

    headline: str
    professions: list[str]
    languages: list[str]
    jurisdictions: list[str]
    time_zone: str
    works_from: int | None
    works_until: int | None
    daily_minutes_max: int | None
    country: str | None
    payout_currency: str


def cleaned_profile(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, tidied; Faulty with every fault of all of them, by pointer."""
    found = dict(fields)
    faults = []
    if "headline" in found:
        found["headline"] = " ".join(str(found["headline"]).split())
    for name in ("professions", "languages", "jurisdictions"):
        if name in found:
            found[name] = list(dict.fromkeys(str(each).strip() for each in found[name]))
    for name, value in found.items():
        advice = _fault(name, value)
        if advice:
            faults.append(Fault(f"/{name}", advice))
    if faults:
        raise Faulty("Some fields cannot be used.", faults)
    return found


def _fault(name: str, value: Any) -> str | None:
    match name:
        case "headline":
            ordinary = len(value) <= HEADLINE_MAX and not _CONTROL.search(value)
            return None if ordinary else f"Write at most {HEADLINE_MAX} ordinary characters."
        case "professions":
            known = all(each in PROFESSIONS for each in value)
            return None if known else f"Choose from {', '.join(PROFESSIONS)}."
        case "languages":
            return _listed(value, _LANGUAGE, "Use language tags such as en or pt-BR.")
        case "jurisdictions":
            return _listed(value, _JURISDICTION, "Use codes of ISO 3166 such as GB or US-CA.")
        case "time_zone":
            known = value in available_timezones()
            return None if known else "Choose a zone such as Europe/Berlin."
        case "country":
            country = value is None or re.fullmatch(r"[A-Z]{2}", value) is not None
            return None if country else "Use a code of two letters such as DE."
        case "payout_currency":
            return None if value in EXPONENT else "Use a currency such as USD or EUR."
        case "works_from" | "works_until" | "daily_minutes_max":
            fits = value is None or (type(value) is int and 0 <= value <= MINUTES_OF_DAY)
            return None if fits else "Give minutes of a day, or nothing."
    return "This is not a field of a profile."


def _listed(values: list[str], pattern: re.Pattern[str], advice: str) -> str | None:
    fits = len(values) <= LIST_MAX and all(pattern.fullmatch(each) for each in values)
    return None if fits else advice
