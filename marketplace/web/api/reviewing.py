"""Review over the API: rules, queues, defects' codes, reviewers, holds, contested items."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.review import queries, service
from marketplace.review.models import Adjudication, Brake
from marketplace.review.rules import Policy, Reason
from marketplace.review.rules import defects as named
from marketplace.secrets import pseudonym
from marketplace.tasktypes import task_type
from marketplace.web import api
from marketplace.web.api.judgements import SubmissionShown, submission_shown
from marketplace.web.guards import me, needs
from marketplace.work import queries as work

reviewing_api = api.blueprint("reviewing", "Review: rules, queues, holds and contested items.")


class PolicySchema(Schema):
    """A job's rules of review."""

    days_max = fields.Integer(required=True, strict=True, metadata={"description": "1 to 30"})
    second_look_ratio = fields.Float(
        required=True, metadata={"description": "The share of rejections looked at twice, 0 to 1"}
    )
    adjudicates = fields.Boolean(load_default=False)


@reviewing_api.get("/jobs/<uuid:job_id>/review-rules")
@needs(Permission.JOBS_VIEW)
@reviewing_api.response(200, PolicySchema)
def get_rules(job_id: UUID) -> Policy:
    """How soon answers are decided, how many rejections are looked at twice, who settles."""
    with transaction() as session:
        jobs.job_of(session, me(), job_id)
        return queries.policy_of(session, JobId(job_id))


@reviewing_api.put("/jobs/<uuid:job_id>/review-rules")
@needs(Permission.JOBS_EDIT)
@reviewing_api.arguments(PolicySchema)
@reviewing_api.response(200, PolicySchema)
def put_rules(asked: dict[str, Any], job_id: UUID) -> Policy:
    """Change them; answers that wait keep their dates."""
    with transaction() as session:
        return service.set_policy(session, me(), JobId(job_id), Policy(**asked)).policy


class QueueQuery(api.PageQuery):
    """What of a queue is asked for."""

    reason = fields.Enum(Reason, by_value=True, load_default=None)
    defect = fields.String(load_default=None, metadata={"description": "Sent back for, a code"})


class Waiting(SubmissionShown):
    """An answer that waits for a reviewer: no verdict and nobody else's judgement beside it."""

    external_id = fields.String()
    author = fields.String()
    chance = fields.Float(
        allow_none=True,
        metadata={"description": "How likely it was drawn, for weights; null without"},
    )
    reasons = fields.List(fields.String())
    due_at = fields.AwareDateTime(
        allow_none=True, metadata={"description": "Accepted by itself then, where it is set"}
    )


