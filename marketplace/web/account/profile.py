"""Name, zone, password, and the organisation acted for."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity import service
from marketplace.ids import parse_id
from marketplace.web.account.blueprint import account
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, signed_in, step_up_try, visitor


class ProfileForm(Form):
    """What others see, and the zone that times are shown in."""

    name = fields.String(required=True)
    timezone = fields.String(required=True)


class PasswordForm(Form):
    """The present password and a new one."""

    current_password = fields.String(required=True)
    password = fields.String(required=True)


def _zones() -> dict[str, Any]:
    zones = sorted(zone for zone in clock.zones() if "/" in zone or zone == "UTC")
    return {"here": visitor(), "zones": [(zone, zone.replace("_", " ")) for zone in zones]}


@account.get("")
@signed_in
def show() -> str:
    """The profile."""
    return render_template("account/profile.html", **_zones())


@account.post("")
@signed_in
@form_page("account/profile.html", _zones)
def change() -> Response:
    """Change name and zone."""
    asked = load(ProfileForm)
    with transaction() as session:
        service.change_profile(session, me(), **asked)
    flash("Your profile is changed.", "good")
    return redirect(url_for("account.show"), code=303)


@account.get("/password")
@signed_in
def password_form() -> str:
    """The page to change the password."""
    return render_template("account/password.html")


@account.post("/password")
@signed_in
@form_page("account/password.html")
def change_password() -> Response:
    """Change the password; all other browsers are signed out."""
    asked = load(PasswordForm)
    step_up_try()
    here = visitor()
    with transaction() as session:
        service.change_password(
            session,
            me(),
            current=asked["current_password"],
            password=asked["password"],
            kept=here.sign_in_id if here else None,
        )
    flash("Your password is changed, and all other browsers are signed out.", "good")
    return redirect(url_for("account.show"), code=303)


@account.get("/organisations")
@signed_in
def organisations() -> str:
    """The organisations that one may act for."""
    return render_template("account/organisations.html", here=visitor())


@account.post("/organisations")
@signed_in
def act_for() -> Response:
    """Act for another organisation from now on, in this browser."""
    here = visitor()
    if here is None:
        raise Missing("Nobody is signed in.")
    wanted = request.form.get("organisation_id", "")
    with transaction() as session:
        service.act_for(session, here, parse_id(wanted) if wanted else None)
    return redirect(url_for("front.show"), code=303)
