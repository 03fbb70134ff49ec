"""Work over the API: the feed, claims, drafts, submissions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Response, jsonify, request
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId, JobId
from marketplace.routing import queries as routing_queries
from marketplace.routing import service as routing
from marketplace.web import api, settings
from marketplace.web.api.judgements import (
    ClaimShown,
    DraftAsked,
    DraftShown,
    HeartbeatAsked,
    OutcomeAsked,
    SubmissionAsked,
    SubmissionShown,
    claim_shown,
    envelope,
    intervals,
    own_submission_shown,
)
from marketplace.web.guards import me, needs
from marketplace.work import queries
from marketplace.work import service as work
from marketplace.work.rules import etag

work_api = api.blueprint("work", "Work: what specialists do.")


class FeedJob(Schema):
    """A job that fits you, with what to know before claiming."""

    job_id = fields.UUID()
    title = fields.String()
    domain = fields.String()
    task_type = fields.String()
    pay = fields.Nested(api.MoneySchema)
    pay_per = fields.String()
    expected_seconds = fields.Integer()
    hourly_rate = fields.Nested(api.MoneySchema)
    seats_open = fields.Integer(metadata={"description": "At most 500 are counted"})
    done_by_me = fields.Integer(metadata={"description": "At most 100 are counted"})
    ai_policy = fields.String()
    review_sample_ratio = fields.Float()
    deadline_at = fields.AwareDateTime(allow_none=True)


class FeedShown(Schema):
    """Jobs that fit, best first."""

    items = fields.List(fields.Nested(FeedJob))
    next = fields.String(allow_none=True)


@work_api.get("/feed")
@needs(Permission.WORK_DO)
@work_api.response(200, FeedShown)
def get_feed() -> dict[str, Any]:
    """Jobs that fit you and have tasks for you, best first."""
    with transaction() as session:
        entries = routing_queries.feed(session, me(), limit=50)
    items = [
        {
            "job_id": entry.job.id,
            "pay": entry.pay,
            "hourly_rate": entry.hourly_rate,
            "seats_open": entry.seats_open,
            "done_by_me": entry.done_by_me,
        }
        | {
            name: getattr(entry.job, name)
            for name in (
                "title",
                "domain",
                "task_type",
                "pay_per",
                "expected_seconds",
                "ai_policy",
                "review_sample_ratio",
                "deadline_at",
            )
        }
        for entry in entries
    ]
    return {"items": items, "next": None}


class ReasonShown(Schema):
    """One condition that you do not meet. action_url: a path of ours, null where none helps."""

    code = fields.String()
    message = fields.String()
    action_url = fields.String(allow_none=True)


class EligibilityShown(Schema):
    """Whether you may work on a job; if not, every reason, and where it can be mended."""

    eligible = fields.Boolean()
    reasons = fields.List(fields.String())
    details = fields.List(fields.Nested(ReasonShown))


@work_api.get("/jobs/<uuid:job_id>/eligibility")
@needs(Permission.WORK_DO)
@work_api.response(200, EligibilityShown)
def get_eligibility(job_id: UUID) -> routing_queries.Eligibility:
    """Whether you may work on a job, and every reason why not."""
    with transaction() as session:
        return routing_queries.eligibility(session, me(), JobId(job_id))


class ClaimAsked(Schema):
    """Which job to claim in; without one, the best that has a task for you."""

    job_id = fields.UUID(load_default=None, allow_none=True)


@work_api.post("/claims")
@api.refuses(404)
@needs(Permission.WORK_DO)
@api.once
@work_api.arguments(ClaimAsked)
@work_api.response(201, ClaimShown)
@work_api.alt_response(
    200,
    schema=Schema.from_dict(
        {
            "claim": fields.Raw(metadata={"type": "null"}),
            "reasons": fields.List(fields.String()),
        },
        name="NoClaim",
    ),
)
def post_claim(session: Session, asked: dict[str, Any]) -> Any:
    """Claim the next task; 200 with `claim: null` and reasons when there is none."""
    job_id = asked["job_id"]
    claim = routing.claim_next(session, me(), job_id=JobId(job_id) if job_id else None)
    if claim is not None:
        return claim_shown(queries.view_of(session, claim))
    # A plain answer: the schema of a claim would drop what it does not know.
    return jsonify(claim=None, reasons=["There is no further task for you at present."])


@work_api.get("/claims/<uuid:claim_id>")
@needs(Permission.WORK_DO)
@work_api.response(200, ClaimShown)
def get_claim(claim_id: UUID) -> dict[str, Any]:
    """Your claim with its task, as when it was claimed."""
    with transaction() as session:
        return claim_shown(queries.claim_of(session, me(), ClaimId(claim_id)))


class LeaseShown(Schema):
    """When the lease ends."""

    expires_at = fields.AwareDateTime()


@work_api.post("/claims/<uuid:claim_id>/heartbeat")
@needs(Permission.WORK_DO)
@work_api.arguments(HeartbeatAsked)
@work_api.response(200, LeaseShown)
def post_heartbeat(asked: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Keep the lease, and book the time; 409 `lease_lost` when somebody else has the task.

    422 for a stretch of time that ends before it begins, before the claim, or has yet to come.
    """
    with transaction() as session:
        return {
            "expires_at": work.heartbeat(
                session,
                me(),
                ClaimId(claim_id),
                fence=asked["fence"],
                intervals=intervals(asked["intervals"]),
                exact=True,
            )
        }


