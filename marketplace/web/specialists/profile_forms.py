"""What specialists type about themselves, read into a profile's fields and written back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from marshmallow import fields

from marketplace.errors import Fault, Faulty
from marketplace.specialists.models import SpecialistProfile
from marketplace.specialists.rules import ProfileFields
from marketplace.web.filters import reader_zone
from marketplace.web.forms import Form
from marketplace.web.specialists import places

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?")
_HOURS = re.compile(r"[0-9]{1,2}([.,][0-9]{1,2})?")


class ProfessionForm(Form):
    """What one does."""

    headline = fields.String(load_default="")
    professions = fields.List(fields.String(), load_default=list)
    specialties = fields.List(fields.String(), load_default=list)


class HoursForm(Form):
    """In which languages, where and when one works: names with commas, times of day, hours."""

    languages = fields.List(fields.String(), load_default=list)
    other_languages = fields.String(load_default="")
    jurisdictions = fields.String(load_default="")
    works_from = fields.String(load_default="")
    works_until = fields.String(load_default="")
    daily_hours_max = fields.String(load_default="")


class PapersForm(Form):
    """Who one is on paper, and for whom one works: an employer a line."""

    legal_name = fields.String(load_default="")
    born_on = fields.String(load_default="")
    employers = fields.String(load_default="")


class ProfileForm(ProfessionForm, HoursForm, PapersForm):
    """All of it on one page."""

    time_zone = fields.String(required=True)
    country = fields.String(load_default="")
    payout_currency = fields.String(required=True)


def read(typed: Mapping[str, Any]) -> ProfileFields:
    """The profile's own fields from those that were typed; Faulty with every time that is none."""
    faults: list[Fault] = []
    found = dict(typed)
    if "languages" in found:
        found["languages"] = _languages(found, faults)
    if "jurisdictions" in found:
        found["jurisdictions"] = places.place_codes(typed["jurisdictions"])
    for name in ("works_from", "works_until"):
        if name in found:
            found[name] = _minutes(name, typed[name].strip(), faults)
    if "daily_hours_max" in found:
        found["daily_minutes_max"] = _hours(found.pop("daily_hours_max").strip(), faults)
    if "employers" in found:
        found["employers"] = typed["employers"].splitlines()
    if "country" in found:
        found["country"] = typed["country"].strip() or None
    if faults:
        raise Faulty("Some fields cannot be used.", faults)
    return cast("ProfileFields", found)


def _languages(found: dict[str, Any], faults: list[Fault]) -> list[str]:
    """The languages ticked and those written, as tags."""
    written = places.language_tags(found.pop("other_languages"))
    tags = [*found["languages"], *written]
    if not tags:
        advice = "Tick at least one: jobs come in languages."
        faults.append(Fault("/languages", advice))
    return tags


def _minutes(name: str, text: str, faults: list[Fault]) -> int | None:
    """Minutes of the day from a time of day."""
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        faults.append(Fault(f"/{name}", "Write a time of day such as 18:30, or nothing."))
        return None
    return int(found[1]) * 60 + int(found[2])


def _hours(text: str, faults: list[Fault]) -> int | None:
    """Minutes from hours such as `2.5`."""
    if not text:
        return None
    if not _HOURS.fullmatch(text) or float(text.replace(",", ".")) > 24:
        faults.append(Fault("/daily_hours_max", "Write hours from 0 to 24 such as 2.5."))
        return None
    return round(float(text.replace(",", ".")) * 60)


def as_typed(profile: SpecialistProfile | None) -> dict[str, Any]:
    """A stored profile as the forms show it; for a newcomer what is likely."""
    if profile is None:
        return {"languages": ["en"], "time_zone": reader_zone(), "payout_currency": "USD"}
    most = profile.daily_minutes_max
    usual = set(places.USUAL_LANGUAGES)
    return {
        "headline": profile.headline,
        "professions": profile.professions,
        "specialties": profile.specialties,
        "languages": [tag for tag in profile.languages if tag in usual],
        "other_languages": places.language_names(
            tag for tag in profile.languages if tag not in usual
        ),
        "jurisdictions": places.place_names(profile.jurisdictions),
        "time_zone": profile.time_zone,
        "works_from": clock_face(profile.works_from),
        "works_until": clock_face(profile.works_until),
        "daily_hours_max": "" if most is None else f"{most / 60:g}",
        "country": profile.country or "",
        "payout_currency": profile.payout_currency,
        "legal_name": profile.legal_name or "",
        "born_on": profile.born_on or "",
        "employers": "\n".join(profile.employers),
    }


def clock_face(minutes: int | None) -> str:
    """`18:30` from minutes of the day; nothing for None."""
    return "" if minutes is None else f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def shown_values(saved: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields show: what was just typed, else what is saved; ticks always as lists."""
    found = dict(typed or saved)
    for name in ("professions", "specialties", "languages"):
        ticked = found.get(name, [])
        found[name] = [ticked] if isinstance(ticked, str) else ticked
    return found
