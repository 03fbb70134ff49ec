"""Onboarding: one short page a step, each saved on its own; who comes back goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, render_template, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Faulty, Missing
from marketplace.identity import queries as people
from marketplace.identity import service as identity
from marketplace.identity.rules import Permission
from marketplace.routing import queries as routing
from marketplace.specialists import service
from marketplace.specialists.rules.onboarding import (
    STEPS,
    Step,
    following,
    may_skip,
    preceding,
)
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs
from marketplace.web.specialists import advice, claiming, credential_words, profile_forms
from marketplace.web.specialists.blueprint import page_there, specialists
from marketplace.web.specialists.earnings import facts as earnings_facts
from marketplace.web.specialists.profile import profile_facts
from marketplace.web.specialists.standing import WORDS, Standing, standing_of


class YouForm(Form):
    """A name and a zone."""

    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    country = fields.String(load_default="")


@specialists.get("/start")
@needs(Permission.CREDENTIALS_CLAIM)
def start() -> str | Response:
    """Go on at the first step that is open; at the end, what was put off."""
    with transaction() as session:
        standing = standing_of(session)
    if standing.open_step is not None:
        return redirect(url_for("specialists.start_step", step=standing.open_step), code=303)
    return render_template("specialists/start/finished.html", standing=standing, words=WORDS)


@specialists.get("/start/<step>")
@needs(Permission.CREDENTIALS_CLAIM)
def start_step(step: str) -> str:
    """One step."""
    at = _step(step)
    return render_template(_template(at), **_facts(at))


@specialists.post("/start/<step>")
@needs(Permission.CREDENTIALS_CLAIM)
def save_step(step: str) -> Response:
    """Keep what the step asked for, and go on."""
    at = _step(step)
    if at not in SAVE:
        raise Missing("There is nothing to save on this page.")
    try:
        SAVE[at]()
    except Faulty as faulty:
        return refill(_template(at), faulty, **_facts(at))
    return _onward(at)


@specialists.post("/start/<step>/skip")
@needs(Permission.CREDENTIALS_CLAIM)
def skip_step(step: str) -> Response:
    """Put a step off, and go on."""
    at = _step(step)
    with transaction() as session:
        service.pass_step(session, me(), at, skipped=True)
    return _onward(at)


def _step(text: str) -> Step:
    try:
        return Step(text)
    except ValueError:
        raise Missing("There is no such step.") from None


def _template(step: Step) -> str:
    return f"specialists/start/{step}.html"


def _onward(step: Step) -> Response:
    """To the first open step behind this one, or to where the open ones are listed."""
    with transaction() as session:
        standing = standing_of(session)
    after = following(step)
    while after is not None and after in standing.done | standing.skipped:
        after = following(after)
    if after is None:
        return redirect(url_for("specialists.start"), code=303)
    return redirect(url_for("specialists.start_step", step=after), code=303)


def _facts(step: Step) -> dict[str, Any]:
    """What every step shows, and what this one does."""
    with transaction() as session:
        standing = standing_of(session)
        own = ASKED[step](session, standing) if step in ASKED else {}
    if step is Step.PAID:
        own = earnings_facts()
        profile = standing.profile
        own["name"] = (profile.legal_name if profile else None) or own["name"]
    return own | {
        "step": step,
        "steps": STEPS,
        "number": STEPS.index(step) + 1,
        "words": WORDS,
        "standing": standing,
        "before": preceding(step),
        "after": following(step),
        "may_skip": may_skip(step) and step not in standing.done,
        "connections": page_there("specialists.connections"),
        "qualifications": page_there("specialists.qualifications"),
    }


def _asked_you(session: Session, _standing: Standing) -> dict[str, Any]:
    found = profile_facts(session)
    found["values"] = {"name": people.person_of(session, me()).name} | found["values"]
    return found


def _asked_profile(session: Session, _standing: Standing) -> dict[str, Any]:
    return profile_facts(session)


def _asked_credential(session: Session, standing: Standing) -> dict[str, Any]:
    rows = credential_words.credential_rows(session, standing.claims)
    return claiming.form_facts(session, standing.profile) | {"rows": rows}


def _asked_opening(step: Step) -> Callable[[Session, Standing], dict[str, Any]]:
    """For a step that leads elsewhere: what it would open."""

    def asked(session: Session, standing: Standing) -> dict[str, Any]:
        fitting = [entry.job for entry in routing.feed(session, me(), limit=routing.FEED_MAX)]
        closed = routing.other_jobs(session, me(), limit=routing.FEED_MAX)
        return {"opened": advice.openings(standing.profile, fitting, closed).get(step, "")}

    return asked


ASKED: Mapping[Step, Callable[[Session, Standing], dict[str, Any]]] = {
    Step.YOU: _asked_you,
    Step.PROFESSION: _asked_profile,
    Step.HOURS: _asked_profile,
    Step.PAPERS: _asked_profile,
    Step.CREDENTIAL: _asked_credential,
    Step.IDENTITY: _asked_opening(Step.IDENTITY),
    Step.QUALIFICATION: _asked_opening(Step.QUALIFICATION),
}


def _save_you() -> None:
    asked = load(YouForm)
    zone = asked["time_zone"]
    with transaction() as session:
        identity.change_profile(session, me(), name=asked["name"], timezone=zone)
        country = asked["country"].strip() or None
        service.save_profile(session, me(), time_zone=zone, country=country)


def _save_profession() -> None:
    asked = profile_forms.read(load(profile_forms.ProfessionForm))
    with transaction() as session:
        service.save_profile(session, me(), **asked)


def _save_hours() -> None:
    asked = profile_forms.read(load(profile_forms.HoursForm))
    with transaction() as session:
        service.save_profile(session, me(), **asked)


def _save_papers() -> None:
    asked = profile_forms.read(load(profile_forms.PapersForm))
    with transaction() as session:
        service.save_profile(session, me(), **asked)


def _save_credential() -> None:
    claim = claiming.claim_from_form()
    tone, words = claiming.claimed_words(claim)
    flash(words, tone)


# The other steps ask for nothing themselves: what they lead to saves it.
SAVE: Mapping[Step, Callable[[], None]] = {
    Step.YOU: _save_you,
    Step.PROFESSION: _save_profession,
    Step.HOURS: _save_hours,
    Step.PAPERS: _save_papers,
    Step.CREDENTIAL: _save_credential,
}
