"""In and out: password, second factor, sign-out."""

from __future__ import annotations

from flask import flash, render_template, request, session, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import limits
from marketplace.db import transaction
from marketplace.identity import service
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, public, signed_in_even_unverified, visitor
from marketplace.web.sign_in import device
from marketplace.web.sign_in.blueprint import (
    limit_address,
    limit_email,
    local_target,
    sign_in,
    signed_in_answer,
)
from marketplace.web.visitors import cookie_token, drop_cookie


class SignInForm(Form):
    """E-mail address and password."""

    email = fields.String(required=True)
    password = fields.String(required=True)


class CodeForm(Form):
    """A code of the second factor, or a recovery code."""

    code = fields.String(required=True)


@sign_in.get("/sign-in")
@public
def form() -> str | Response:
    """The sign-in page; who is in already goes on."""
    if visitor() is not None:
        return redirect(local_target(request.args.get("next")), code=303)
    return render_template("sign_in/form.html")


@sign_in.post("/sign-in")
@public
@form_page("sign_in/form.html")
def enter() -> Response:
    """Check the password; with a second factor on, ask for that next."""
    asked = load(SignInForm)
    limit_address(limits.SIGN_IN_BY_ADDRESS)
    limit_email(limits.SIGN_IN_BY_EMAIL, asked["email"])
    browser = request.headers.get("User-Agent", "")
    with transaction() as opened:
        row, token = service.sign_in(opened, **asked, browser=browser)
        complete = row.completed_at is not None
        seen = device.seen(opened, row.person_id) if complete else ""
    target = request.args.get("next")
    if not complete:
        return signed_in_answer(token, url_for("sign_in.code", next=target))
    return device.keep(signed_in_answer(token, local_target(target)), seen)


@sign_in.get("/sign-in/code")
@public
def code() -> str:
    """The page that asks for the second factor."""
    with transaction() as opened:
        service.half_signed_in(opened, cookie_token())
    return render_template("sign_in/code.html")


@sign_in.post("/sign-in/code")
@public
@form_page("sign_in/code.html")
def check_code() -> Response:
    """Complete the sign-in with a code."""
    asked = load(CodeForm)
    with transaction() as opened:
        person_id = service.half_signed_in(opened, cookie_token()).person_id
    limits.current().hit(limits.SECOND_FACTOR, str(person_id))
    with transaction() as opened:
        row = service.half_signed_in(opened, cookie_token())
        service.check_second_factor(opened, row.person_id, asked["code"])
        token = service.complete_sign_in(opened, row)
        seen = device.seen(opened, row.person_id)
    return device.keep(signed_in_answer(token, local_target(request.args.get("next"))), seen)


@sign_in.post("/sign-out")
@signed_in_even_unverified
def leave() -> Response:
    """End this browser's sign-in."""
    here = visitor()
    with transaction() as opened:
        service.end_sign_in(opened, me(), here.sign_in_id if here else None)
    session.clear()
    flash("You are signed out.", "good")
    answer = redirect(url_for("sign_in.form"), code=303)
    drop_cookie(answer)
    return answer
