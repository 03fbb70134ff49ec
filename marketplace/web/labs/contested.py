"""Contested items: all judgements side by side, for a third person to say which holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, TaskId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.review import queries, service
from marketplace.review.rules import AdjudicationState
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

contested = Blueprint("lab_contested", __name__, url_prefix="/lab")
PAGE = 50
OWN = "own"


class SettleForm(Form):
    """Which judgement holds: one that is there, or the adjudicator's own as JSON; and why."""

    chosen = fields.String(load_default="")
    own_judgement = fields.String(load_default="")
    rationale = fields.String(load_default="")


@contested.get("/jobs/<uuid:job_id>/contested")
@needs(Permission.WORK_REVIEW)
def listing(job_id: UUID) -> str:
    """A job's contested items, oldest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        found = queries.adjudications_of(session, me(), JobId(job_id), after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    last = found[PAGE - 1][0].id if len(found) > PAGE else None
    return render_template("labs/contested.html", job=job, rows=rows, after=after, last=last)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        case = queries.adjudication_of(session, me(), (request.view_args or {})["case_id"])
        job = jobs.job_of(session, me(), case.job_id)
        external_id, payload = queries.item_of(session, case)
        counted = queries.counted_of(session, TaskId(case.task_id))
        versions = {one.id: one for one in jobs.template_versions(session, me(), job.id)}
    version = versions[counted[-1].template_version_id if counted else job.template_version_id]
    judgements = [(shown.author_name(one.specialist_id), one) for one in counted]
    return {
        "case": case,
        "job": job,
        "external_id": external_id,
        "payload": payload,
        "judgements": judgements,
        "task_template": version.template,
        "version": version,
        "may_settle": case.state is AdjudicationState.OPEN and case.opened_by != me().person_id,
    }


@contested.get("/contested/<uuid:case_id>")
@needs(Permission.WORK_REVIEW)
def show(case_id: UUID) -> str:
    """One contested item with its judgements."""
    del case_id  # Read from the address, as the form's page does.
    return render_template("labs/contested_item.html", **_facts())


@contested.post("/contested/<uuid:case_id>")
@needs(Permission.WORK_REVIEW)
@form_page("labs/contested_item.html", _facts)
def settle(case_id: UUID) -> Response:
    """Say which judgement holds."""
    asked = load(SettleForm)
    chosen = parse_id(asked["chosen"])
    judgement = _own(asked["own_judgement"]) if asked["chosen"] == OWN else None
    if chosen is None and asked["chosen"] != OWN:
        raise Faulty("Choose a judgement.", [Fault("/chosen", "Choose one, or write your own.")])
    with transaction() as session:
        case = service.settle_adjudication(
            session,
            me(),
            case_id,
            rationale=asked["rationale"],
            chosen_id=SubmissionId(chosen) if chosen else None,
            judgement=judgement,
        )
    flash("Settled. All judgements stay; exports take this one first.", "good")
    return redirect(url_for("lab_contested.listing", job_id=case.job_id), code=303)


@contested.post("/contested/<uuid:case_id>/withdraw")
@needs(Permission.WORK_REVIEW)
def withdraw(case_id: UUID) -> Response:
    """Take the question back."""
    with transaction() as session:
        case = service.withdraw_adjudication(session, me(), case_id)
    flash("Withdrawn. Aggregation speaks for this item.", "good")
    return redirect(url_for("lab_contested.listing", job_id=case.job_id), code=303)


def _own(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        words = "Write the judgement as JSON, in the item's own names."
        raise Faulty("Your judgement cannot be read.", [Fault("/own_judgement", words)]) from None
