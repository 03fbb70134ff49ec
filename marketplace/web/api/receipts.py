"""Receipts over the API: one's own judgement once it is in, and faults of its judges."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId
from marketplace.web import api
from marketplace.web.guards import me, needs
from marketplace.work import queries, service
from marketplace.work.rules import judgement_for_author

receipts_api = api.blueprint("receipts", "Receipts: your judgement, once it is in.")
NAME_MAX = 200


class JudgeShown(Schema):
    """What one model said; told only once your own judgement is in."""

    model = fields.String()
    version = fields.String()
    confidence = fields.Float(allow_none=True)
    payload = fields.Dict(keys=fields.String())


class FaultAsked(Schema):
    """A fault of a judge; dimension: null for its verdict as a whole."""

    model = fields.String(required=True, validate=validate.Length(max=NAME_MAX))
    version = fields.String(load_default="", validate=validate.Length(max=NAME_MAX))
    tag = fields.String(required=True, validate=validate.Length(max=40))
    dimension = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))


class AddendumShown(FaultAsked):
    """What you added to a judgement; it never changes the judgement."""

    id = fields.UUID()
    kind = fields.String()
    made_at = fields.AwareDateTime(format="iso")


class ReceiptShown(Schema):
    """Your judgement as you handed it in."""

    submission_id = fields.UUID()
    job_id = fields.UUID()
    task_type = fields.String()
    judgement = fields.Dict(keys=fields.String())
    judges = fields.List(fields.Nested(JudgeShown))
    addenda = fields.List(fields.Nested(AddendumShown))


@receipts_api.get("/submissions/<uuid:submission_id>/receipt")
@needs(Permission.WORK_DO)
@receipts_api.response(200, ReceiptShown)
def get_receipt(submission_id: UUID) -> dict[str, Any]:
    """Your own submission; with what judges said, where the job tells it afterwards."""
    with transaction() as session:
        receipt = queries.receipt_of(session, me(), SubmissionId(submission_id))
        return {
            "submission_id": receipt.submission.id,
            "job_id": receipt.job.id,
            "task_type": receipt.job.task_type,
            "judgement": judgement_for_author(receipt.submission.judgement),
            "judges": receipt.judges,
            "addenda": [each | {"made_at": _moment(each)} for each in receipt.addenda],
        }


def _moment(addendum: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(addendum["made_at"])


@receipts_api.post("/submissions/<uuid:submission_id>/judge-faults")
@needs(Permission.WORK_DO)
@api.once
@receipts_api.arguments(FaultAsked)
@receipts_api.response(201, AddendumShown)
def post_judge_fault(
    session: Session, asked: dict[str, Any], submission_id: UUID
) -> dict[str, Any]:
    """Name a fault of a judge beside your verdict, which stays as it is."""
    made = service.add_judge_fault(session, me(), SubmissionId(submission_id), **asked)
    told = {"id": made.id, "kind": made.kind.value, "made_at": made.made_at}
    return told | made.content
