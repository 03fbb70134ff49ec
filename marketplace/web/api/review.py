"""Review over the API: submissions of a job, and decisions on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId
from marketplace.review import queries
from marketplace.review import service as review
from marketplace.review.models import HeldDecision
from marketplace.review.rules import Severity, Verdict
from marketplace.secrets import pseudonym
from marketplace.web import EXTENSION, api
from marketplace.web.api.judgements import SubmissionShown, submission_shown
from marketplace.web.guards import me, needs
from marketplace.work import queries as work

review_api = api.blueprint("review", "Review: looking at work and deciding on it.")


class DefectSchema(Schema):
    """One thing wrong with an answer."""

    what = fields.String(required=True, validate=validate.Length(min=1, max=2_000))
    severity = fields.String(
        required=True, validate=validate.OneOf([each.value for each in Severity])
    )
    where = fields.String(
        validate=validate.Length(max=2_000),
        metadata={"description": "A rubric item, span, step or line, in words"},
    )
    code = fields.String(metadata={"description": "One of GET /jobs/{id}/defect-codes"})
    place = fields.String(
        metadata={"description": "A unit of the answer, such as `choice`; `rationale`; `whole`"}
    )
    start = fields.Integer(strict=True, metadata={"description": "Code points into the place"})
    end = fields.Integer(strict=True)
    fix = fields.String(
        validate=validate.Length(max=2_000), metadata={"description": "What would be right"}
    )
    guideline_version = fields.Integer(
        dump_only=True, metadata={"description": "The version of the instructions it goes by"}
    )


class DecisionShown(Schema):
    """A verdict with its reasons."""

    id = fields.UUID()
    submission_id = fields.UUID()
    verdict = fields.String()
    defects = fields.List(fields.Nested(DefectSchema))
    note = fields.String()
    decided_at = fields.AwareDateTime()
    held = fields.Boolean(
        dump_default=False,
        metadata={"description": "Held by the brake on rejections: nothing is decided yet"},
    )


class JobSubmission(SubmissionShown):
    """A submission as the lab sees it: its author under the lab's own pseudonym."""

    external_id = fields.String()
    author = fields.String()
    credential_level = fields.Integer()
    decision = fields.Nested(DecisionShown, allow_none=True)


@review_api.get("/jobs/<uuid:job_id>/submissions")
@needs(Permission.JOBS_VIEW)
@review_api.arguments(api.PageQuery, location="query")
@review_api.response(200, api.listing(JobSubmission))
def list_submissions(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """A job's submissions, oldest first."""
    after = asked["after"]
    with transaction() as session:
        views = work.submissions_of(
            session,
            me(),
            JobId(job_id),
            after=SubmissionId(after) if after else None,
            limit=asked["limit"] + 1,
        )
        ids = [view.submission.id for view in views]
        blind = queries.blind_to(session, me(), ids)
        decisions = queries.decisions_of(session, [one for one in ids if one not in blind])
        versions = work.versions_of(session, [view.submission for view in views])
    rows = [
        submission_shown(view.submission, versions[view.submission.template_version_id])
        | ({"state": "in_review", "decided_at": None} if view.submission.id in blind else {})
        | {
            "external_id": view.external_id,
            "author": pseudonym(str(me().organisation()), str(view.submission.specialist_id)),
            "credential_level": view.submission.credential_level,
            "decision": decisions.get(view.submission.id),
        }
        for view in views
    ]
    return api.page(rows, limit=asked["limit"], key=lambda row: row["id"])


class DecisionAsked(Schema):
    """A verdict; rework and reject need a note or a defect that says why."""

    verdict = fields.Enum(Verdict, by_value=True, required=True)
    defects = fields.List(fields.Nested(DefectSchema), load_default=list)
    note = fields.String(load_default="")


@review_api.post("/submissions/<uuid:submission_id>/decision")
@needs(Permission.WORK_REVIEW)
@api.once
@review_api.arguments(DecisionAsked)
@review_api.response(200, DecisionShown)
def post_decision(session: Session, asked: dict[str, Any], submission_id: UUID) -> dict[str, Any]:
    """Accept, send back or reject a submission; acceptance earns its author the pay.

    Where far more is rejected than before, a rejection is `held`: it is carried out once an owner
    of the lab and our operations confirmed it.
    """
    settings = current_app.extensions[EXTENSION].settings
    said = review.decide(
        session,
        me(),
        SubmissionId(submission_id),
        verdict=asked["verdict"],
        note=asked["note"],
        defects=asked["defects"],
        clearance_days=settings.clearance_days,
    )
    named = ("id", "submission_id", "verdict", "defects", "note", "decided_at")
    return {name: getattr(said, name) for name in named} | {"held": isinstance(said, HeldDecision)}
