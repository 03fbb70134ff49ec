"""Held rejections of every lab: why the brake fell, to confirm or let go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.review import queries, service
from marketplace.review.rules import BrakeState
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations

PAGE = 50


class HoldForm(Form):
    """Why held rejections are right, or are let go."""

    reason = fields.String(load_default="")
    does = fields.String(load_default="confirm")


@operations.get("/holds")
@needs(Permission.APPEALS_DECIDE)
def holds() -> str:
    """What is held anywhere, oldest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.holding_brakes(session, me(), after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    last = found[PAGE - 1][0].id if len(found) > PAGE else None
    return render_template("operations/holds.html", rows=rows, after=after, last=last)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        brake = queries.brake_of(session, me(), (request.view_args or {})["brake_id"])
        held = queries.held_by(session, [brake.id])[brake.id]
    return {
        "brake": brake,
        "held": held,
        "people": {},
        "may_settle": brake.state is BrakeState.HOLDING and not brake.operations_confirmed_by,
    }


@operations.get("/holds/<uuid:brake_id>")
@needs(Permission.APPEALS_DECIDE)
def hold(brake_id: UUID) -> str:
    """One hold with what its reviewer said."""
    del brake_id  # Read from the address, as the form's page does.
    return render_template("operations/hold.html", **_facts())


@operations.post("/holds/<uuid:brake_id>")
@needs(Permission.APPEALS_DECIDE)
@form_page("operations/hold.html", _facts)
def settle_hold(brake_id: UUID) -> Response:
    """Confirm held rejections for operations, or let them go."""
    asked = load(HoldForm)
    verb = service.release_brake if asked["does"] == "release" else service.confirm_brake
    with transaction() as session:
        verb(session, me(), brake_id, reason=asked["reason"])
    flash("Let go: the answers wait for review again." if asked["does"] == "release"
          else "Confirmed for operations.", "good")  # fmt: skip
    return redirect(url_for("operations.holds"), code=303)
