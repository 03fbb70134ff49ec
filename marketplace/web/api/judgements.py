"""The shapes of claims, drafts and submissions, shared by the endpoints of work and review."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from marketplace.jobs.models import TemplateVersion
from marketplace.web.api.answers import MoneySchema
from marketplace.work.models import Submission
from marketplace.work.queries import ClaimView
from marketplace.work.rules import (
    CONFIDENCE_ANCHORS,
    Envelope,
    EvidenceKind,
    Flag,
    Interval,
    IntervalKind,
    OutcomeKind,
    judgement_for_author,
)
from marketplace.work.rules.envelope import (
    CLAIMS_MAX,
    NOTE_LENGTH_MAX,
    NOTES_MAX,
    REFERENCE_TYPES,
    REFERENCES_MAX,
)

ANCHORS = "; ".join(f"{share}: {words}" for share, _, words in CONFIDENCE_ANCHORS)


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

    @validates_schema
    def ends_after_it_begins(self, sent: dict[str, Any], **_: Any) -> None:
        """Refuse a stretch that runs backwards."""
        if sent["ended_at"] <= sent["started_at"]:
            raise ValidationError("A stretch of time ends after it begins.", "ended_at")


class TimeNoteAsked(IntervalAsked):
    """What you say of a stretch of your time, whenever it was reported."""

    note = fields.String(required=True, validate=validate.Length(min=1, max=NOTE_LENGTH_MAX))


def intervals(asked: list[dict[str, Any]]) -> list[Interval]:
    """The stretches of time of a body."""
    return [Interval(**each) for each in asked]


class HeartbeatAsked(Schema):
    """Which lease, and what the time since the last beat was."""

    fence = fields.Integer(required=True, strict=True)
    intervals = fields.List(fields.Nested(IntervalAsked), load_default=list)


class Reference(Schema):
    """A source: an address, or a citation in words. accessed_at: the day you read it."""

    type = fields.String(required=True, validate=validate.OneOf(REFERENCE_TYPES))
    url = fields.String()
    citation = fields.String()
    locator = fields.String(metadata={"description": "Page, section, paragraph"})
    quote = fields.String(metadata={"description": "Its words"})
    accessed_at = fields.String()


class RationaleClaim(Schema):
    """One reason of the rationale, with what it rests on."""

    text = fields.String(required=True)
    evidence = fields.List(
        fields.Dict(keys=fields.String()),
        metadata={
            "description": f"Objects with a kind ({', '.join(EvidenceKind)}) and what it points at,"
            " such as {kind: span, field, start, end} or {kind: line, path, line, side}"
        },
    )


class Answer(Schema):
    """A judgement in the item's own names, with what stands beside it."""

    rationale = fields.String(
        allow_none=True, dump_default=None, validate=validate.Length(max=50_000)
    )
    rationale_claims = fields.List(
        fields.Nested(RationaleClaim), dump_default=list, validate=validate.Length(max=CLAIMS_MAX)
    )
    confidence = fields.Float(
        allow_none=True,
        dump_default=None,
        validate=validate.Range(min=0, max=1),
        metadata={"description": f"The chance that you are right. {ANCHORS}"},
    )
    references = fields.List(
        fields.Nested(Reference),
        dump_default=list,
        validate=validate.Length(max=REFERENCES_MAX),
    )
    flags = fields.List(
        fields.String(validate=validate.OneOf([each.value for each in Flag])), dump_default=list
    )
    ai_use = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        dump_default=None,
        metadata={"description": "{used: true, tool, purpose}; {used: false} when none was used"},
    )


class DraftAsked(Answer):
    """A draft may be unfinished in any way."""

    fence = fields.Integer(required=True, strict=True)
    judgement = fields.Raw(
        required=True,
        allow_none=True,
        metadata={"description": "As far as it is written: any value, or null."},
    )


class DraftShown(Answer):
    """A saved revision."""

    judgement = fields.Raw(
        allow_none=True, metadata={"description": "As far as it is written; null before."}
    )
    revision = fields.Integer()
    saved_at = fields.AwareDateTime(allow_none=True)


class SubmissionAsked(Answer):
    """A finished answer; `next` asks for the next task in the same answer."""

    fence = fields.Integer(required=True, strict=True)
    judgement = fields.Dict(keys=fields.String(), required=True)
    intervals = fields.List(fields.Nested(IntervalAsked), load_default=list)
    time_notes = fields.List(
        fields.Nested(TimeNoteAsked), load_default=list, validate=validate.Length(max=NOTES_MAX)
    )
    next = fields.Boolean(load_default=False)


def envelope(asked: dict[str, Any]) -> Envelope:
    """The envelope of a body of `SubmissionAsked`."""
    return Envelope(
        judgement=asked["judgement"],
        rationale=asked.get("rationale"),
        confidence=asked.get("confidence"),
        references=asked.get("references", ()),
        ai_use=asked.get("ai_use"),
        rationale_claims=asked.get("rationale_claims", ()),
        flags=asked.get("flags", ()),
        time_notes=intervals(asked["time_notes"]),
        intervals=intervals(asked["intervals"]),
    )


class OutcomeAsked(Schema):
    """An ending that is not an answer, with what stands in the way."""

    fence = fields.Integer(required=True, strict=True)
    kind = fields.Enum(OutcomeKind, by_value=True, required=True)
    evidence = fields.String(
        load_default="",
        validate=validate.Length(max=10_000),
        metadata={"description": "What you saw; who opts out need say nothing"},
    )


class Guidelines(Schema):
    """The instructions that the author had: the version of the template, and their hash."""

    version = fields.Integer()
    sha256 = fields.String()


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
    spent = fields.List(
        fields.Dict(keys=fields.String()),
        metadata={"description": "The time in stretches: kind, started_at, ended_at, note"},
    )
    template_version = fields.Integer()
    guidelines = fields.Nested(Guidelines)
    repeats_submission_id = fields.UUID(
        allow_none=True,
        metadata={
            "description": "For the lab: the author's own earlier answer, where the task was asked "
            "once more; such an answer never counts for its task"
        },
    )
    round = fields.Integer()
    submitted_at = fields.AwareDateTime()
    decided_at = fields.AwareDateTime(allow_none=True)


OF_VERSION = {"template_version", "guidelines"}
SUBMISSION_NAMES = tuple(name for name in SubmissionShown().fields if name not in OF_VERSION)


def submission_shown(submission: Submission, version: TemplateVersion) -> dict[str, Any]:
    """The fields of `SubmissionShown` for a lab, with the version that the author had."""
    shown = {name: getattr(submission, name) for name in SUBMISSION_NAMES}
    return shown | {
        "state": submission.state.value,
        "template_version": version.number,
        "guidelines": {
            "version": version.number,
            "sha256": bytes(version.instructions_sha256).hex(),
        },
    }


def own_submission_shown(submission: Submission, version: TemplateVersion) -> dict[str, Any]:
    """The same for its author, who is not told which tasks were asked once more."""
    shown = submission_shown(submission, version)
    told = {"state": submission.state_for_author.value, "repeats_submission_id": None}
    return shown | told | {"judgement": judgement_for_author(submission.judgement)}
