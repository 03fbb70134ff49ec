"""API tokens of one's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity import queries, service
from marketplace.identity.rules import PERMISSION_LABELS, TOKEN_DAYS_DEFAULT, Permission
from marketplace.web.account.blueprint import account
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs, visitor


class TokenForm(Form):
    """What the token is for, what it may do, and for how long."""

    name = fields.String(required=True)
    scopes = fields.List(fields.String(), load_default=list)
    days = fields.Integer(load_default=TOKEN_DAYS_DEFAULT)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        rows = queries.tokens_of(session, me())
    permissions = [(each, PERMISSION_LABELS[Permission(each)]) for each in sorted(me().permissions)]
    return {"rows": rows, "here": visitor(), "permissions": permissions}


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
        _, plain = service.create_token(session, me(), **asked)
    return Response(
        render_template("account/tokens.html", plain=plain, **_facts()), mimetype="text/html"
    )


@account.post("/tokens/<uuid:token_id>/revoke")
@needs(Permission.TOKENS_MANAGE)
def revoke_token(token_id: UUID) -> Response:
    """Revoke a token; what uses it stops working at once."""
    with transaction() as session:
        service.revoke_token(session, me(), token_id)
    flash("The token is revoked.", "good")
    return redirect(url_for("account.tokens"), code=303)
