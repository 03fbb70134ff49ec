"""The form to claim a credential: choose what one holds, then what that one asks for."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request
from marshmallow import fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim, SpecialistProfile
from marketplace.specialists.rules import Catalogue, CredentialState, check_identifier
from marketplace.specialists.rules.catalogue import CredentialType, clean_jurisdiction, format_of
from marketplace.web import forms
from marketplace.web.forms import Form, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists import credential_words, places
from marketplace.web.specialists.blueprint import specialists

WELL_FORMED = "This is well formed. Whether it is yours is looked up once you claim it."
NO_FORMAT = "We do not know how this register writes its numbers; a person will look."


class CredentialForm(Form):
    """A credential that a person says they hold."""

    type = fields.String(required=True, error_messages={"required": "Choose what you hold."})
    identifier = fields.String(required=True)
    jurisdiction = fields.String(load_default="")
    specialties = fields.List(fields.String(), load_default=list)
    valid_until = fields.String(load_default="")


class CheckForm(Form):
    """What is typed so far."""

    type = fields.String(load_default="")
    identifier = fields.String(load_default="")
    jurisdiction = fields.String(load_default="")


def form_facts(session: Session, profile: SpecialistProfile | None) -> dict[str, Any]:
    """What there is to choose from, or the form of what was chosen by `?type=`."""
    known = queries.catalogue(session)
    typed = forms.typed() if request.method == "POST" else {}
    asked = str(typed.get("type") or request.args.get("type", ""))
    kind = known.offered_types().get(asked)
    ticked = typed.get("specialties", profile.specialties if profile and not typed else [])
    ticked = [ticked] if isinstance(ticked, str) else ticked
    if kind is not None:
        offered = known.professions[kind.profession].specialties
        ticked = [key for key in ticked if key in offered or typed]
    return {
        "kind": kind,
        "picks": [] if kind else _picks(known, profile),
        "about": credential_words.about(kind) if kind else "",
        "formats": _formats(kind) if kind else [],
        "places": _places(kind) if kind else [],
        "headings": known.professions[kind.profession].headings if kind else {},
        "ticked": ticked,
        "chosen_words": ", ".join(map(known.specialty_title, ticked)),
    }


def _picks(
    known: Catalogue, profile: SpecialistProfile | None
) -> list[tuple[str, bool, list[tuple[CredentialType, str]]]]:
    """What may be claimed, by profession: (title, whether it is the person's own, types)."""
    own = set(profile.professions) if profile else set()
    offered = known.offered_professions().values()
    return [
        (each.title, each.key in own, [(kind, credential_words.in_short(kind)) for kind in kinds])
        for each in sorted(offered, key=lambda one: one.key not in own)
        if (kinds := list(known.offered_types(each.key).values()))
    ]


def _formats(kind: CredentialType) -> list[tuple[str, str, str]]:
    """(where, how it is written, example) for each place whose manner is known."""
    named = {"*": "Anywhere", "US-*": "Other states" if len(kind.formats) > 1 else "Any state"}
    return [
        (named.get(place, places.place_name(place)), each.description, each.example)
        for place, each in kind.formats.items()
    ]


def _places(kind: CredentialType) -> list[tuple[str, str]]:
    """Where it may have been given; nothing where there is no choice."""
    return [] if _only_place(kind) is not None else places.place_choices([kind])


def _only_place(kind: CredentialType) -> str | None:
    """The one place in which it is given, if there is but one."""
    if kind.jurisdictions == ("*",):
        return ""
    return (
        kind.jurisdictions[0]
        if len(kind.jurisdictions) == 1 and "*" not in kind.jurisdictions[0]
        else None
    )


def claim_from_form() -> CredentialClaim:
    """Claim what the form says; Faulty with all that stands in the way."""
    asked = load(CredentialForm)
    asked["valid_until"] = day(asked["valid_until"])
    try:
        with transaction() as session:
            kind = queries.catalogue(session).types.get(asked["type"])
            if kind is not None and not asked["jurisdiction"]:
                asked["jurisdiction"] = _only_place(kind) or ""
            return service.claim_credential(session, me(), **asked)
    except Conflict as repeated:
        raise Faulty(repeated.message, [Fault("/identifier", repeated.message)]) from None


def claimed_words(claim: CredentialClaim) -> tuple[str, str]:
    """What to say after a claim: the tone, and the sentence."""
    if claim.state is CredentialState.BLOCKED:
        return "watch", credential_words.BLOCKED
    return "good", "Claimed, and well formed. What happens next stands below."


def day(text: str, pointer: str = "/valid_until") -> date | None:
    """A day as it is typed; None for nothing."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        fault = Fault(pointer, "Write the day as 2027-01-31.")
        raise Faulty("The last day cannot be read.", [fault]) from None


@specialists.post("/credentials/check")
@needs(Permission.CREDENTIALS_CLAIM)
def check_typed() -> str:
    """What can be said of an identifier while it is typed; nothing is kept."""
    asked = load(CheckForm)
    with transaction() as session:
        kind = queries.catalogue(session).offered_types().get(asked["type"])
    tone, words = "neutral", ""
    if kind is not None and asked["identifier"].strip():
        tone, words = _said(kind, asked["jurisdiction"] or _only_place(kind), asked["identifier"])
    return render_template("specialists/identifier_check.html", tone=tone, words=words)


def _said(kind: CredentialType, jurisdiction: str | None, identifier: str) -> tuple[str, str]:
    if not jurisdiction and "*" not in kind.jurisdictions:
        return "neutral", "Choose where it was given, and its form is checked here."
    try:
        place = clean_jurisdiction(kind, jurisdiction or "")
        check_identifier(kind, place, identifier)
    except Faulty as faulty:
        return "watch", " ".join(fault.message for fault in faulty.faults)
    return ("good", WELL_FORMED) if format_of(kind, place) else ("neutral", NO_FORMAT)
