"""Appeals of one's own: filing one, following it, what came of it and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.quality import queries as quality
from marketplace.review import queries, service
from marketplace.review.rules import REASON_MAX, NoAppeal
from marketplace.web import appeal_words
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.images import image_answer
from marketplace.web.specialists.blueprint import specialists
from marketplace.work import queries as work

PAGE = 50


class AppealForm(Form):
    """Why the decision is wrong, in the author's words."""

    reason = fields.String(load_default="")


@specialists.get("/appeals")
@needs(Permission.WORK_DO)
def appeals() -> str:
    """One's own appeals, newest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.own_appeals(session, me(), after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    last = rows[-1].appeal.id if len(found) > PAGE else None
    return render_template(
        "specialists/appeals.html", rows=rows, badges=appeal_words.BADGES, after=after, last=last
    )


@specialists.get("/appeals/<uuid:appeal_id>")
@needs(Permission.WORK_DO)
def appeal(appeal_id: UUID) -> str:
    """One appeal: where it stands, what was frozen, what came of it."""
    with transaction() as session:
        view = queries.appeal_of(session, me(), appeal_id)
        if view.row.appeal.appellant_id != me().person_id:
            raise Missing("This appeal is not there, or it is not yours.")
    picture = url_for("specialists.appeal_image", appeal_id=appeal_id)
    facts = appeal_words.shown(view)
    return render_template("specialists/appeal.html", picture=picture, **facts)


@specialists.get("/appeals/<uuid:appeal_id>/image")
@needs(Permission.WORK_DO)
def appeal_image(appeal_id: UUID) -> FlaskResponse:
    """The image that the item of one's own appeal names."""
    with transaction() as session:
        view = queries.appeal_of(session, me(), appeal_id)
        name = (view.payload or {}).get("image")
        if view.row.appeal.appellant_id != me().person_id or not name:
            raise Missing("There is no such image.")
        image = jobs.named_image(session, JobId(view.row.appeal.job_id), name)
    return image_answer(image)


@specialists.post("/appeals/<uuid:appeal_id>/withdraw")
@needs(Permission.WORK_DO)
def withdraw_appeal(appeal_id: UUID) -> Response:
    """Take back one's own appeal."""
    with transaction() as session:
        service.withdraw_appeal(session, me(), appeal_id)
    flash("Withdrawn. The decision stands as it was.", "good")
    return redirect(url_for("specialists.appeal", appeal_id=appeal_id), code=303)


def _check_facts() -> dict[str, Any]:
    firing_id = (request.view_args or {})["firing_id"]
    with transaction() as session:
        own = [row.firing.id for row in quality.own_firings(session, me())]
    if firing_id not in own:
        raise Missing("There is no such check of your work.")
    return {"firing_id": firing_id, "reason_max": REASON_MAX}


@specialists.get("/checks/rules/<uuid:firing_id>/appeal")
@needs(Permission.WORK_DO)
def appeal_check(firing_id: UUID) -> str:
    """The form of an appeal against a rule of quality control that restricts one."""
    del firing_id  # Read from the address, as the form's page does.
    return render_template("specialists/appeal_check.html", **_check_facts())


@specialists.post("/checks/rules/<uuid:firing_id>/appeal")
@needs(Permission.WORK_DO)
@form_page("specialists/appeal_check.html", _check_facts)
def file_check_appeal(firing_id: UUID) -> Response:
    """File it; somebody of neither side decides whether the restriction stands."""
    asked = load(AppealForm)
    with transaction() as session:
        filed = service.file_firing_appeal(session, me(), firing_id, reason=asked["reason"])
    flash("Filed. You read here, and by mail, how it ends.", "good")
    return redirect(url_for("specialists.appeal", appeal_id=filed.id), code=303)


def _facts() -> dict[str, Any]:
    submission_id = SubmissionId((request.view_args or {})["submission_id"])
    with transaction() as session:
        receipt = work.receipt_of(session, me(), submission_id)
        decision = queries.standing_decisions(session, [submission_id]).get(submission_id)
        until = queries.appealable_until(session, [submission_id]).get(submission_id)
        former = queries.appeals_of(session, [submission_id]).get(submission_id)
    return {
        "receipt": receipt,
        "decision": decision,
        "until": until,
        "former": former,
        "reason_max": REASON_MAX,
    }


@specialists.get("/submissions/<uuid:submission_id>/appeal")
@needs(Permission.WORK_DO)
def new_appeal(submission_id: UUID) -> Response | str:
    """The form of an appeal; the appeal itself where there is one."""
    facts = _facts()
    former = facts["former"]
    if former is not None and facts["until"] is None:
        return redirect(url_for("specialists.appeal", appeal_id=former.id))
    if facts["until"] is None:
        raise NoAppeal("There is no decision on this that can be appealed, or its time is over.")
    del submission_id  # Read from the address, as the form's page does.
    return render_template("specialists/appeal_new.html", **facts)


@specialists.post("/submissions/<uuid:submission_id>/appeal")
@needs(Permission.WORK_DO)
@form_page("specialists/appeal_new.html", _facts)
def file_appeal(submission_id: UUID) -> Response:
    """File it; the lab is asked for its side, and somebody of neither side decides."""
    asked = load(AppealForm)
    with transaction() as session:
        filed = service.file_appeal(
            session, me(), SubmissionId(submission_id), reason=asked["reason"]
        )
    flash("Filed. You read here, and by mail, how it ends.", "good")
    return redirect(url_for("specialists.appeal", appeal_id=filed.id), code=303)
