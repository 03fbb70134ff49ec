"""API tokens of one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity import queries, service
from marketplace.identity.rules import TOKEN_DAYS_DEFAULT, Permission
from marketplace.web import settings
from marketplace.web.account import token_words as words
from marketplace.web.account.blueprint import account
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs, visitor


class TokenForm(Form):
    """What the token is for, what it may do, and for how long."""

    name = fields.String(required=True)
    scopes = fields.List(fields.String(), load_default=list)
    days = fields.Integer(load_default=TOKEN_DAYS_DEFAULT)


def _shown_tokens() -> list[words.TokenShown]:
    here = visitor()
    names = {one.organisation_id: one.name for one in here.organisations} if here else {}
    with transaction() as session:
        rows = queries.tokens_of(session, me())
    return [words.shown(row, names, clock.now()) for row in rows]


def _facts() -> dict[str, Any]:
    tokens = _shown_tokens()
    held = me().permissions
    choice, scopes = words.chosen(request.args.get("may", ""), held)
    today = clock.now()
    return {
        "rows": [one for one in tokens if not one.ended],
        "ended": [one for one in tokens if one.ended],
        "here": visitor(),
        "groups": words.grouped(held),
        "choices": words.choices(held),
        "choice": choice,
        "preset": scopes,
        "lives": [(str(days), days, today + timedelta(days=days)) for days in words.DAYS],
        "long_days": words.LONG_DAYS,
        "pattern": words.PATTERN.pattern,
        "address": settings().public_url,
    }


@account.get("/tokens")
@needs(Permission.TOKENS_MANAGE)
def tokens() -> str:
    """The tokens, and a form for a new one."""
    return render_template("account/tokens.html", plain="", **_facts())


@account.post("/tokens")
@needs(Permission.TOKENS_MANAGE)
@form_page("account/tokens.html", _facts)
def create_token() -> Response:
    """Create a token and show it, this one time."""
    asked = load(TokenForm)
    with transaction() as session:
        row, plain = service.create_token(session, me(), **asked)
    page = render_template("account/tokens.html", plain=plain, made=row, **_facts())
    answer = Response(page, mimetype="text/html")
    # The one page with a secret on it: neither a browser's cache nor a proxy keeps it.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@account.get("/tokens/<uuid:token_id>/revoke")
@needs(Permission.TOKENS_MANAGE)
def ask_revoke(token_id: UUID) -> str:
    """What would end with a token, before it is revoked."""
    found = next((one for one in _shown_tokens() if one.id == token_id), None)
    if found is None:
        raise Missing("This token is not there, or is revoked already.")
    return render_template("account/token_revoke.html", row=found)


@account.post("/tokens/<uuid:token_id>/revoke")
@needs(Permission.TOKENS_MANAGE)
def revoke_token(token_id: UUID) -> Response:
    """Revoke a token; what uses it stops working at once."""
    with transaction() as session:
        service.revoke_token(session, me(), token_id)
    flash("The token is revoked.", "good")
    return redirect(url_for("account.tokens"), code=303)
