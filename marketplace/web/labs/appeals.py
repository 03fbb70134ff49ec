"""Appeals against the lab's decisions: what their authors say, and the lab's side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.review import queries, service
from marketplace.web import appeal_words
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

appeals = Blueprint("lab_appeals", __name__, url_prefix="/lab/appeals")
PAGE = 50


class StatementForm(Form):
    """The lab's side of an appeal."""

    statement = fields.String(load_default="")


@appeals.get("")
@needs(Permission.WORK_REVIEW)
def listing() -> str:
    """Appeals against decisions of this lab, newest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.lab_appeals(session, me(), after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    return render_template(
        "labs/appeals.html",
        rows=[(row, shown.author_name(row.appeal.appellant_id)) for row in rows],
        badges=appeal_words.BADGES,
        after=after,
        last=rows[-1].appeal.id if len(found) > PAGE else None,
    )


@appeals.get("/<uuid:appeal_id>")
@needs(Permission.WORK_REVIEW)
def show(appeal_id: UUID) -> str:
    """One appeal, with the place for the lab's side while it is open."""
    del appeal_id  # Read from the address, as the form's page does.
    return render_template("labs/appeal.html", **_facts())


def _facts() -> dict[str, Any]:
    appeal_id = (request.view_args or {})["appeal_id"]
    with transaction() as session:
        view = queries.appeal_of(session, me(), appeal_id)
        if view.row.appeal.organisation_id != me().organisation():
            raise Missing("This appeal is not there, or it concerns another organisation.")
    author = shown.author_name(view.row.appeal.appellant_id)
    return appeal_words.shown(view) | {"author": author}


@appeals.post("/<uuid:appeal_id>/statement")
@needs(Permission.WORK_REVIEW)
@form_page("labs/appeal.html", _facts)
def say_side(appeal_id: UUID) -> Response:
    """Say the lab's side, once."""
    asked = load(StatementForm)
    with transaction() as session:
        service.say_side(session, me(), appeal_id, statement=asked["statement"])
    flash("Said. Whoever decides reads it beside the author's words.", "good")
    return redirect(url_for("lab_appeals.show", appeal_id=appeal_id), code=303)
