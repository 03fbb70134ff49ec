"""Gold over the API: a lab's known answers, doubts about them, changing them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import ItemId, JobId, SubmissionId
from marketplace.quality import queries, service
from marketplace.quality.queries.gold import GoldRow
from marketplace.quality.rules.gold import DisputeState, GoldCause
from marketplace.review import service as review
from marketplace.secrets import pseudonym
from marketplace.web import EXTENSION, api
from marketplace.web.guards import me, needs

gold_api = api.blueprint("gold", "Gold: known answers among ordinary work.")
_JUDGEMENT = fields.Dict(allow_none=True, metadata={"description": "null: gold no more"})


class GoldShown(Schema):
    """A gold item; accuracy with its 90 % interval, null before any answer counts."""

    item_id = fields.UUID()
    external_id = fields.String()
    position = fields.Integer()
    gold = fields.Dict(allow_none=True)
    state = fields.String()
    exposures = fields.Integer()
    accuracy = fields.Dict(allow_none=True)
    disputes_open = fields.Integer()


def _gold_shown(row: GoldRow) -> dict[str, Any]:
    return {
        "item_id": row.item.id,
        "external_id": row.item.external_id,
        "position": row.item.position,
        "gold": row.item.gold,
        "state": row.state.value,
        "exposures": row.exposures,
        "accuracy": asdict(row.accuracy) if row.accuracy else None,
        "disputes_open": row.disputes,
    }


class GoldQuery(Schema):
    """after: the last position seen."""

    after = fields.Integer(load_default=0, validate=validate.Range(min=0))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


@gold_api.get("/jobs/<uuid:job_id>/gold")
@needs(Permission.JOBS_VIEW)
@gold_api.arguments(GoldQuery, location="query")
@gold_api.response(200, api.listing(GoldShown))
def list_gold(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """A job's gold, in the order of its items."""
    with transaction() as session:
        rows = queries.gold_of(
            session, me(), JobId(job_id), after=asked["after"], limit=asked["limit"] + 1
        )
    shown = [_gold_shown(row) for row in rows]
    return api.page(shown, limit=asked["limit"], key=lambda row: row["position"])


class GoldChange(Schema):
    """The judgement that is gold from now on, and why."""

    judgement = _JUDGEMENT
    note = fields.String(required=True)


@gold_api.post("/items/<uuid:item_id>/gold")
@needs(Permission.QUALITY_CONTROL)
@api.once
@gold_api.arguments(GoldChange)
@gold_api.response(200, GoldShown)
def post_gold(session: Session, asked: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """Make, correct or withdraw gold; everybody it touched is scored anew, and paid."""
    judgement = asked.get("judgement")
    review.change_gold(
        session,
        me(),
        ItemId(item_id),
        judgement=judgement,
        cause=GoldCause.WITHDRAWN if judgement is None else GoldCause.CORRECTED,
        note=asked["note"],
        clearance_days=_clearance_days(),
    )
    return _gold_shown(queries.gold_item_of(session, me(), item_id)[1])


def _clearance_days() -> int:
    return int(current_app.extensions[EXTENSION].settings.clearance_days)


class DisputeShown(Schema):
    """A doubt about gold. author: under the lab's pseudonym; null where strong authors doubt it."""

    id = fields.UUID()
    item_id = fields.UUID()
    submission_id = fields.UUID()
    author = fields.String(allow_none=True)
    reason = fields.String()
    figures = fields.Dict()
    state = fields.String()
    note = fields.String(allow_none=True)
    raised_at = fields.AwareDateTime()


def _dispute_shown(row: Any) -> dict[str, Any]:
    names = ("id", "item_id", "submission_id", "reason", "figures", "note", "raised_at")
    organisation = me().organisation_id
    named = pseudonym(str(organisation), str(row.raised_by)) if row.raised_by else None
    author = named if organisation else None
    return {name: getattr(row, name) for name in names} | {
        "state": row.state.value,
        "author": author,
    }


@gold_api.get("/jobs/<uuid:job_id>/gold/disputes")
@needs(Permission.JOBS_VIEW)
@gold_api.response(200, api.listing(DisputeShown))
def list_disputes(job_id: UUID) -> dict[str, Any]:
    """The doubts about a job's gold, open ones first; at most two hundred."""
    with transaction() as session:
        rows = queries.disputes_of(session, me(), JobId(job_id), limit=200)
    return api.page([_dispute_shown(row) for row in rows], limit=200, key=lambda row: row["id"])


class DisputeDecision(Schema):
    """How a doubt ends; judgement: the right one, where the gold is corrected."""

    outcome = fields.Enum(DisputeState, by_value=True, required=True)
    judgement = fields.Dict(allow_none=True, load_default=None)
    note = fields.String(required=True)


@gold_api.post("/gold/disputes/<uuid:dispute_id>/decision")
@needs(Permission.QUALITY_CONTROL)
@api.once
@gold_api.arguments(DisputeDecision)
@gold_api.response(200, DisputeShown)
def post_dispute_decision(
    session: Session, asked: dict[str, Any], dispute_id: UUID
) -> dict[str, Any]:
    """Keep, correct or withdraw gold that is doubted."""
    return _dispute_shown(
        review.decide_gold_dispute(
            session,
            me(),
            dispute_id,
            outcome=asked["outcome"],
            judgement=asked["judgement"],
            note=asked["note"],
            clearance_days=_clearance_days(),
        )
    )


class GoldDisputeAsked(Schema):
    """Why one's answer is right."""

    reason = fields.String(required=True)


@gold_api.post("/submissions/<uuid:submission_id>/gold-dispute")
@needs(Permission.WORK_DO)
@api.once
@gold_api.arguments(GoldDisputeAsked)
@gold_api.response(201, DisputeShown)
def post_gold_dispute(
    session: Session, asked: dict[str, Any], submission_id: UUID
) -> dict[str, Any]:
    """Dispute the gold of one's own answer, once one was told of it."""
    return _dispute_shown(
        service.dispute_gold(session, me(), SubmissionId(submission_id), reason=asked["reason"])
    )
