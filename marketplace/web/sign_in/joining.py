"""Coming in: sign-up, proving the e-mail address, accepting an invitation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, session, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock, limits
from marketplace.db import transaction
from marketplace.identity import service
from marketplace.identity.models import Person
from marketplace.identity.rules import ROLE_LABELS
from marketplace.ids import new_id
from marketplace.secrets import keyed_hash
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, public, signed_in, signed_in_even_unverified, visitor
from marketplace.web.sign_in.blueprint import (
    limit_address,
    limit_email,
    mailbox_address,
    sign_in,
    signed_in_answer,
)

# What the browser remembers of its sign-up: a keyed hash of whom it made, nothing to read.
SIGNED_UP = "signed_up"
WELCOME = "/work/start"


class SignUpForm(Form):
    """A new lab with its owner, or a new specialist."""

    kind = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    password = fields.String(required=True)
    organisation_name = fields.String(load_default="")
    timezone = fields.String(load_default="")


class JoinForm(Form):
    """A new person who was invited."""

    name = fields.String(required=True)
    password = fields.String(required=True)


@sign_in.get("/sign-up")
@public
def sign_up_form() -> str:
    """The sign-up page."""
    return render_template("sign_in/sign_up.html")


@sign_in.post("/sign-up")
@public
@form_page("sign_in/sign_up.html")
def sign_up() -> Response:
    """Sign up; a link is mailed, and the answer is the same when the address is known."""
    asked = load(SignUpForm)
    limit_address(limits.SIGN_UP)
    # The browser names its zone; one that we do not know is nothing to trouble a newcomer with.
    if asked["timezone"] not in clock.zones():
        asked["timezone"] = "UTC"
    with transaction() as opened:
        person = service.sign_up(opened, **asked)
        # Only who made this person is known by it. Where the address was taken, the mark fits
        # nobody, but looks the same: a browser must not tell who is here.
        session[SIGNED_UP] = _mark(person.id if person else new_id())
    return redirect(url_for("sign_in.mail_sent"), code=303)


@sign_in.get("/sign-up/sent")
@public
def mail_sent() -> str:
    """What to do next: open the mail."""
    return render_template("sign_in/sent.html", mailbox=mailbox_address(settings()))


@sign_in.get("/sign-up/unverified")
@signed_in_even_unverified
def unverified() -> str | Response:
    """The only page for who has not proved the address yet."""
    here = visitor()
    if here is None or here.verified:
        return redirect(url_for("front.show"), code=303)
    return render_template("sign_in/unverified.html", mailbox=mailbox_address(settings()))


@sign_in.post("/sign-up/unverified")
@signed_in_even_unverified
def send_again() -> Response:
    """Mail the link once more."""
    here = visitor()
    if here is not None:
        limit_email(limits.MAIL_TO, here.email)
    with transaction() as opened:
        service.send_verification(opened, me().person())
    flash("The link is on its way again.", "good")
    return redirect(url_for("sign_in.unverified"), code=303)


@sign_in.get("/verify-email")
@public
def verify_form() -> str:
    """A page with one button, since mail programs open links on their own."""
    return render_template("sign_in/verify.html", token=request.args.get("token", ""))


def _mark(person_id: UUID) -> str:
    return keyed_hash("signed-up", str(person_id)).hex()


@sign_in.post("/verify-email")
@public
def verify() -> Response:
    """Prove the address by the mailed token, and go on.

    The browser that signed up chose the password there, and shows its mailbox here: it is signed
    in. Any other one, such as that of somebody to whom the mail was forwarded, is asked for it.
    """
    here = visitor()
    browser = request.headers.get("User-Agent", "")
    with transaction() as opened:
        person = service.verify_email(opened, request.form.get("token", ""))
        target = WELCOME if person.is_specialist else url_for("front.show")
        known = here is None and session.get(SIGNED_UP) == _mark(person.id)
        row, token = (
            service.sign_in_proved(opened, person, browser=browser) if known else (None, "")
        )
        complete = row is not None and row.completed_at is not None
    if known:
        answer = signed_in_answer(
            token, target if complete else url_for("sign_in.code", next=target)
        )
    else:
        answer = redirect(_next_place(person, target), code=303)
    flash("Your e-mail address is verified.", "good")
    return answer


def _next_place(person: Person, target: str) -> str:
    """Where who opened the link in this browser goes on; nobody is signed in or out by it."""
    here = visitor()
    if here is None:
        flash("Sign in here with the password that you chose; then you go straight on.", "neutral")
        return url_for("sign_in.form", next=target)
    if here.person_id == person.id:
        return target
    flash(f"This browser is signed in as {here.name}. Sign out to go on as {person.name}.", "watch")
    return url_for("front.show")


@sign_in.get("/invitations")
@public
def invitation() -> str:
    """What an invitation offers, and how to take it."""
    return render_template("sign_in/invitation.html", **_offer())


def _offer() -> dict[str, Any]:
    token = request.values.get("token", "")
    with transaction() as opened:
        row, organisation = service.invitation_of(opened, token)
        return {
            "token": token,
            "email": row.email,
            "role": ROLE_LABELS[row.role],
            "organisation": organisation.name,
            "here": visitor(),
            "sign_in_href": url_for(
                "sign_in.form", next=url_for("sign_in.invitation", token=token)
            ),
        }


@sign_in.post("/invitations")
@public
@form_page("sign_in/invitation.html", _offer)
def join() -> Response:
    """Join as a new person; the invitation's link proves the address."""
    asked = load(JoinForm)
    limit_address(limits.SIGN_UP)
    with transaction() as opened:
        person = service.join_by_invitation(opened, request.form.get("token", ""), **asked)
        _, token = service.sign_in(opened, email=person.email, password=asked["password"])
    session.clear()
    return signed_in_answer(token, url_for("front.show"))


@sign_in.post("/invitations/accept")
@signed_in
def accept() -> Response:
    """Take the offered role as the person who is signed in, and act for that organisation."""
    here = visitor()
    with transaction() as opened:
        organisation = service.accept_invitation(opened, me(), request.form.get("token", ""))
        opened.flush()  # The new membership is looked up below.
        if here is not None:
            service.act_for(opened, here, organisation.id)
        name = organisation.name
    flash(f"You are now a member of {name}.", "good")
    return redirect(url_for("front.show"), code=303)
