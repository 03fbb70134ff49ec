"""Showing an identity document at Stripe, and connecting an account at GitHub."""

from __future__ import annotations

import hmac
import secrets

import structlog
from flask import flash, render_template, request, session, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, GatewayError, Refused
from marketplace.identity.rules import Permission
from marketplace.specialists import background as outside
from marketplace.specialists import queries, service
from marketplace.specialists.rules.identity import IdentityState
from marketplace.web import settings
from marketplace.web.guards import me, needs
from marketplace.web.specialists import connection_words
from marketplace.web.specialists.blueprint import specialists

log = structlog.get_logger(__name__)
GITHUB_STATE = "github_state"
AWAY = "Stripe does not answer at present. Nothing is lost; try again in a moment."
GITHUB_AWAY = "GitHub does not answer at present. Nothing is lost; try again in a moment."


@specialists.get("/connections")
@needs(Permission.CREDENTIALS_CLAIM)
def connections() -> str:
    """Whether the person has shown who they are, and which account they control."""
    with transaction() as opened:
        person_id = me().person()
        check = queries.identity_of(opened, me(), person_id)
        account = queries.github_of(opened, me(), person_id)
        subject = queries.subject_of(opened, person_id)
    return render_template(
        "specialists/connections.html",
        check=check,
        identity=connection_words.identity_words(check, subject),
        legal_name=subject.legal_name,
        account=account,
        signals=connection_words.signals(account),
        github_is_set_up=outside.github_is_set_up(),
    )


@specialists.post("/connections/identity")
@needs(Permission.CREDENTIALS_CLAIM)
def verify_identity() -> Response:
    """Go to the page where a document is shown."""
    try:
        address = outside.identity_url(me(), return_url=_address("specialists.identity_shown"))
    except Conflict as refused:
        flash(refused.message, "watch")
        return _back()
    except GatewayError as away:
        log.warning("identity_not_started", cause=type(away).__name__)
        flash(AWAY, "watch")
        return _back()
    return redirect(address, code=303) if address else _back()


@specialists.get("/connections/identity/returned")
@needs(Permission.CREDENTIALS_CLAIM)
def identity_shown() -> Response:
    """Back from Stripe, which says nothing by itself: ask how the document did."""
    with transaction() as opened:
        check = queries.identity_of(opened, me(), me().person())
    if check is None:
        return _back()
    try:
        check = outside.read_identity(check)
    except GatewayError as away:
        log.warning("identity_not_read", cause=type(away).__name__)
        flash("Stripe does not answer at present; look again in a moment.", "watch")
        return _back()
    if check.state is IdentityState.VERIFIED:
        flash("Stripe has looked at your document. Your credentials are looked at again.", "good")
    elif check.state is IdentityState.PROCESSING:
        flash("Stripe still looks at your document. You need not wait here.", "watch")
    return _back()


@specialists.post("/connections/github")
@needs(Permission.CREDENTIALS_CLAIM)
def connect_github() -> Response:
    """Go to GitHub, to be asked there."""
    state = secrets.token_urlsafe(32)
    address = outside.github_url(state, redirect_uri=_address("specialists.github_returned"))
    if address is None:
        flash("GitHub is not set up here. Ask whoever runs this marketplace.", "watch")
        return _back()
    # Only the browser that began may end it: the state comes back beside its cookie.
    session[GITHUB_STATE] = state
    return redirect(address, code=303)


@specialists.get("/connections/github/returned")
@needs(Permission.CREDENTIALS_CLAIM)
def github_returned() -> Response:
    """Back from GitHub with a code, or with a refusal."""
    kept, given = str(session.pop(GITHUB_STATE, "")), request.args.get("state", "")
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        flash("This did not begin in this browser, or it took too long. Start again.", "stop")
        return _back()
    code = request.args.get("code", "")
    if not code:
        flash("You did not allow it at GitHub; nothing was connected.", "watch")
        return _back()
    back = _address("specialists.github_returned")
    try:
        outside.connect_github(me(), code=code, state=kept, redirect_uri=back)
    except Refused as refused:
        flash(refused.message, "stop")
    except GatewayError as away:
        log.warning("github_not_read", cause=type(away).__name__)
        flash(GITHUB_AWAY, "watch")
    else:
        flash("Your GitHub account is connected.", "good")
    return _back()


@specialists.post("/connections/github/forget")
@needs(Permission.CREDENTIALS_CLAIM)
def forget_github() -> Response:
    """Forget the connected account."""
    with transaction() as opened:
        service.disconnect_account(opened, me())
    flash("The account is forgotten. What rested on it is looked at again.", "good")
    return _back()


def _back() -> Response:
    return redirect(url_for("specialists.connections"), code=303)


def _address(endpoint: str) -> str:
    return settings().public_url.rstrip("/") + url_for(endpoint)
