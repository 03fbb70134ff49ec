"""The receipt of one judgement: what was handed in, what judges said, and their faults."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId
from marketplace.review import queries as review
from marketplace.tasktypes import TASK_TYPES
from marketplace.tasktypes.judge_calibration import fault_tags
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists
from marketplace.web.specialists.rounds import round_facts
from marketplace.work import queries, service
from marketplace.work.models import Submission
from marketplace.work.rules import judgement_for_author


class FaultForm(Form):
    """A fault of one judge; judge: its place in the list, from 0."""

    judge = fields.Integer(required=True)
    tag = fields.String(required=True)
    dimension = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    submission_id = SubmissionId((request.view_args or {})["submission_id"])
    with transaction() as session:
        receipt = queries.receipt_of(session, me(), submission_id)
        decision = review.decisions_of(session, [submission_id]).get(submission_id)
        rounds = round_facts(session, receipt)
        until = review.appealable_until(session, [submission_id]).get(submission_id)
        former = review.appeals_of(session, [submission_id]).get(submission_id)
    tags = fault_tags(receipt.template) if receipt.judges else []
    own = judgement_for_author(receipt.submission.judgement)
    return {
        "receipt": receipt,
        "decision": decision,
        "until": until,
        "former": former,
        "tags": tags,
        "own_judgement": own,
        **rounds,
    }


def told_after(submission: Submission, task_type: str) -> str:
    """The address of a receipt that tells what judges said, for who has just handed in; empty
    where it tells nothing new."""
    if TASK_TYPES[task_type].prelabels_told is None:
        return ""
    with transaction() as session:
        judges = queries.receipt_of(session, me(), submission.id).judges
    return url_for("specialists.receipt", submission_id=submission.id) if judges else ""


@specialists.get("/submissions/<uuid:submission_id>")
@needs(Permission.WORK_DO)
def receipt(submission_id: UUID) -> str:
    """One's own judgement as it was handed in, with what may be told of it now."""
    del submission_id  # Read from the address, as the form's page does.
    return render_template("specialists/receipt.html", **_facts())


@specialists.post("/submissions/<uuid:submission_id>/judge-faults")
@needs(Permission.WORK_DO)
@form_page("specialists/receipt.html", _facts)
def name_judge_fault(submission_id: UUID) -> Response:
    """Name a judge's fault beside one's own verdict, which stays as it is."""
    asked = load(FaultForm)
    with transaction() as session:
        found = queries.receipt_of(session, me(), SubmissionId(submission_id))
        if not 0 <= asked["judge"] < len(found.judges):
            raise Faulty("Say which judge is meant.", [Fault("/judge", "Choose a judge.")])
        judge = found.judges[asked["judge"]]
        service.add_judge_fault(
            session,
            me(),
            SubmissionId(submission_id),
            model=judge["model"],
            version=judge["version"],
            tag=asked["tag"],
            dimension=asked["dimension"] or None,
        )
    flash("Noted beside your verdict, which stays as it is.", "good")
    where = url_for("specialists.receipt", submission_id=submission_id)
    return redirect(where, code=303)
