"""A job's rules of review, and what became of its reviewers' verdicts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.review import queries, service
from marketplace.review.rules import Policy
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

review_rules = Blueprint("lab_review_rules", __name__, url_prefix="/lab/jobs")


class RulesForm(Form):
    """How soon, how often twice, and whether a third person settles."""

    days_max = fields.Integer(required=True)
    second_look_percent = fields.Float(required=True)
    adjudicates = fields.Boolean(load_default=False)


def _facts() -> dict[str, Any]:
    job_id = JobId((request.view_args or {})["job_id"])
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        policy = queries.policy_of(session, job_id)
        may_edit = me().may(Permission.JOBS_EDIT)
        records = queries.reviewer_records(session, me(), job_id) if may_edit else []
        people = identity.people_by_ids(session, {one.reviewer_id for one in records})
        share = queries.accepted_share(session, me(), job_id)
    values = {
        "days_max": policy.days_max,
        "second_look_percent": f"{policy.second_look_ratio * 100:g}",
        "adjudicates": policy.adjudicates,
    }
    return shown.job_facts(job, "review") | {
        "values": values,
        "records": [(one, people.get(one.reviewer_id, "Somebody")) for one in records],
        "share": share,
        "may_edit": may_edit,
    }


@review_rules.get("/<uuid:job_id>/review-rules")
@needs(Permission.WORK_REVIEW)
def show(job_id: UUID) -> str:
    """A job's rules of review, with its reviewers in numbers."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/review_rules.html", **_facts())


@review_rules.post("/<uuid:job_id>/review-rules")
@needs(Permission.JOBS_EDIT)
@form_page("labs/review_rules.html", _facts)
def change(job_id: UUID) -> Response:
    """Change the rules; what waits keeps its date."""
    asked = load(RulesForm)
    policy = Policy(asked["days_max"], asked["second_look_percent"] / 100, asked["adjudicates"])
    try:
        with transaction() as session:
            service.set_policy(session, me(), JobId(job_id), policy)
    except Faulty as error:
        raise Faulty(error.message, [_at_field(fault) for fault in error.faults]) from None
    flash("These rules hold for answers that come in from now on.", "good")
    return redirect(url_for("lab_review_rules.show", job_id=job_id), code=303)


def _at_field(fault: Fault) -> Fault:
    if fault.pointer == "/second_look_ratio":
        return Fault("/second_look_percent", "Say 0 to 100.")
    return fault
