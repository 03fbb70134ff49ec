"""What specialists say about themselves: how it is tidied, and what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict

from marketplace import clock
from marketplace.errors import Fault, Faulty
from marketplace.money import EXPONENT
from marketplace.specialists.rules.catalogue import Profession

HEADLINE_MAX = 200
LEGAL_NAME_MAX = 120
EMPLOYER_MAX = 120
EMPLOYERS_MAX = 20
AGE_MIN = 18
AGE_MAX = 110
# Beside letters and their marks: what names on papers are written with.
NAME_SIGNS = frozenset(" .,'\u2019\u02bc-\u2010\u00b7")
LIST_MAX = 50
MINUTES_OF_DAY = 24 * 60
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class ProfileFields(TypedDict, total=False):
    """A profile. works_from, works_until: minutes of the local day; until may be before from.

    legal_name, born_on (ISO date): as on the person's papers; employers: organisations by name.
    """

    headline: str
    professions: list[str]
    specialties: list[str]
    languages: list[str]
    jurisdictions: list[str]
    time_zone: str
    works_from: int | None
    works_until: int | None
    daily_minutes_max: int | None
    country: str | None
    payout_currency: str
    legal_name: str | None
    born_on: str | None
    employers: list[str]


def cleaned_profile(
    fields: Mapping[str, Any], *, professions: Mapping[str, Profession], today: date
) -> dict[str, Any]:
    """The fields, tidied; Faulty with every fault of all of them, by pointer."""
    found = _tidied(fields)
    faults = [
        Fault(f"/{name}", advice)
        for name, value in found.items()
        if (advice := _fault(name, value) or _fault_of_person(name, value, professions, today))
    ]
    if faults:
        raise Faulty("Some fields cannot be used.", faults)
    return found


def within_hours(works_from: int, works_until: int, minute: int) -> bool:
    """Whether a minute of the local day lies in somebody's hours, which may pass midnight.

    From and until the same minute is the whole day.
    """
    if works_from < works_until:
        return works_from <= minute < works_until
    return minute >= works_from or minute < works_until


def _tidied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without blanks that nobody meant, and without repeats."""
    found = dict(fields)
    if "headline" in found:
        found["headline"] = " ".join(str(found["headline"]).split())
    for name in ("professions", "specialties", "languages", "jurisdictions", "employers"):
        if name in found:
            tidy = (" ".join(str(each).split()) for each in found[name])
            found[name] = list(dict.fromkeys(each for each in tidy if each))
    if found.get("legal_name") is not None:
        written = unicodedata.normalize("NFC", str(found["legal_name"]))
        found["legal_name"] = " ".join(written.split()) or None
    if "born_on" in found:
        found["born_on"] = (found["born_on"] or "").strip() or None
    return found


def _fault_of_person(
    name: str, value: Any, professions: Mapping[str, Profession], today: date
) -> str | None:
    """What is wrong with a field that says who somebody is."""
    match name:
        case "professions":
            known = all(each in professions for each in value)
            return None if known else f"Choose from {', '.join(professions)}."
        case "specialties":
            there = {each for one in professions.values() for each in one.specialties}
            return None if there.issuperset(value) else "Choose specialties from the list."
        case "legal_name":
            return None if value is None else _fault_of_name(value)
        case "born_on":
            return None if value is None else _fault_of_birth(value, today)
        case "employers":
            fits = len(value) <= EMPLOYERS_MAX and all(
                len(each) <= EMPLOYER_MAX and not _CONTROL.search(each) for each in value
            )
            return None if fits else f"Name at most {EMPLOYERS_MAX}, each on a line of its own."
    return None


def _fault_of_name(name: str) -> str | None:
    letters = sum(unicodedata.category(each).startswith("L") for each in name)
    ordinary = all(each in NAME_SIGNS or unicodedata.category(each)[0] in "LM" for each in name)
    if ordinary and letters >= 2 and len(name) <= LEGAL_NAME_MAX:
        return None
    return f"Write it in letters as on your papers, without titles; at most {LEGAL_NAME_MAX}."


def _fault_of_birth(born_on: str, today: date) -> str | None:
    try:
        born = date.fromisoformat(born_on)
    except ValueError:
        return "Write the day as 1984-03-21."
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age > AGE_MAX or born > today:
        return "Look at the year once more."
    return None if age >= AGE_MIN else f"People who work here are at least {AGE_MIN} years old."


def _fault(name: str, value: Any) -> str | None:
    match name:
        case "headline":
            ordinary = len(value) <= HEADLINE_MAX and not _CONTROL.search(value)
            return None if ordinary else f"Write at most {HEADLINE_MAX} ordinary characters."
        case "languages":
            return _listed(value, _LANGUAGE, "Use language tags such as en or pt-BR.")
        case "jurisdictions":
            return _listed(value, _JURISDICTION, "Use codes of ISO 3166 such as GB or US-CA.")
        case "time_zone":
            known = value in clock.zones()
            return None if known else "Choose a zone such as Europe/Berlin."
        case "country":
            country = value is None or re.fullmatch(r"[A-Z]{2}", value) is not None
            return None if country else "Use a code of two letters such as DE."
        case "payout_currency":
            return None if value in EXPONENT else "Use a currency such as USD or EUR."
        case "works_from" | "works_until" | "daily_minutes_max":
            fits = value is None or (type(value) is int and 0 <= value <= MINUTES_OF_DAY)
            return None if fits else "Give minutes of a day, or nothing."
    return None if name in ProfileFields.__annotations__ else "This is not a field of a profile."


def _listed(values: list[str], pattern: re.Pattern[str], advice: str) -> str | None:
    fits = len(values) <= LIST_MAX and all(pattern.fullmatch(each) for each in values)
    return None if fits else advice