@work_api.get("/claims/<uuid:claim_id>/draft")
@needs(Permission.WORK_DO)
@work_api.response(200, DraftShown)
def get_draft(claim_id: UUID) -> Any:
    """The last draft with its ETag; `"0"` and an empty judgement when none was saved."""
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
    content = view.draft.content if view.draft else {"judgement": None}
    saved_at = view.draft.saved_at if view.draft else None
    revision = view.draft.revision if view.draft else 0
    return content | {"revision": revision, "saved_at": saved_at}, {"ETag": view.etag}


@work_api.put("/claims/<uuid:claim_id>/draft")
@needs(Permission.WORK_DO)
@work_api.arguments(DraftAsked)
@work_api.response(200, DraftShown)
def put_draft(asked: dict[str, Any], claim_id: UUID) -> Any:
    """Save a revision on top of the one that If-Match names; 412 when there is a later one."""
    content = {name: value for name, value in asked.items() if name != "fence"}
    with transaction() as session:
        draft = work.save_draft(
            session,
            me(),
            ClaimId(claim_id),
            fence=asked["fence"],
            content=content,
            if_match=request.headers.get("If-Match", ""),
        )
    shown = content | {"revision": draft.revision, "saved_at": draft.saved_at}
    return shown, {"ETag": etag(draft.revision)}


class RevisionShown(Schema):
    """One saved revision of a draft, with all that it held."""

    revision = fields.Integer()
    saved_at = fields.AwareDateTime()
    content = fields.Dict(keys=fields.String())


@work_api.get("/claims/<uuid:claim_id>/drafts")
@needs(Permission.WORK_DO)
@work_api.response(200, api.listing(RevisionShown))
def list_drafts(claim_id: UUID) -> dict[str, Any]:
    """All revisions of your draft, newest first, at most 200; save one again to restore it."""
    with transaction() as session:
        drafts = queries.drafts_of(session, me(), ClaimId(claim_id))
    return {"items": drafts, "next": None}


class HandedInShown(Schema):
    """The submission, and the next claim where one was wanted and found."""

    submission = fields.Nested(SubmissionShown)
    claim = fields.Nested(ClaimShown, allow_none=True)
    reasons = fields.List(fields.String())


@work_api.post("/claims/<uuid:claim_id>/submission")
@needs(Permission.WORK_DO)
@api.once
@work_api.arguments(SubmissionAsked)
@work_api.response(201, HandedInShown)
def post_submission(session: Session, asked: dict[str, Any], claim_id: UUID) -> Response:
    """Hand in the answer; with `next: true` the next task comes in the same answer.

    Sent again with the same content it gives the same submission, and no second one; with an
    Idempotency-Key the next task is the same as well.
    """
    handed_in = routing.submit_and_claim_next(
        session,
        me(),
        ClaimId(claim_id),
        fence=asked["fence"],
        envelope=envelope(asked),
        wants_next=asked["next"],
    )
    claim, given = handed_in.claim, handed_in.submission
    shown = {
        "submission": own_submission_shown(given, queries.version_of(session, given)),
        "claim": claim_shown(queries.view_of(session, claim)) if claim else None,
        "reasons": [handed_in.reason] if handed_in.reason else [],
    }
    # The busiest call of all: what the schema documents is written without going through it.
    body = orjson.dumps(shown, api.money_shown, orjson.OPT_PASSTHROUGH_DATACLASS)
    return Response(body, status=201, mimetype="application/json")


class FenceAsked(Schema):
    """Which lease is meant."""

    fence = fields.Integer(required=True, strict=True)


@work_api.post("/claims/<uuid:claim_id>/release")
@needs(Permission.WORK_DO)
@api.once
@work_api.arguments(FenceAsked)
@work_api.response(204)
def post_release(session: Session, asked: dict[str, Any], claim_id: UUID) -> Response:
    """Give the task back; your draft stays yours."""
    work.release_claim(session, me(), ClaimId(claim_id), fence=asked["fence"])
    return Response(status=204)


@work_api.post("/claims/<uuid:claim_id>/outcome")
@needs(Permission.WORK_DO)
@api.once
@work_api.arguments(OutcomeAsked)
@work_api.response(204)
def post_outcome(session: Session, asked: dict[str, Any], claim_id: UUID) -> Response:
    """End the claim without an answer: it cannot be done, or the guidelines have a gap."""
    routing.report_outcome(
        session,
        me(),
        ClaimId(claim_id),
        fence=asked["fence"],
        kind=asked["kind"],
        evidence=asked["evidence"],
        clearance_days=settings().clearance_days,
    )
    return Response(status=204)