@reviewing_api.get("/jobs/<uuid:job_id>/review-queue")
@needs(Permission.WORK_REVIEW)
@reviewing_api.arguments(QueueQuery, location="query")
@reviewing_api.response(200, api.listing(Waiting))
def list_waiting(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """What waits for you in a job, oldest first; your second looks are among it, unmarked."""
    after = asked["after"]
    filters = queries.Filters(reason=asked["reason"], defect=asked["defect"])
    with transaction() as session:
        views = queries.review_queue(
            session,
            me(),
            JobId(job_id),
            filters=filters,
            after=SubmissionId(after) if after else None,
            limit=asked["limit"] + 1,
        )
        lots = queries.draws_of(session, [view.submission.id for view in views])
        versions = work.versions_of(session, [view.submission for view in views])
    rows = []
    for view in views:
        lot = lots.get(view.submission.id)
        rows.append(
            submission_shown(view.submission, versions[view.submission.template_version_id])
            | {
                "state": "in_review",
                "decided_at": None,
                "external_id": view.external_id,
                "author": pseudonym(str(me().organisation()), str(view.submission.specialist_id)),
                "chance": lot.chance if lot else None,
                "reasons": lot.reasons if lot else [],
                "due_at": lot.due_at if lot else None,
            }
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row["id"])


class CodeShown(Schema):
    """One thing that can be wrong with an answer."""

    code = fields.String()
    words = fields.String()


class CodesShown(Schema):
    """What can be wrong with answers of a job."""

    items = fields.List(fields.Nested(CodeShown))


@reviewing_api.get("/jobs/<uuid:job_id>/defect-codes")
@needs(Permission.JOBS_VIEW)
@reviewing_api.response(200, CodesShown)
def list_codes(job_id: UUID) -> dict[str, Any]:
    """The codes of defects under the job's newest template."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        template = jobs.template_versions(session, me(), job.id)[0].template
    codes = named.codes_of(task_type(job.task_type), template)
    return {"items": [{"code": code, "words": words} for code, words in codes]}


class ReviewerShown(Schema):
    """A reviewer's verdicts in a job; lower, upper: 90 % of the share of checked rejections that
    did not hold."""

    reviewer_id = fields.UUID()
    decided = fields.Integer()
    rejected = fields.Integer()
    checked = fields.Integer()
    overturned = fields.Integer()
    lower = fields.Float(allow_none=True)
    upper = fields.Float(allow_none=True)


class ReviewersShown(Schema):
    """The reviewers of a job."""

    items = fields.List(fields.Nested(ReviewerShown))


@reviewing_api.get("/jobs/<uuid:job_id>/reviewers")
@needs(Permission.JOBS_EDIT)
@reviewing_api.response(200, ReviewersShown)
def list_reviewers(job_id: UUID) -> dict[str, Any]:
    """Who reviewed how much, and how often somebody else saw it otherwise."""
    with transaction() as session:
        return {"items": queries.reviewer_records(session, me(), JobId(job_id))}


class HoldShown(Schema):
    """A hold on rejections: at which rate it fell, and who has confirmed."""

    id = fields.UUID()
    job_id = fields.UUID()
    reviewer_id = fields.UUID(allow_none=True)
    state = fields.String()
    rate = fields.Float()
    lower = fields.Float()
    bound = fields.Float()
    opened_at = fields.AwareDateTime()
    due_at = fields.AwareDateTime()
    lab_reason = fields.String(allow_none=True)
    operations_reason = fields.String(allow_none=True)
    release_reason = fields.String(allow_none=True)


class HoldsShown(Schema):
    """Holds, those that hold first."""

    items = fields.List(fields.Nested(HoldShown))


@reviewing_api.get("/holds")
@needs(Permission.WORK_REVIEW)
@reviewing_api.response(200, HoldsShown)
def list_holds() -> dict[str, Any]:
    """The holds on your lab's rejections, at most 200."""
    with transaction() as session:
        return {"items": queries.brakes_of(session, me(), limit=200)}


class HoldAsked(Schema):
    """Whether held rejections are confirmed or let go, and why."""

    does = fields.String(required=True, validate=validate.OneOf(["confirm", "release"]))
    reason = fields.String(required=True)


@reviewing_api.post("/holds/<uuid:hold_id>")
@needs(Permission.MEMBERS_MANAGE)
@api.once
@reviewing_api.arguments(HoldAsked)
@reviewing_api.response(200, HoldShown)
def post_hold(session: Session, asked: dict[str, Any], hold_id: UUID) -> Brake:
    """Speak as an owner of the lab; rejections are carried out once operations confirm as well."""
    release = asked["does"] == "release"
    verb = service.release_brake if release else service.confirm_brake
    return verb(session, me(), hold_id, reason=asked["reason"])


class CaseShown(Schema):
    """A contested item; judgement: what holds, once it is settled."""

    id = fields.UUID()
    task_id = fields.UUID()
    job_id = fields.UUID()
    state = fields.String()
    cause = fields.String()
    units = fields.List(fields.String())
    opened_at = fields.AwareDateTime()
    due_at = fields.AwareDateTime()
    judgement = fields.Raw(allow_none=True, metadata={"type": "object"})
    chosen_id = fields.UUID(allow_none=True)
    rationale = fields.String(allow_none=True)
    ended_at = fields.AwareDateTime(allow_none=True)


@reviewing_api.get("/jobs/<uuid:job_id>/contested")
@needs(Permission.WORK_REVIEW)
@reviewing_api.arguments(api.PageQuery, location="query")
@reviewing_api.response(200, api.listing(CaseShown))
def list_contested(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """A job's contested items in the order in which they were asked about."""
    with transaction() as session:
        rows = queries.adjudications_of(
            session, me(), JobId(job_id), after=asked["after"], limit=asked["limit"] + 1
        )
    return api.page([row[0] for row in rows], limit=asked["limit"], key=lambda row: row.id)


@reviewing_api.post("/submissions/<uuid:submission_id>/third-person")
@needs(Permission.WORK_REVIEW)
@api.once
@reviewing_api.response(201, CaseShown)
def post_third(session: Session, submission_id: UUID) -> Adjudication:
    """Ask that somebody else says which judgement of an item holds."""
    return service.ask_adjudication(session, me(), SubmissionId(submission_id))


class SettleAsked(Schema):
    """Which judgement holds: a submission's, or the one sent; and why."""

    chosen_id = fields.UUID(load_default=None)
    judgement = fields.Raw(load_default=None, metadata={"type": "object"})
    rationale = fields.String(required=True)


@reviewing_api.post("/contested/<uuid:case_id>")
@needs(Permission.WORK_REVIEW)
@api.once
@reviewing_api.arguments(SettleAsked)
@reviewing_api.response(200, CaseShown)
def post_settled(session: Session, asked: dict[str, Any], case_id: UUID) -> Adjudication:
    """Settle a contested item; every judgement stays, and exports take this one first."""
    return service.settle_adjudication(session, me(), case_id, **asked)
