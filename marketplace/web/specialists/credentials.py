"""A specialist's credentials: the list, one with all that happened, and the page to claim one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists import queries
from marketplace.web.forms import form_page
from marketplace.web.guards import me, needs
from marketplace.web.specialists import claiming, credential_words, places, verdict_words
from marketplace.web.specialists.blueprint import page_there, specialists


@specialists.get("/credentials")
@needs(Permission.CREDENTIALS_CLAIM)
def credentials() -> str:
    """All of them, those that want something first, then newest first."""
    with transaction() as session:
        claims = queries.credentials_of(session, me(), me().person())
        profile = queries.profile_of(session, me(), me().person())
        rows = credential_words.credential_rows(session, claims)
        professions = queries.catalogue(session).professions
    rows.sort(key=lambda row: (not row.wants_holder, row.claim.state in credential_words.PAST))
    return render_template(
        "specialists/credentials.html",
        rows=rows,
        profile=profile,
        professions=professions,
        places=places,
        **_elsewhere(),
    )


@specialists.get("/credentials/<uuid:claim_id>")
@needs(Permission.CREDENTIALS_CLAIM)
def credential(claim_id: UUID) -> str:
    """One of one's own, with every check and change."""
    with transaction() as session:
        detail = queries.claim_of(session, me(), claim_id)
        if detail.claim.person_id != me().person():
            raise Missing("There is no such credential.")
        (row,) = credential_words.credential_rows(session, [detail.claim])
        known = queries.catalogue(session)
    return render_template(
        "specialists/credential.html",
        row=row,
        detail=detail,
        happened=verdict_words.happened(detail),
        refused_words=credential_words.refused_words(known, detail),
        further=credential_words.further(known, detail),
        catalogue=known,
        **_elsewhere(),
    )


def _elsewhere() -> dict[str, str]:
    """The pages where identity is shown and qualifications are taken."""
    return {
        "connections": page_there("specialists.connections"),
        "qualifications": page_there("specialists.qualifications"),
    }


def _form() -> dict[str, Any]:
    with transaction() as session:
        profile = queries.profile_of(session, me(), me().person())
        return claiming.form_facts(session, profile)


@specialists.get("/credentials/new")
@needs(Permission.CREDENTIALS_CLAIM)
def new_credential() -> str:
    """What one may claim, or the form of what was chosen."""
    return render_template("specialists/new_credential.html", **_form())


@specialists.post("/credentials/new")
@needs(Permission.CREDENTIALS_CLAIM)
@form_page("specialists/new_credential.html", _form)
def claim_credential() -> Response:
    """Claim one; what can be checked without asking anyone is checked at once."""
    claim = claiming.claim_from_form()
    tone, words = claiming.claimed_words(claim)
    flash(words, tone)
    return redirect(url_for("specialists.credential", claim_id=claim.id), code=303)
