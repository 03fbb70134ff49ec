"""The second factor: on, off, and its recovery codes."""

from __future__ import annotations

import io
from typing import Any

import segno
from flask import flash, render_template, url_for
from markupsafe import Markup
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity import service
from marketplace.web.account.blueprint import account
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, signed_in, step_up_try, visitor


class CodeForm(Form):
    """A present code."""

    code = fields.String(required=True)


def qr_svg(address: str) -> Markup:
    """A QR code as SVG with classes instead of styles, dark on light in either theme."""
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, nl=False, scale=5, light="#fff"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - segno drew it from our own secret.


def _set_up_facts() -> dict[str, Any]:
    with transaction() as session:
        secret, address = service.start_totp(session, me())
    return {"secret": secret, "qr": qr_svg(address)}


@account.get("/second-factor")
@signed_in
def second_factor() -> str:
    """Whether it is on, and what can be done."""
    return render_template("account/second_factor.html", here=visitor())


@account.post("/second-factor/set-up")
@signed_in
def set_up() -> str:
    """Show the secret that the app on the phone needs."""
    return render_template("account/set_up.html", **_set_up_facts())


@account.post("/second-factor/confirm")
@signed_in
@form_page("account/set_up.html", _set_up_facts)
def confirm() -> Response:
    """Turn it on with a first code, and show the recovery codes this one time."""
    asked = load(CodeForm)
    step_up_try()
    with transaction() as session:
        codes = service.confirm_totp(session, me(), asked["code"])
    return _show(codes)


@account.post("/second-factor/recovery-codes")
@signed_in
@form_page("account/second_factor.html", lambda: {"here": visitor()})
def recovery_codes() -> Response:
    """New recovery codes instead of the old ones."""
    asked = load(CodeForm)
    step_up_try()
    with transaction() as session:
        codes = service.new_recovery_codes(session, me(), asked["code"])
    return _show(codes)


@account.post("/second-factor/stop")
@signed_in
@form_page("account/second_factor.html", lambda: {"here": visitor()})
def stop() -> Response:
    """Turn it off."""
    asked = load(CodeForm)
    step_up_try()
    with transaction() as session:
        service.stop_totp(session, me(), asked["code"])
    flash("Your second factor is off.", "watch")
    return redirect(url_for("account.second_factor"), code=303)


def _show(codes: list[str]) -> Response:
    page = render_template("account/recovery_codes.html", codes=codes)
    return Response(page, mimetype="text/html")
