"""Accepting many answers at once: those that a filter shows, after a look at the sum."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Refused
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.money import total
from marketplace.review import queries, service
from marketplace.review.rules import EndedBy, Verdict
from marketplace.web import settings
from marketplace.web.filters import count
from marketplace.web.guards import me, needs
from marketplace.web.labs import review_queue

review_batch = Blueprint("lab_review_batch", __name__, url_prefix="/lab/review")
AT_ONCE_MAX = 200


def _facts(session: Session, job_id: UUID) -> dict[str, Any]:
    job = jobs.job_of(session, me(), job_id)
    asked = review_queue.asked_of(session, job, request.values)
    views = queries.review_queue(
        session, me(), JobId(job_id), filters=asked.filters, limit=AT_ONCE_MAX
    )
    pay = total([view.submission.pay for view in views], job.currency)
    return {"job": job, "views": views, "asked": asked, "filters": asked.said, "pay": pay}


@review_batch.get("/<uuid:job_id>/accept")
@needs(Permission.WORK_REVIEW)
def ask(job_id: UUID) -> str:
    """What accepting all that is shown comes to, before it is done."""
    with transaction() as session:
        facts = _facts(session, job_id)
        return render_template("labs/review_batch.html", **facts, most=AT_ONCE_MAX)


@review_batch.post("/<uuid:job_id>/accept")
@needs(Permission.WORK_REVIEW)
def accept(job_id: UUID) -> Response:
    """Accept the answers that were shown, each in a transaction of its own.

    What came in since is not among them, and what somebody decided meanwhile is passed over.
    """
    chosen = [found for text in request.form.getlist("submission") if (found := parse_id(text))]
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        back = review_queue.asked_of(session, job, request.form).address()
    accepted = sum(_accepted(SubmissionId(one), job_id) for one in chosen[:AT_ONCE_MAX])
    left = len(chosen) - accepted
    passed = f" {count(left, 'other was', 'others were')} decided meanwhile." if left else ""
    flash(f"{count(accepted, 'answer is', 'answers are')} accepted.{passed}", "good")
    return redirect(back, code=303)


def _accepted(submission_id: SubmissionId, job_id: UUID) -> bool:
    try:
        with transaction() as session:
            said = service.decide(
                session,
                me(),
                submission_id,
                verdict=Verdict.ACCEPT,
                clearance_days=settings().clearance_days,
                ended_by=EndedBy.BATCH,
            )
            return said.job_id == job_id
    except Refused:  # Somebody else was quicker, or it is not theirs to decide.
        return False
