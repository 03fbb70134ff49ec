"""Saying privately that one works with dictation or other assistive means."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.specialists.queries.accommodations import own_accommodation
from marketplace.specialists.rules.accommodations import ASSISTIVE_LABELS
from marketplace.specialists.service.accommodations import say_accommodation
from marketplace.web.forms import form_page
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists


def _facts() -> dict[str, Any]:
    with transaction() as session:
        return {"said": own_accommodation(session, me()), "kinds": ASSISTIVE_LABELS}


@specialists.get("/profile/accommodation")
@needs(Permission.WORK_DO)
def accommodation() -> str:
    """What one works with, which nobody else reads."""
    return render_template("specialists/accommodation.html", **_facts())


@specialists.post("/profile/accommodation")
@needs(Permission.WORK_DO)
@form_page("specialists/accommodation.html", _facts)
def save_accommodation() -> Response:
    """Keep it; nothing chosen takes it back."""
    kinds = request.form.getlist("kinds")
    with transaction() as session:
        say_accommodation(session, me(), kinds)
    said = "Your speed and wording are never held against you." if kinds else "Nothing is kept."
    flash(f"Saved. {said}", "good")
    return redirect(url_for("specialists.accommodation"), code=303)
