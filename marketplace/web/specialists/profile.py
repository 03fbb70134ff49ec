"""A specialist's profile on one page: what they do, where, in which languages, and when."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT
from marketplace.specialists import queries, service
from marketplace.web import forms
from marketplace.web.forms import form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists import places, profile_forms
from marketplace.web.specialists.blueprint import specialists


def profile_facts(session: Session) -> dict[str, Any]:
    """What the fields of a profile show and offer, on its page and in onboarding."""
    found = queries.profile_of(session, me(), me().person())
    known = queries.catalogue(session)
    typed = forms.typed() if request.method == "POST" else {}
    zones = sorted(zone for zone in clock.zones() if "/" in zone or zone == "UTC")
    return {
        "values": profile_forms.shown_values(profile_forms.as_typed(found), typed),
        "is_new": found is None,
        "professions": known.offered_professions().values(),
        "zones": [(zone, zone.replace("_", " ")) for zone in zones],
        "languages": places.language_choices(),
        "countries": [("", "Not said"), *places.countries()],
        "currencies": [(code, code) for code in sorted(EXPONENT)],
    }


def _facts() -> dict[str, Any]:
    with transaction() as session:
        return profile_facts(session)


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
    asked = profile_forms.read(load(profile_forms.ProfileForm))
    with transaction() as session:
        service.save_profile(session, me(), **asked)
    flash("Your profile is saved.", "good")
    return redirect(url_for("specialists.home"), code=303)
