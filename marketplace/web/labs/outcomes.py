"""A job's reports: gaps in the instructions to close, tasks that cannot be done, extra answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.review import queries as review
from marketplace.routing import service as routing
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.work import queries as work
from marketplace.work.queries import OutcomeView
from marketplace.work.rules import OutcomeKind

outcomes = Blueprint("lab_outcomes", __name__, url_prefix="/lab/jobs")
PAGE = 50
GAPS_MAX = 200


class AnswerForm(Form):
    """The note that closes gaps, and whether the job goes on."""

    note = fields.String(load_default="")
    resume = fields.Boolean(load_default=False)


def _facts(session: Session, job: Job, before: UUID | None = None) -> dict[str, Any]:
    job_id = JobId(job.id)
    gaps = work.outcomes_of(
        session, me(), job_id, OutcomeKind.GUIDELINE_GAP, open_only=True, limit=GAPS_MAX
    )
    every_gap = work.outcomes_of(session, me(), job_id, OutcomeKind.GUIDELINE_GAP, limit=PAGE)
    stuck = work.outcomes_of(
        session, me(), job_id, OutcomeKind.CANNOT_COMPLETE, before=before, limit=PAGE + 1
    )
    last = stuck[PAGE - 1].outcome.id if len(stuck) > PAGE else None
    return shown.job_facts(job, "outcomes") | {
        "gaps": _named(gaps),
        "people": len({each.outcome.specialist_id for each in gaps}),
        "closed_gaps": _named([each for each in every_gap if each.outcome.answered_at]),
        "stuck": _named(stuck[:PAGE]),
        "last": last,
        "paid": review.paid_for(session, [each.outcome.id for each in stuck]),
        "progress": work.progress_of(session, me(), job_id),
        "money_set_aside": ledger.job_money(session, job_id, job.currency).contingency,
    }


def _named(views: list[OutcomeView] | Any) -> list[tuple[OutcomeView, str]]:
    """Each report with the pseudonym of whoever made it."""
    return [(view, shown.author_name(view.outcome.specialist_id)) for view in views]


@outcomes.get("/<uuid:job_id>/reports")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """What specialists said instead of an answer, and what the lab made of it."""
    before = parse_id(request.args.get("before", ""))
    with transaction() as session:
        facts = _facts(session, jobs.job_of(session, me(), job_id), before)
    return render_template("labs/outcomes.html", **facts)


def _again() -> dict[str, Any]:
    with transaction() as session:
        return _facts(session, jobs.job_of(session, me(), (request.view_args or {})["job_id"]))


@outcomes.post("/<uuid:job_id>/reports")
@needs(Permission.JOBS_EDIT)
@form_page("labs/outcomes.html", _again)
def answer(job_id: UUID) -> Response:
    """Close the chosen gaps with a note that the instructions keep."""
    asked = load(AnswerForm)
    chosen = [found for text in request.form.getlist("gap") if (found := parse_id(text))]
    if not chosen:
        fault = Fault("/gap", "Choose at least one of the reports.")
        raise Faulty("Say which reports your note answers.", [fault])
    with transaction() as session:
        closed = routing.close_gaps(
            session, me(), JobId(job_id), chosen, note=asked["note"], resume=asked["resume"]
        )
        resumed = asked["resume"] and jobs.job_of(session, me(), job_id).pause_reason is None
    words = "1 report is" if closed == 1 else f"{closed} reports are"
    again = " The job hands out tasks again." if resumed else ""
    flash(f"Your note is part of the instructions now, and {words} answered.{again}", "good")
    return redirect(url_for("lab_outcomes.of_job", job_id=job_id), code=303)
