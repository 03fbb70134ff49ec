"""`GET /api/v1/statement`: what a specialist earned, and the way of each task's pay."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.payouts import queries
from marketplace.payouts.queries import TaskPay
from marketplace.web import api
from marketplace.web.guards import me, needs
from marketplace.web.pay_words import steps_of


class StepShown(Schema):
    """One step on the way of pay."""

    code = fields.String(
        metadata={
            "description": "accepted, clears, available, waiting, in_run, sending, unknown, "
            "transferred, bank, bank_pending, bank_paid, bank_failed, reversed or netted"
        }
    )
    at = fields.AwareDateTime(
        allow_none=True, metadata={"description": "When it was, or will be where `due`"}
    )
    due = fields.Boolean(metadata={"description": "Whether it is still to come"})
    words = fields.String()


class EarningShown(Schema):
    """Pay of one accepted submission, or of a task that could not be done."""

    id = fields.UUID()
    kind = fields.String(
        metadata={"description": "accepted, surplus (an extra answer) or cannot_complete"}
    )
    submission_id = fields.UUID(allow_none=True)
    job_title = fields.String()
    amount = fields.Nested(api.MoneySchema)
    accrued_at = fields.AwareDateTime()
    clears_at = fields.AwareDateTime()
    cleared_at = fields.AwareDateTime(allow_none=True)
    reversed_at = fields.AwareDateTime(allow_none=True)
    state = fields.String(
        metadata={
            "description": "pending, available, payout_reserved, sent, paid (in the bank), "
            "returned, netted or reversed"
        }
    )
    payout_runs = fields.List(
        fields.String(), metadata={"description": "References such as PO-2026-0042"}
    )
    timeline = fields.List(fields.Nested(StepShown))


statement_api = api.blueprint("statement", "A specialist's earnings and their way to the bank.")


@statement_api.get("/statement")
@needs(Permission.EARNINGS_VIEW)
@statement_api.arguments(api.PageQuery, location="query")
@statement_api.response(200, api.listing(EarningShown))
def get_statement(asked: dict[str, Any]) -> dict[str, Any]:
    """What you earned, newest first, when it clears, and in which payout it went out."""
    with transaction() as session:
        found = queries.task_pay(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return api.page(
        [_shown(each) for each in found], limit=asked["limit"], key=lambda row: row["id"]
    )


def _shown(task: TaskPay) -> dict[str, Any]:
    accrual = task.accrual
    names = ("id", "submission_id", "amount", "accrued_at", "clears_at", "cleared_at")
    return {name: getattr(accrual, name) for name in names} | {
        "kind": accrual.kind.value,
        "reversed_at": accrual.reversed_at,
        "job_title": task.job_title,
        "state": task.state,
        "payout_runs": [part.run.reference for part in task.parts if part.run is not None],
        "timeline": [
            {"code": step.code, "at": step.at, "due": step.due, "words": step.words}
            for step in steps_of(task)
        ],
    }
