"""The blueprint of the pages before one is signed in, and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Blueprint, flash, request, session, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import limits
from marketplace.identity.service import LinkGone
from marketplace.secrets import keyed_hash
from marketplace.settings import Settings
from marketplace.web import settings
from marketplace.web.visitors import set_cookie

sign_in = Blueprint("sign_in", __name__)
# Where a link that is gone leads on: to the page that mails a new one.
INSTEAD: Mapping[str, tuple[str, str]] = {
    "verify": (
        "sign_in.form",
        "That link was used or has expired. Sign in: where the address still waits for its proof, "
        "the next page mails a new link.",
    ),
    "reset": (
        "sign_in.forgotten_form",
        "That link was used or has expired. Write your address here and a new one is mailed.",
    ),
}


@sign_in.errorhandler(LinkGone)
def lead_on(error: LinkGone) -> Response:
    """Say what became of a mailed link on the page that helps."""
    del error
    page, words = INSTEAD["reset" if request.path.startswith("/reset-password") else "verify"]
    flash(words, "watch")
    return redirect(url_for(page), code=303)


def mailbox_address(known: Settings) -> str:
    """Where a demonstration shows the mail that it does not send; empty anywhere else."""
    sandbox = urlsplit(known.stripe_api_base)
    if known.smtp_url or not known.public_development or not sandbox.port:
        return ""
    host = urlsplit(known.public_url).hostname
    return f"{sandbox.scheme}://{host}:{sandbox.port}/mailbox"


def local_target(target: str | None) -> str:
    """Where to go after signing in: a path of ours, or the start for anything else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/sign-")):
        return url_for("front.show")
    return target if target.isprintable() and "\\" not in target else url_for("front.show")


def signed_in_answer(token: str, target: str) -> Response:
    """Lead on with the cookie set; the form token is made anew for the new visitor."""
    session.clear()
    answer = redirect(target, code=303)
    set_cookie(answer, settings(), token)
    return answer


def limit_address(bucket: limits.Bucket) -> None:
    """Count a try from this network address."""
    limits.current().hit(bucket, request.remote_addr or "unknown")


def limit_email(bucket: limits.Bucket, email: str) -> None:
    """Count a try for this e-mail address, which Redis never sees."""
    limits.current().hit(bucket, keyed_hash("limits", email.strip().lower()).hex())
