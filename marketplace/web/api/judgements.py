"""The shapes of claims, drafts and submissions, shared by the endpoints of work and review."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from marketplace.web.api.answers import MoneySchema
from marketplace.work.models import Submission
from marketplace.work.queries import ClaimView
from marketplace.work.rules import Envelope, Interval, IntervalKind, OutcomeKind


class TaskShown(Schema):
    """The task of a claim."""

    id = fields.UUID()
    job_id = fields.UUID()
    type = fields.String()
    template_version = fields.Integer()
    template = fields.Dict(keys=fields.String())
    payload = fields.Dict(keys=fields.String())
    presented_order = fields.List(fields.String())


class ClaimShown(Schema):
    """Your lease on a task; `etag` is that of its draft."""

    id = fields.UUID()
    fence = fields.Integer()
    state = fields.String()
    expires_at = fields.AwareDateTime()
    pay = fields.Nested(MoneySchema)
    etag = fields.String()
    instructions_md = fields.String()
    task = fields.Nested(TaskShown)


def claim_shown(view: ClaimView) -> dict[str, Any]:
    """The fields of `ClaimShown`."""
    claim = view.claim
    return {
        "id": claim.id,
        "fence": claim.fence,
        "state": claim.state.value,
        "expires_at": claim.expires_at,
        "pay": claim.pay,
        "etag": view.etag,
        "instructions_md": view.instructions_md,
        "task": {
            "id": claim.task_id,
            "job_id": claim.job_id,
            "type": view.job.task_type,
            "template_version": view.template_number,
            "template": view.template,
            "payload": view.payload,
            "presented_order": claim.presented_order,
        },
    }


class IntervalAsked(Schema):
    """A stretch of time on the task."""

    kind = fields.Enum(IntervalKind, by_value=True, required=True)
    started_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True)


def intervals(asked: list[dict[str, Any]]) -> list[Interval]:
    """The stretches of time of a body."""
    return [Interval(**each) for each in asked]


class HeartbeatAsked(Schema):
    """Which lease, and what the time since the last beat was."""

    fence = fields.Integer(required=True, strict=True)
    intervals = fields.List(fields.Nested(IntervalAsked), load_default=list)


class Answer(Schema):
    """A judgement in the item's own names, with what stands beside it."""

    rationale = fields.String(allow_none=True, validate=validate.Length(max=50_000))
    confidence = fields.Float(allow_none=True, validate=validate.Range(min=0, max=1))
    references = fields.List(
        fields.Dict(keys=fields.String()),
        validate=validate.Length(max=100),
        metadata={"description": "Objects such as {type, url or citation, locator, quote}"},
    )
    ai_use = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        metadata={"description": "{used: true, tool, purpose}; {used: false} when none was used"},
    )


class DraftAsked(Answer):
    """A draft may be unfinished in any way."""

    fence = fields.Integer(required=True, strict=True)
    judgement = fields.Raw(required=True, allow_none=True)


class DraftShown(Answer):
    """A saved revision."""

    judgement = fields.Raw(allow_none=True)
    revision = fields.Integer()
    saved_at = fields.AwareDateTime(allow_none=True)


class SubmissionAsked(Answer):
    """A finished answer; `next` asks for the next task in the same answer."""

    fence = fields.Integer(required=True, strict=True)
    judgement = fields.Dict(keys=fields.String(), required=True)
    intervals = fields.List(fields.Nested(IntervalAsked), load_default=list)
    next = fields.Boolean(load_default=False)


def envelope(asked: dict[str, Any]) -> Envelope:
    """The envelope of a body of `SubmissionAsked`."""
    return Envelope(
        judgement=asked["judgement"],
        rationale=asked.get("rationale"),
        confidence=asked.get("confidence"),
        references=asked.get("references", ()),
        ai_use=asked.get("ai_use"),
        intervals=intervals(asked["intervals"]),
    )


class OutcomeAsked(Schema):
    """An ending that is not an answer, with what stands in the way."""

    fence = fields.Integer(required=True, strict=True)
    kind = fields.Enum(OutcomeKind, by_value=True, required=True)
    evidence = fields.String(required=True, validate=validate.Length(max=10_000))


class SubmissionShown(Answer):
    """A submission; surplus ones are kept, though the seat had gone to somebody else."""

    id = fields.UUID()
    task_id = fields.UUID()
    job_id = fields.UUID()
    state = fields.String()
    judgement = fields.Dict(keys=fields.String())
    presented_order = fields.List(fields.String())
    pay = fields.Nested(MoneySchema)
    active_seconds = fields.Integer()
    round = fields.Integer()
    submitted_at = fields.AwareDateTime()
    decided_at = fields.AwareDateTime(allow_none=True)


SUBMISSION_NAMES = tuple(SubmissionShown().fields)


def submission_shown(submission: Submission) -> dict[str, Any]:
    """The fields of `SubmissionShown`."""
    shown = {name: getattr(submission, name) for name in SUBMISSION_NAMES}
    return shown | {"state": submission.state.value}
