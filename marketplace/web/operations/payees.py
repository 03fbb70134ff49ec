"""Payees whose name is not their licence's: both names, and the decision to pay all the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.payouts import queries, service
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.operations.hits import screening_tabs

PAGE = 25


class ClearForm(Form):
    """Why an account in another name may be paid."""

    note = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.open_holds(session, me(), after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        names = identity.people_by_ids(session, {row.hold.person_id for row in rows})
        tabs = screening_tabs(session)
    return {
        "rows": rows,
        "names": names,
        "after": after,
        "last": rows[-1].hold.id if len(found) > PAGE else None,
        "faulty_id": (request.view_args or {}).get("hold_id"),
        **tabs,
    }


@operations.get("/payees")
@needs(Permission.CREDENTIALS_VERIFY)
def payees() -> str:
    """Held payees, oldest first."""
    return render_template("operations/payees.html", **_facts())


@operations.post("/payees/<uuid:hold_id>/clear")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/payees.html", _facts)
def clear_payee(hold_id: UUID) -> Response:
    """Let an account be paid although its name differs, with the reason."""
    asked = load(ClearForm)
    with transaction() as session:
        service.clear_hold(session, me(), hold_id, note=asked["note"])
    flash("Cleared for these names. The next payout run has this person again.", "good")
    return redirect(url_for("operations.payees"), code=303)
