"""Browsers that are signed in: listed, and ended."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity import queries, service
from marketplace.web.account.blueprint import account
from marketplace.web.guards import me, signed_in, visitor


@account.get("/sign-ins")
@signed_in
def sign_ins() -> str:
    """One's own sign-ins, the one seen last first."""
    here = visitor()
    with transaction() as session:
        rows = queries.sign_ins_of(session, me())
    return render_template(
        "account/sign_ins.html", rows=rows, this=here.sign_in_id if here else None
    )


@account.post("/sign-ins/<uuid:sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: UUID) -> Response:
    """End one of them."""
    with transaction() as session:
        service.end_sign_in(session, me(), sign_in_id)
    flash("That browser is signed out.", "good")
    return redirect(url_for("account.sign_ins"), code=303)


@account.post("/sign-ins/end-others")
@signed_in
def end_others() -> Response:
    """End all but this one."""
    here = visitor()
    with transaction() as session:
        service.end_all_sign_ins(session, me().person(), but=here.sign_in_id if here else None)
    flash("All other browsers are signed out.", "good")
    return redirect(url_for("account.sign_ins"), code=303)
