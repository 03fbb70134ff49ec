"""A specialist's profile: what they do, where, in which languages, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from flask import flash, render_template, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT
from marketplace.specialists import queries, service
from marketplace.specialists.models import SpecialistProfile
from marketplace.specialists.rules import PROFESSIONS
from marketplace.web.filters import reader_zone
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists
from marketplace.web.specialists.earnings import countries

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?")
_HOURS = re.compile(r"[0-9]{1,2}([.,][0-9]{1,2})?")


class ProfileForm(Form):
    """The profile as it is typed: lists with commas, times of day, hours."""

    headline = fields.String(load_default="")
    professions = fields.List(fields.String(), load_default=list)
    languages = fields.String(load_default="")
    jurisdictions = fields.String(load_default="")
    time_zone = fields.String(required=True)
    works_from = fields.String(load_default="")
    works_until = fields.String(load_default="")
    daily_hours_max = fields.String(load_default="")
    country = fields.String(load_default="")
    payout_currency = fields.String(required=True)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        found = queries.profile_of(session, me(), me().person())
    zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    return {
        "saved": _as_typed(found),
        "is_new": found is None,
        "professions": PROFESSIONS.values(),
        "zones": [(zone, zone.replace("_", " ")) for zone in zones],
        "countries": [("", "Not said"), *countries()],
        "currencies": [(code, code) for code in sorted(EXPONENT)],
    }


def _as_typed(profile: SpecialistProfile | None) -> dict[str, Any]:
    """A stored profile as the form shows it."""
    if profile is None:
        return {"languages": "en", "time_zone": reader_zone(), "payout_currency": "USD"}
    most = profile.daily_minutes_max
    return {
        "headline": profile.headline,
        "professions": profile.professions,
        "languages": ", ".join(profile.languages),
        "jurisdictions": ", ".join(profile.jurisdictions),
        "time_zone": profile.time_zone,
        "works_from": _clock_face(profile.works_from),
        "works_until": _clock_face(profile.works_until),
        "daily_hours_max": "" if most is None else f"{most / 60:g}",
        "country": profile.country or "",
        "payout_currency": profile.payout_currency,
    }


def _clock_face(minutes: int | None) -> str:
    return "" if minutes is None else f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


@specialists.get("/profile")
@needs(Permission.CREDENTIALS_CLAIM)
def profile() -> str:
    """The profile, to read and to change."""
    return render_template("specialists/profile.html", **_facts())


@specialists.post("/profile")
@needs(Permission.CREDENTIALS_CLAIM)
@form_page("specialists/profile.html", _facts)
def save_profile() -> Response:
    """Keep the profile."""
    asked = read(load(ProfileForm))
    with transaction() as session:
        service.save_profile(session, me(), **asked)
    flash("Your profile is saved.", "good")
    return redirect(url_for("specialists.home"), code=303)


def read(typed: Mapping[str, Any]) -> Any:
    """The profile's own fields from what was typed; Faulty with every time that is none."""
    faults: list[Fault] = []
    found = dict(typed)
    for name in ("languages", "jurisdictions"):
        found[name] = [part.strip() for part in typed[name].split(",") if part.strip()]
    found["jurisdictions"] = [each.upper() for each in found["jurisdictions"]]
    for name in ("works_from", "works_until"):
        found[name] = _minutes(name, typed[name].strip(), faults)
    found["daily_minutes_max"] = _hours(found.pop("daily_hours_max").strip(), faults)
    found["country"] = typed["country"].strip() or None
    if faults:
        raise Faulty("Some fields cannot be used.", faults)
    return found


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
