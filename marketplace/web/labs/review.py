"""Review: one submission at a time, with its material, its author's credentials and its rounds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.review import queries, service
from marketplace.review.models import HeldDecision
from marketplace.review.rules import Severity, Verdict
from marketplace.specialists import queries as specialists
from marketplace.tasktypes import TASK_TYPES
from marketplace.tasktypes.fields import Fields
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.work import queries as work
from marketplace.work.queries import SubmissionView

review = Blueprint("lab_review", __name__, url_prefix="/lab")
WINDOW = 50
DEFECT_ROWS = 3
DEFECT = ("what", "severity", "where")
# A submission that is looked at by itself has no neighbours.
ALONE = {"place": None, "next": None, "next_id": None, "former": None}
SAID = {
    Verdict.ACCEPT: "Accepted. Its author has earned the pay.",
    Verdict.REWORK: "Sent back. Its author sees your reasons and has the first refusal.",
    Verdict.REJECT: "Rejected. Its author sees your reasons and may appeal.",
}
HELD = (
    "Your rejection is held, and not lost: lately far more was rejected here than before. An owner "
    "of your lab and our operations look at it; nobody was told and no money moved."
)


class DecisionForm(Form):
    """A verdict and the note that goes with it."""

    verdict = fields.Enum(Verdict, by_value=True, required=True)
    note = fields.String(load_default="")


@review.get("/review")
@needs(Permission.WORK_REVIEW)
def waiting() -> str:
    """The jobs that have work waiting for a reviewer."""
    with transaction() as session:
        found = [job for (job,) in queries.waiting_jobs(session, me())]
        progress = work.progress_of_many(session, me(), found)
        rows = [(job, progress[job.id].in_review) for job in found]
    return render_template("labs/review_jobs.html", rows=rows)


@review.get("/review/<uuid:job_id>")
@needs(Permission.WORK_REVIEW)
def queue(job_id: UUID) -> str:
    """The next submission of a job, or the one asked for by `at`."""
    at = parse_id(request.args.get("at", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        views = queries.review_queue(
            session, me(), JobId(job_id), after=SubmissionId(after) if after else None, limit=WINDOW
        )
        facts = _queue_facts(session, job, views, at, after)
        return render_template("labs/review.html", **facts)


def _queue_facts(
    session: Session, job: Job, views: Any, at: UUID | None, after: UUID | None
) -> dict[str, Any]:
    ids = [view.submission.id for view in views]
    place = ids.index(at) if at in ids else 0
    facts = {"job": job, "place": place, "number": len(ids), "after": after, "view": None}
    if not ids:
        return facts
    last = place == len(ids) - 1
    next_id = None if last else ids[place + 1]
    following = None if last else _at(job, after, ids[place + 1])
    if last and len(ids) == WINDOW:
        following = url_for("lab_review.queue", job_id=job.id, after=ids[-1])
    former = _at(job, after, ids[place - 1]) if place else None
    return (
        facts
        | {"next": following, "next_id": next_id, "former": former}
        | _submission(session, job, views[place])
    )


def _at(job: Job, after: UUID | None, submission_id: UUID) -> str:
    return url_for("lab_review.queue", job_id=job.id, after=after, at=submission_id)


def _submission(session: Session, job: Job, view: SubmissionView) -> dict[str, Any]:
    """One submission with all that a person needs to judge it."""
    given = view.submission
    versions = {one.id: one for one in jobs.template_versions(session, me(), job.id)}
    version = versions.get(given.template_version_id)
    person = given.specialist_id, given.submitted_at
    attested = specialists.attested_at(session, me().organisation(), [person])
    former = work.former_rounds(session, me(), given)
    return {
        "job": job,
        "view": view,
        "given": given,
        "author": shown.author_name(given.specialist_id),
        "credentials": shown.attested_words(attested[person].credentials),
        "task_template": version.template if version else {},
        "version": version,
        "former_rounds": former,
        # Verdicts stand beside a judge's; where a model was audited, the judgement says all of it.
        "prelabels": work.prelabels_of_task(session, given.task_id)
        if TASK_TYPES[job.task_type].prelabels_told
        else [],
        "decisions": queries.decisions_of(session, [given.id, *(one.id for one in former)]),
        "severities": [("", "Not said"), *((one.value, one.value.title()) for one in Severity)],
        "defect_rows": DEFECT_ROWS,
    }


def _again() -> dict[str, Any]:
    with transaction() as session:
        facts = _one(session, (request.view_args or {})["submission_id"])
    following = parse_id(request.form.get("next", ""))
    job_id = facts["job"].id
    href = url_for("lab_review.queue", job_id=job_id, at=following) if following else None
    return facts | {"place": None, "next": href, "next_id": following, "former": None}


def _one(session: Session, submission_id: UUID) -> dict[str, Any]:
    view = work.submission_of(session, me(), SubmissionId(submission_id))
    job = jobs.job_of(session, me(), view.submission.job_id)
    return _submission(session, job, view)


@review.get("/submissions/<uuid:submission_id>")
@needs(Permission.JOBS_VIEW)
def show(submission_id: UUID) -> str:
    """One submission, to read; it can be decided on here while it waits."""
    with transaction() as session:
        facts = _one(session, submission_id)
        return render_template("labs/review.html", **facts | ALONE)


@review.post("/submissions/<uuid:submission_id>/decision")
@needs(Permission.WORK_REVIEW)
@form_page("labs/review.html", _again)
def decide(submission_id: UUID) -> Response:
    """Accept, send back or reject, then go to the next."""
    asked = load(DecisionForm)
    with transaction() as session:
        decision = service.decide(
            session,
            me(),
            SubmissionId(submission_id),
            **asked,
            defects=_defects(),
            clearance_days=settings().clearance_days,
        )
    flash(_said(decision, asked["verdict"]), "good")
    following = parse_id(request.form.get("next", ""))
    return redirect(url_for("lab_review.queue", job_id=decision.job_id, at=following), code=303)


def _said(said: service.Said, verdict: Verdict) -> str:
    return HELD if isinstance(said, HeldDecision) else SAID[verdict]


def _defects() -> list[dict[str, str]]:
    """The rows of defects that say something, in their order."""
    rows = []
    for row in Fields.of(request.form).below("defects").rows():
        said = {name: (row.below(name).one() or "").strip() for name in DEFECT}
        if said["what"] or said["where"] or said["severity"]:
            rows.append({name: text for name, text in said.items() if text})
    return rows
