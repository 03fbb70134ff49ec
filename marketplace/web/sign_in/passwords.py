"""A forgotten password: a mailed link, used once."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import limits
from marketplace.db import transaction
from marketplace.identity import service
from marketplace.identity.rules import Purpose
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import public
from marketplace.web.sign_in.blueprint import limit_address, limit_email, sign_in


class ForgottenForm(Form):
    """Whose password is forgotten."""

    email = fields.String(required=True)


class NewPasswordForm(Form):
    """The new password."""

    password = fields.String(required=True)


def _link() -> dict[str, Any]:
    return {"token": request.values.get("token", "")}


@sign_in.get("/reset-password")
@public
def forgotten_form() -> str:
    """The page that asks whose password is forgotten."""
    return render_template("sign_in/forgotten.html")


@sign_in.post("/reset-password")
@public
@form_page("sign_in/forgotten.html")
def forgotten() -> Response:
    """Mail a link, if the address is known; the answer is the same when it is not."""
    asked = load(ForgottenForm)
    limit_address(limits.SIGN_UP)
    limit_email(limits.MAIL_TO, asked["email"])
    with transaction() as opened:
        service.ask_for_reset(opened, asked["email"])
    return redirect(url_for("sign_in.mail_sent"), code=303)


@sign_in.get("/reset-password/new")
@public
def new_password_form() -> str:
    """The page for the new password, behind the mailed link."""
    with transaction() as opened:
        service.check_link(opened, _link()["token"], Purpose.RESET_PASSWORD)
    return render_template("sign_in/new_password.html", **_link())


@sign_in.post("/reset-password/new")
@public
@form_page("sign_in/new_password.html", _link)
def new_password() -> Response:
    """Set the new password; all sign-ins end."""
    asked = load(NewPasswordForm)
    with transaction() as opened:
        service.reset_password(opened, _link()["token"], asked["password"])
    flash("Your password is new. Sign in with it.", "good")
    return redirect(url_for("sign_in.form"), code=303)
