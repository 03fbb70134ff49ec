"""A specialist's household: said once, so that two of it never judge one task where it matters."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.specialists.queries.links import in_household
from marketplace.specialists.service import links
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs, step_up_try
from marketplace.web.specialists.blueprint import specialists


class CodeForm(Form):
    """The code that a household shares; fields named `code` alone are never shown again."""

    household_code = fields.String(required=True)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        return {"declared": in_household(session, me())}


@specialists.get("/profile/household")
@needs(Permission.WORK_DO)
def household() -> str:
    """Whether one was declared, and the ways to change that."""
    return render_template("specialists/household.html", **_facts())


@specialists.post("/profile/household/begin")
@needs(Permission.WORK_DO)
def begin_household() -> str:
    """Begin one; its code is on this page once and never again."""
    with transaction() as session:
        code = links.found_household(session, me())
    return render_template("specialists/household.html", declared=True, code=code)


@specialists.post("/profile/household/join")
@needs(Permission.WORK_DO)
@form_page("specialists/household.html", _facts)
def join_household() -> Response:
    """Join the one whose code was told; tries are counted, since codes could be guessed."""
    asked = load(CodeForm)
    step_up_try()
    try:
        with transaction() as session:
            links.declare_household(session, me(), asked["household_code"])
    except Faulty as faulty:
        named = [Fault("/household_code", fault.message) for fault in faulty.faults]
        raise Faulty(faulty.message, named) from None
    flash("Kept. Where a job asks for it, nobody else of your household gets your tasks.", "good")
    return redirect(url_for("specialists.household"), code=303)


@specialists.post("/profile/household/leave")
@needs(Permission.WORK_DO)
def leave_household() -> Response:
    """Say that one lives with none of them any more."""
    with transaction() as session:
        links.leave_household(session, me())
    flash("You share a household with nobody here now.", "good")
    return redirect(url_for("specialists.household"), code=303)
