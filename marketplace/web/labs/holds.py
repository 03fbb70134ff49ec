"""Held rejections of a lab: what the brake holds and why, to confirm as an owner or let go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.jobs import queries as jobs
from marketplace.review import queries, service
from marketplace.review.rules import BrakeState
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.work import queries as work

holds = Blueprint("lab_holds", __name__, url_prefix="/lab/holds")


class HoldForm(Form):
    """Why held rejections are right, or are let go."""

    reason = fields.String(load_default="")
    does = fields.String(load_default="confirm")


@holds.get("")
@needs(Permission.WORK_REVIEW)
def listing() -> str:
    """What is held and was held, newest first."""
    with transaction() as session:
        rows = queries.brakes_of(session, me())
        titles = {one.job_id: jobs.job_of(session, me(), one.job_id).title for one in rows}
    return render_template("labs/holds.html", rows=rows, titles=titles)


def _facts() -> dict[str, Any]:
    brake_id = (request.view_args or {})["brake_id"]
    with transaction() as session:
        brake = queries.brake_of(session, me(), brake_id)
        job = jobs.job_of(session, me(), brake.job_id)
        held = queries.held_by(session, [brake.id])[brake.id]
        items = {
            one.submission_id: work.submission_of(session, me(), one.submission_id).external_id
            for one in held
        }
        people = identity.people_by_ids(
            session,
            {one for one in (brake.reviewer_id, brake.lab_confirmed_by, brake.released_by) if one},
        )
    return {
        "brake": brake,
        "job": job,
        "rows": [(one, items[one.submission_id], shown.author_name(one.author_id)) for one in held],
        "people": people,
        "may_settle": me().may(Permission.MEMBERS_MANAGE) and brake.state is BrakeState.HOLDING,
    }


@holds.get("/<uuid:brake_id>")
@needs(Permission.WORK_REVIEW)
def show(brake_id: UUID) -> str:
    """One hold with its rejections."""
    del brake_id  # Read from the address, as the form's page does.
    return render_template("labs/hold.html", **_facts())


@holds.post("/<uuid:brake_id>")
@needs(Permission.MEMBERS_MANAGE)
@form_page("labs/hold.html", _facts)
def settle(brake_id: UUID) -> Response:
    """Confirm held rejections for the lab, or let them go."""
    asked = load(HoldForm)
    verb = service.release_brake if asked["does"] == "release" else service.confirm_brake
    with transaction() as session:
        verb(session, me(), brake_id, reason=asked["reason"])
    flash("Let go: the answers wait for review again." if asked["does"] == "release"
          else "Confirmed for your lab; our operations look as well.", "good")  # fmt: skip
    return redirect(url_for("lab_holds.show", brake_id=brake_id), code=303)
