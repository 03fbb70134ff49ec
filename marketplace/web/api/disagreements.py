"""Where people differ in a job, and how sure its labels are; what was said of one's own work."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import DecisionId, JobId
from marketplace.quality import queries
from marketplace.quality.queries import Slice
from marketplace.review import queries as review
from marketplace.review.queries import RemarkFilters
from marketplace.review.rules import Severity, Verdict
from marketplace.web import api
from marketplace.web.guards import me, needs

disagreements_api = api.blueprint(
    "disagreements", "Where people differ, how sure labels are, and what was said of one's work."
)


class SliceQuery(api.page_query(fields.String(load_default=None))):  # type: ignore[misc]
    """Which items: of a unit, with one or two labels in the contest, of a field's value."""

    unit = fields.String(load_default=None)
    first = fields.String(load_default=None, metadata={"description": "A label in the contest"})
    second = fields.String(load_default=None, metadata={"description": "Another one"})
    field = fields.String(load_default=None, metadata={"description": "Of the items' metadata"})
    value = fields.String(load_default="", metadata={"description": "The field's value, as text"})


class VoiceShown(Schema):
    """What one person says, under your pseudonym for them."""

    submission_id = fields.UUID()
    author = fields.String()
    label = fields.String()
    rationale = fields.String(allow_none=True)


class DisagreementShown(Schema):
    """A unit of an item on which people may differ, with all that is said of it."""

    task_id = fields.UUID()
    item_id = fields.UUID()
    external_id = fields.String()
    unit = fields.String()
    label = fields.String(attribute="believed.label")
    confidence = fields.Float(attribute="believed.confidence")
    probabilities = fields.Dict(
        keys=fields.String(), values=fields.Float(), attribute="believed.probabilities"
    )
    humans = fields.Integer(attribute="believed.humans")
    models = fields.Integer(attribute="believed.models")
    voices = fields.List(fields.Nested(VoiceShown))


@disagreements_api.get("/jobs/<uuid:job_id>/disagreements")
@needs(Permission.JOBS_VIEW)
@disagreements_api.arguments(SliceQuery, location="query")
@disagreements_api.response(200, api.listing(DisagreementShown))
def list_disagreements(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """The labels that two people or more judged, least sure first, at most 50 at a time."""
    labels = [label for label in (asked["first"], asked["second"]) if label]
    limit = min(asked["limit"], queries.CONTESTED_MAX)
    wanted = Slice(
        unit=asked["unit"],
        labels=(labels[0], labels[-1]) if labels else None,
        field=asked["field"],
        value=asked["value"],
    )
    with transaction() as session:
        rows = queries.contested_items(
            session, me(), JobId(job_id), slice=wanted, after=asked["after"], limit=limit + 1
        )
    return api.page(rows, limit=limit, key=lambda row: row.cursor)


class BinShown(Schema):
    """Labels whose confidence lies from `lower` to below `upper`."""

    lower = fields.Float()
    upper = fields.Float()
    labels = fields.Integer()


class BoughtShown(Schema):
    """Labels that rest on so many judgements; the last stands for all beyond it, too."""

    judgements = fields.Integer()
    labels = fields.Integer()
    confidence = fields.Float()


class ShapeShown(Schema):
    """How sure the labels are, gold left out. sure: labels that reach the job's target."""

    labels = fields.Integer()
    is_part = fields.Boolean(metadata={"description": "Told by the first 50,000 labels"})
    sure = fields.Integer(allow_none=True)
    bins = fields.List(fields.Nested(BinShown))
    bought = fields.List(fields.Nested(BoughtShown))


@disagreements_api.get("/jobs/<uuid:job_id>/confidence")
@needs(Permission.JOBS_VIEW)
@disagreements_api.response(200, ShapeShown)
def get_confidence(job_id: UUID) -> queries.Shape:
    """The distribution of confidence, and on how many judgements labels rest."""
    with transaction() as session:
        return queries.confidence_shape(session, me(), JobId(job_id))


class RemarkQuery(api.PageQuery):
    """Which remarks: of a job, of a verdict, with a defect of a severity."""

    job_id = fields.UUID(load_default=None)
    verdict = fields.Enum(Verdict, by_value=True, load_default=None)
    severity = fields.Enum(Severity, by_value=True, load_default=None)


class RemarkShown(Schema):
    """A verdict on your work that says something. stands: nobody overturned it later."""

    id = fields.UUID()
    submission_id = fields.UUID()
    job_id = fields.UUID()
    job_title = fields.Function(lambda row: row.job[1], metadata={"type": "string"})
    round = fields.Integer()
    verdict = fields.Enum(Verdict, by_value=True, attribute="decision.verdict")
    note = fields.String(attribute="decision.note")
    defects = fields.List(fields.Raw(), attribute="decision.defects")
    decided_at = fields.AwareDateTime(attribute="decision.decided_at")
    stands = fields.Boolean()


@disagreements_api.get("/me/remarks")
@needs(Permission.WORK_DO)
@disagreements_api.arguments(RemarkQuery, location="query")
@disagreements_api.response(200, api.listing(RemarkShown))
def list_remarks(asked: dict[str, Any]) -> dict[str, Any]:
    """What was said of your work, newest first; `POST /submissions/{id}/appeal` answers it."""
    wanted = RemarkFilters(
        job_id=JobId(asked["job_id"]) if asked["job_id"] else None,
        verdict=asked["verdict"],
        severity=asked["severity"],
    )
    after = DecisionId(asked["after"]) if asked["after"] else None
    with transaction() as session:
        rows = review.remarks_of(
            session, me(), filters=wanted, after=after, limit=asked["limit"] + 1
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)
