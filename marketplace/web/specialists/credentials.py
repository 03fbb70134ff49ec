"""A specialist's credentials: the list, one with all that was found, and the form to claim one."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.specialists import queries, service
from marketplace.specialists.rules import CREDENTIAL_TYPES, PROFESSIONS, CredentialState
from marketplace.specialists.rules.catalogue import US_STATES, CredentialType
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists import shown
from marketplace.web.specialists.blueprint import specialists

PLACES = {"US": "United States", "GB": "United Kingdom"}


class CredentialForm(Form):
    """A credential that a person says they hold."""

    type = fields.String(required=True, error_messages={"required": "Choose what you hold."})
    identifier = fields.String(required=True)
    jurisdiction = fields.String(load_default="")
    specialties = fields.List(fields.String(), load_default=list)
    valid_until = fields.String(load_default="")


@specialists.get("/credentials")
@needs(Permission.CREDENTIALS_CLAIM)
def credentials() -> str:
    """All of them, newest first, with what to do next."""
    with transaction() as session:
        claims = queries.credentials_of(session, me(), me().person())
        profile = queries.profile_of(session, me(), me().person())
    rows = [shown.credential_row(claim) for claim in claims]
    return render_template("specialists/credentials.html", rows=rows, profile=profile)


@specialists.get("/credentials/<uuid:claim_id>")
@needs(Permission.CREDENTIALS_CLAIM)
def credential(claim_id: UUID) -> str:
    """One of one's own, with every check and change."""
    with transaction() as session:
        detail = queries.claim_of(session, me(), claim_id)
        if detail.claim.person_id != me().person():
            raise Missing("There is no such credential.")
    row = shown.credential_row(detail.claim)
    return render_template("specialists/credential.html", row=row, detail=detail, shown=shown)


def _form() -> dict[str, Any]:
    """The form's choices for one profession."""
    asked = request.form.get("profession") or request.args.get("profession", "")
    profession = PROFESSIONS.get(asked) or next(iter(PROFESSIONS.values()))
    kinds = [kind for kind in CREDENTIAL_TYPES.values() if kind.profession == profession.key]
    return {
        "profession": profession,
        "professions": PROFESSIONS.values(),
        "kinds": [(kind.key, kind.title, _hint(kind)) for kind in kinds],
        "places": _places(kinds),
    }


def _hint(kind: CredentialType) -> str:
    """How its identifiers are written, place by place."""
    if len(kind.formats) == 1:
        only = next(iter(kind.formats.values()))
        return f"Written as {only.description}, such as {only.example}."
    ways = [
        f"{'elsewhere' if place.endswith('*') else place}: {each.description}"
        for place, each in kind.formats.items()
    ]
    return "; ".join(ways) + "."


def _places(kinds: list[CredentialType]) -> list[tuple[str, str]]:
    """Where such credentials are held: (code, words)."""
    codes = {code for kind in kinds for code in kind.jurisdictions} - {"*"}
    states = [f"US-{state}" for state in sorted(US_STATES)] if "US-*" in codes else []
    found = [(code, PLACES.get(code, code)) for code in sorted(codes - {"US-*"})]
    found += [(code, f"United States, {code.removeprefix('US-')}") for code in states]
    anywhere = any("*" in kind.jurisdictions for kind in kinds)
    return [("", "Nowhere in particular" if anywhere else "Choose where"), *found]


@specialists.get("/credentials/new")
@needs(Permission.CREDENTIALS_CLAIM)
def new_credential() -> str:
    """The form to claim one."""
    return render_template("specialists/new_credential.html", **_form())


@specialists.post("/credentials/new")
@needs(Permission.CREDENTIALS_CLAIM)
@form_page("specialists/new_credential.html", _form)
def claim_credential() -> Response:
    """Claim one; what can be checked without asking anyone is checked at once."""
    asked = load(CredentialForm)
    asked["valid_until"] = _day(asked["valid_until"])
    try:
        with transaction() as session:
            claim = service.claim_credential(session, me(), **asked)
    except Conflict as repeated:
        raise Faulty(repeated.message, [Fault("/identifier", repeated.message)]) from None
    if claim.state is CredentialState.BLOCKED:
        flash(shown.NEXT_STEPS[claim.state], "watch")
    else:
        flash("Claimed. It is well formed; now somebody looks it up in the register.", "good")
    return redirect(url_for("specialists.credential", claim_id=claim.id), code=303)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        fault = Fault("/valid_until", "Write the day as 2027-01-31.")
        raise Faulty("The last day cannot be read.", [fault]) from None
