"""Review: one submission at a time, with its material, its author's credentials and its rounds.

Nobody's judgement stands beside it, a model's neither, until it is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, TaskId, new_id, parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.money import parse_money
from marketplace.review import queries, service
from marketplace.review.rules import Severity, Verdict
from marketplace.review.rules import defects as named
from marketplace.review.rules.rounds import changes
from marketplace.routing import service as routing
from marketplace.specialists import queries as specialists
from marketplace.tasktypes import TASK_TYPES
from marketplace.tasktypes.fields import Fields
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import review_queue, shown
from marketplace.web.labs.review_words import REASONS, defect_options, said_words
from marketplace.work import queries as work
from marketplace.work.queries import SubmissionView
from marketplace.work.rules import SubmissionState

review = Blueprint("lab_review", __name__, url_prefix="/lab")
DEFECT_ROWS = 3
DEFECT = ("what", "severity", "where", "code", "place", "fix")
# A submission that is looked at by itself has no neighbours.
ALONE: Mapping[str, Any] = {
    "place": None,
    "next": None,
    "next_id": None,
    "former": None,
    "filters": {},
}


class BonusForm(Form):
    """What a submission is given beyond its price, and the words that its author reads."""

    amount = fields.String(required=True, error_messages={"required": "Write an amount."})
    words = fields.String(load_default="")
    once = fields.String(required=True)


class DecisionForm(Form):
    """A verdict and the note that goes with it."""

    verdict = fields.Enum(Verdict, by_value=True, required=True)
    note = fields.String(load_default="")


@review.get("/review")
@needs(Permission.WORK_REVIEW)
def waiting() -> str:
    """The jobs that have work waiting for this reviewer, and what holds."""
    with transaction() as session:
        found = [job for (job,) in queries.waiting_jobs(session, me())]
        numbers = queries.waiting_counts(session, me(), [job.id for job in found])
        rows = [(job, numbers.get(job.id, 0)) for job in found]
        holds = [each for each in queries.brakes_of(session, me()) if each.ended_at is None]
    return render_template("labs/review_jobs.html", rows=rows, holds=holds)


@review.get("/review/<uuid:job_id>")
@needs(Permission.WORK_REVIEW)
def queue(job_id: UUID) -> str:
    """The next submission of a job, or the one asked for by `at`."""
    at = parse_id(request.args.get("at", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        asked = review_queue.asked_of(session, job, request.args)
        views = review_queue.window_of(session, asked, after)
        facts: dict[str, Any] = review_queue.neighbours(asked, views, at, after)
        newest = jobs.template_versions(session, me(), job.id)[0]
        facts |= review_queue.options_of(asked, newest.template) | {"job": job}
        facts["progress"] = queries.review_progress(session, JobId(job.id))
        if facts["view"] is not None:
            facts |= _submission(session, job, facts["view"])
        return render_template("labs/review.html", **facts)


def _submission(session: Session, job: Job, view: SubmissionView) -> dict[str, Any]:
    """One submission with all that a person needs to judge it, and nothing that would lead them."""
    given = view.submission
    versions = {one.id: one for one in jobs.template_versions(session, me(), job.id)}
    version = versions.get(given.template_version_id)
    template = version.template if version else {}
    person = given.specialist_id, given.submitted_at
    attested = specialists.attested_at(session, me().organisation(), [person])
    former = work.former_rounds(session, me(), given)
    lot = queries.draws_of(session, [given.id]).get(given.id)
    decisions = dict(queries.decisions_of(session, [given.id, *(one.id for one in former)]))
    blind = bool(queries.blind_to(session, me(), [given.id]))
    if blind:
        decisions.pop(given.id, None)
    decided = given.id in decisions
    return {
        "job": job,
        "view": view,
        "given": given,
        "shown_state": "in_review" if blind else given.state.value,
        "waits": blind or given.decided_at is None,
        "held": bool(queries.held_submissions(session, [given.id])),
        "author": shown.author_name(given.specialist_id),
        "credentials": shown.attested_words(attested[person].credentials),
        "task_template": template,
        "version": version,
        "former_rounds": former,
        "changed": changes(former[-1].judgement, given.judgement) if former else [],
        "said_why": (former[-1].rationale or "", given.rationale or "") if former else None,
        # Judges' verdicts stand beside an answer once it is decided, so that they lead nobody.
        "prelabels": work.prelabels_of_task(session, given.task_id)
        if decided and TASK_TYPES[job.task_type].prelabels_told
        else [],
        "others": _others(session, given) if decided else None,
        "decisions": decisions,
        "bonuses": queries.bonuses_of(session, [given.id]),
        "bonus_allowed": given.state in {SubmissionState.ACCEPTED, SubmissionState.SURPLUS_ACCEPTED}
        and me().may(Permission.JOBS_PUBLISH),
        "bonus_once": str(new_id()),
        "lot": lot,
        "why_drawn": [words for key, words in REASONS.items() if lot and key.value in lot.reasons],
        "defect_rows": DEFECT_ROWS,
    } | defect_options(job, template, given.judgement)


def _others(session: Session, given: Any) -> list[tuple[str, Any]]:
    """(pseudonym, submission) of the other judgements that count for the same item."""
    counted = queries.counted_of(session, TaskId(given.task_id))
    return [(shown.author_name(one.specialist_id), one) for one in counted if one.id != given.id]


def _again() -> dict[str, Any]:
    with transaction() as session:
        facts = _one(session, (request.view_args or {})["submission_id"])
        asked = review_queue.asked_of(session, facts["job"], request.form)
    following = parse_id(request.form.get("next", ""))
    href = asked.address(at=following) if following else None
    neighbours = {"place": None, "next": href, "next_id": following, "former": None}
    return facts | neighbours | {"filters": asked.said}


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
        return render_template("labs/review.html", **{**facts, **ALONE})


@review.post("/submissions/<uuid:submission_id>/decision")
@needs(Permission.WORK_REVIEW)
@form_page("labs/review.html", _again)
def decide(submission_id: UUID) -> Response:
    """Accept, send back or reject, then go to the next."""
    asked = load(DecisionForm)
    with transaction() as session:
        view = work.submission_of(session, me(), SubmissionId(submission_id))
        job = jobs.job_of(session, me(), view.submission.job_id)
        where = review_queue.asked_of(session, job, request.form)
        said = service.decide(
            session,
            me(),
            SubmissionId(submission_id),
            **asked,
            defects=_defects(_codes(session, job, view)),
            clearance_days=settings().clearance_days,
        )
    flash(said_words(said, asked["verdict"]), "good")
    return redirect(where.address(at=parse_id(request.form.get("next", ""))), code=303)


@review.post("/submissions/<uuid:submission_id>/bonus")
@needs(Permission.JOBS_PUBLISH)
@form_page("labs/review.html", _again)
def give_bonus(submission_id: UUID) -> Response:
    """Give the author a bonus out of what the lab has available."""
    asked = load(BonusForm)
    with transaction() as session:
        pay = work.submission_of(session, me(), SubmissionId(submission_id)).submission.pay
        bonus = routing.give_bonus(
            session,
            me(),
            SubmissionId(submission_id),
            parse_money(asked["amount"], pay.currency),
            words=asked["words"],
            once_key=asked["once"],
            clearance_days=settings().clearance_days,
        )
    flash(f"Given: {bonus.amount}, and {bonus.fee} of fee. Its author is told.", "good")
    return redirect(url_for("lab_review.show", submission_id=submission_id), code=303)


@review.post("/submissions/<uuid:submission_id>/third-person")
@needs(Permission.WORK_REVIEW)
def ask_third(submission_id: UUID) -> Response:
    """Ask that somebody else says which judgement of an item holds."""
    with transaction() as session:
        case = service.ask_adjudication(session, me(), SubmissionId(submission_id))
    flash("Asked. Another reviewer of your lab says which judgement holds.", "good")
    return redirect(url_for("lab_contested.show", case_id=case.id), code=303)


def _codes(session: Session, job: Job, view: SubmissionView) -> dict[str, str]:
    template = work.version_of(session, view.submission).template
    return dict(named.codes_of(TASK_TYPES[job.task_type], template))


def _defects(codes: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of defects that say something, in their order; a code alone speaks for itself."""
    rows = []
    for row in Fields.of(request.form).below("defects").rows():
        said = {name: (row.below(name).one() or "").strip() for name in DEFECT}
        if said["code"] in codes:
            said["what"] = said["what"] or codes[said["code"]]
            said["severity"] = said["severity"] or Severity.MAJOR
        if any(said.values()):
            rows.append({name: text for name, text in said.items() if text})
    return rows
