"""The blueprint of the pages before one is signed in, and what they share."""

from __future__ import annotations

from flask import Blueprint, request, session, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import limits
from marketplace.secrets import keyed_hash
from marketplace.web import settings
from marketplace.web.visitors import set_cookie

sign_in = Blueprint("sign_in", __name__)


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
