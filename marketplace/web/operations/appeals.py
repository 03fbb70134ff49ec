"""Appeals for who decides them: by their deadlines, one side by side, decided with a note."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.review import queries, service
from marketplace.review.rules import OPEN_APPEALS, AppealState
from marketplace.web import appeal_words, settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.images import image_answer
from marketplace.web.operations.blueprint import operations

PAGE = 50
SAID = {
    True: "Upheld. The work is accepted and paid; both sides have a letter.",
    False: "Not upheld. The decision stands; both sides have a letter.",
}


class AppealOutcomeForm(Form):
    """How an appeal ends, and why; both sides read it."""

    outcome = fields.String(load_default="")
    note = fields.String(load_default="")


@operations.get("/appeals")
@needs(Permission.APPEALS_DECIDE)
def appeal_queue() -> str:
    """Appeals that are open by their deadline, or those that ended in one way."""
    states = {each.value: each for each in AppealState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.appeal_queue(session, me(), state=state, after=after, limit=PAGE + 1)
        counts = queries.appeal_counts(session, me())
        rates = queries.appeal_rates(session, me())
    rows = found[:PAGE]
    return render_template(
        "operations/appeals.html",
        rows=rows,
        state=state,
        counts=counts,
        open_count=sum(counts[each] for each in OPEN_APPEALS),
        rates=rates,
        badges=appeal_words.BADGES,
        now=clock.now(),
        after=after,
        last=rows[-1].appeal.id if len(found) > PAGE else None,
    )


@operations.get("/appeals/<uuid:appeal_id>")
@needs(Permission.APPEALS_DECIDE)
def appeal(appeal_id: UUID) -> str:
    """One appeal: the answer beside the decision, both sides' words, and what to decide."""
    del appeal_id  # Read from the address, as the form's page does.
    return render_template("operations/appeal.html", **_facts())


def _facts() -> dict[str, Any]:
    appeal_id = (request.view_args or {})["appeal_id"]
    with transaction() as session:
        view = _visible(session, appeal_id)
        waiting = queries.appeal_queue(session, me(), limit=PAGE)
    others = [row.appeal.id for row in waiting if row.appeal.id != appeal_id]
    mine = view.row.appeal.assigned_to == me().person_id
    return appeal_words.shown(view) | {
        "picture": url_for("operations.appeal_image", appeal_id=appeal_id),
        "is_mine": mine and view.row.appeal.state is AppealState.ASSIGNED,
        "next": url_for("operations.appeal", appeal_id=others[0]) if others else "",
    }


def _visible(session: Session, appeal_id: UUID) -> queries.AppealView:
    """An appeal as who decides it sees it; Missing for one's own."""
    view = queries.appeal_of(session, me(), appeal_id)
    if view.row.appeal.appellant_id == me().person_id:
        raise Missing("This appeal is your own; a colleague looks at it.")
    return view


@operations.get("/appeals/<uuid:appeal_id>/image")
@needs(Permission.APPEALS_DECIDE)
def appeal_image(appeal_id: UUID) -> FlaskResponse:
    """The image that the item of an appeal names."""
    with transaction() as session:
        view = _visible(session, appeal_id)
        name = (view.payload or {}).get("image")
        if not name:
            raise Missing("There is no such image.")
        image = jobs.named_image(session, JobId(view.row.appeal.job_id), name)
    return image_answer(image)


@operations.post("/appeals/<uuid:appeal_id>/take")
@needs(Permission.APPEALS_DECIDE)
def take_appeal(appeal_id: UUID) -> Response:
    """Take an appeal to look at."""
    with transaction() as session:
        service.take_appeal(session, me(), appeal_id)
    return redirect(url_for("operations.appeal", appeal_id=appeal_id), code=303)


@operations.post("/appeals/<uuid:appeal_id>/give-back")
@needs(Permission.APPEALS_DECIDE)
def give_back_appeal(appeal_id: UUID) -> Response:
    """Leave an appeal to a colleague."""
    with transaction() as session:
        service.give_back_appeal(session, me(), appeal_id)
    flash("A colleague can take it now.", "good")
    return redirect(url_for("operations.appeal_queue"), code=303)


@operations.post("/appeals/<uuid:appeal_id>")
@needs(Permission.APPEALS_DECIDE)
@form_page("operations/appeal.html", _facts)
def decide_appeal(appeal_id: UUID) -> Response:
    """Decide an appeal that one took, with its note."""
    asked = load(AppealOutcomeForm)
    if asked["outcome"] not in {"upheld", "denied"}:
        raise Faulty("Something is missing.", [Fault("/outcome", "Choose how it ends.")])
    upheld = asked["outcome"] == "upheld"
    with transaction() as session:
        service.decide_appeal(
            session,
            me(),
            appeal_id,
            upheld=upheld,
            note=asked["note"],
            clearance_days=settings().clearance_days,
        )
    flash(SAID[upheld], "good")
    return redirect(url_for("operations.appeal_queue"), code=303)
