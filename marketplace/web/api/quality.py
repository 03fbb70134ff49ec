"""Quality over the API: agreement in a job, its labels as they are believed, one's own skill."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.quality import queries
from marketplace.quality.rules.ballots import AuthorKind
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.web import api
from marketplace.web.guards import me, needs

quality_api = api.blueprint("quality", "How far labels and those who give them can be trusted.")


class MeasureShown(Schema):
    """One measure of agreement, with the interval that holds 90 % and the share of each label."""

    value = fields.Float()
    items = fields.Integer()
    labels = fields.Integer()
    lower = fields.Float(allow_none=True)
    upper = fields.Float(allow_none=True)
    prevalence = fields.Dict(keys=fields.String(), values=fields.Float())


class UnitShown(Schema):
    """Agreement on one unit of the judgement; null where the data cannot say.

    lower, upper: hold 90 % of alpha; kappa: only where just two people judged; measures: all of
    them, by name.
    """

    unit = fields.String()
    level = fields.String(metadata={"description": "nominal, ordinal or interval"})
    items = fields.Integer()
    labels = fields.Integer()
    agreement_ratio = fields.Float(allow_none=True)
    alpha = fields.Float(allow_none=True)
    lower = fields.Float(allow_none=True)
    upper = fields.Float(allow_none=True)
    ac1 = fields.Float(allow_none=True)
    kappa = fields.Float(allow_none=True)
    fleiss = fields.Float(allow_none=True)
    prevalence = fields.Dict(keys=fields.String(), values=fields.Float())
    measures = fields.Dict(keys=fields.String(), values=fields.Nested(MeasureShown))
    computed_at = fields.AwareDateTime()


class PairShown(Schema):
    """Two people, by your pseudonyms, on the items that both judged."""

    first = fields.String()
    second = fields.String()
    items = fields.Integer()
    agreement_ratio = fields.Float(allow_none=True)
    kappa = fields.Float(allow_none=True)


class AuthorShown(Schema):
    """How far an author's labels can be trusted; the interval holds 90 %."""

    question = fields.String()
    kind = fields.Enum(AuthorKind, by_value=True)
    author = fields.String(
        metadata={"description": "Your pseudonym of a person, or `model@version`"}
    )
    n = fields.Integer(metadata={"description": "Labels that it rests on"})
    reliability = fields.Float()
    lower = fields.Float()
    upper = fields.Float()
    bias = fields.Float(
        allow_none=True, metadata={"description": "In points, where a number is asked for"}
    )
    noise = fields.Float(
        allow_none=True, metadata={"description": "In points, where a number is asked for"}
    )


class CostShown(Schema):
    """What so many judgements would have given; accuracy is null where no gold tells it."""

    judgements = fields.Integer()
    confidence = fields.Float()
    accuracy = fields.Float(allow_none=True)


class SystemShown(Schema):
    """How strong a system is that items name: log odds around 0; the interval holds 90 %."""

    name = fields.String()
    score = fields.Float()
    lower = fields.Float()
    upper = fields.Float()
    n = fields.Integer(metadata={"description": "Comparisons or rankings that it stands in"})


class ComparingAuthorShown(Schema):
    """Who compared. reliability: 1 as the middle author, 0 as a guesser.

    side: log odds of choosing the first of two equals, always 0 for rankings.
    """

    kind = fields.Enum(AuthorKind, by_value=True)
    author = fields.String()
    reliability = fields.Float()
    side = fields.Float()
    n = fields.Integer()


class StrengthsShown(Schema):
    """The systems that the job's items compare, the strongest first."""

    method = fields.String(metadata={"description": "bradley_terry or plackett_luce"})
    n = fields.Integer(metadata={"description": "Comparisons or rankings that it rests on"})
    systems = fields.List(fields.Nested(SystemShown))
    authors = fields.List(fields.Nested(ComparingAuthorShown))


class QualityShown(Schema):
    """Agreement among the people of a job, and how far each author can be trusted.

    computed_at: null before the first submissions were looked at, which takes some seconds.
    """

    submissions = fields.Integer()
    units = fields.List(fields.Nested(UnitShown))
    pairs = fields.List(fields.Nested(PairShown))
    authors = fields.List(fields.Nested(AuthorShown))
    cost = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(CostShown)),
        metadata={"description": "Judgements bought against confidence, by question"},
    )
    strengths = fields.Nested(
        StrengthsShown,
        allow_none=True,
        metadata={"description": "Of the systems that items name in `metadata.models`, or null"},
    )
    computed_at = fields.AwareDateTime(allow_none=True)


@quality_api.get("/jobs/<uuid:job_id>/quality")
@needs(Permission.JOBS_VIEW)
@quality_api.response(200, QualityShown)
def get_quality(job_id: UUID) -> dict[str, Any]:
    """Agreement by unit and between people, authors, and cost against confidence.

    As of `computed_at`; nothing is worked out for this call.
    """
    with transaction() as session:
        known = queries.quality_of(session, me(), JobId(job_id))
        cost = queries.cost_curve(session, me(), JobId(job_id))
    shown = ("submissions", "units", "pairs", "authors", "strengths", "computed_at")
    return {name: getattr(known, name) for name in shown} | {"cost": cost}


class EstimateShown(Schema):
    """A number with the bounds that hold 90 %."""

    value = fields.Float()
    lower = fields.Float()
    upper = fields.Float()


class BelievedLabelShown(Schema):
    """What is believed of one unit of an item. n: labels it rests on; decided: gold says it.

    estimate: where a number is asked for; the label is the legal value nearest to it.
    """

    task_id = fields.UUID()
    external_id = fields.String()
    unit = fields.String()
    label = fields.String()
    confidence = fields.Float()
    n = fields.Integer()
    humans = fields.Integer()
    models = fields.Integer()
    decided = fields.Boolean()
    estimate = fields.Nested(EstimateShown, allow_none=True)


@quality_api.get("/jobs/<uuid:job_id>/labels")
@needs(Permission.JOBS_VIEW)
@quality_api.arguments(api.page_query(fields.String(load_default=None)), location="query")
@quality_api.response(200, api.listing(BelievedLabelShown))
def list_labels(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """The job's labels as they are believed now, with their confidence, by task and unit."""
    with transaction() as session:
        rows = queries.labels_of_job(
            session, me(), JobId(job_id), after=asked["after"], limit=asked["limit"] + 1
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row.cursor)


class SkillDayShown(Schema):
    """A skill at the end of a day (UTC), with the interval that holds 90 %."""

    on_date = fields.Date()
    n = fields.Integer()
    mean = fields.Float()
    lower = fields.Float()
    upper = fields.Float()


class DriftShown(Schema):
    """How far your latest work lies above the rest, with the interval that holds 90 %."""

    difference = fields.Float()
    lower = fields.Float()
    upper = fields.Float()
    recent_n = fields.Integer()
    moved = fields.Boolean()


class TaughtShown(Schema):
    """What taught a skill. agreement: 0 is wrong, 1 is right; weight: what it counts for."""

    source = fields.Enum(EvidenceSource, by_value=True)
    job = fields.Function(
        lambda row: row.job and {"reference": row.job[0], "title": row.job[1]},
        metadata={
            "type": ["object", "null"],
            "description": "Its reference and title; null for known answers together",
        },
    )
    submission_id = fields.UUID(allow_none=True)
    agreement = fields.Float()
    weight = fields.Float()
    pieces = fields.Integer()
    learned_at = fields.AwareDateTime(allow_none=True)


class SkillShown(Schema):
    """A skill in a domain and a type of task. bound: what jobs that ask for skill go by."""

    domain = fields.String()
    task_type = fields.String()
    n = fields.Integer()
    mean = fields.Float()
    bound = fields.Float()
    lower = fields.Float()
    upper = fields.Float()
    drift = fields.Nested(DriftShown, allow_none=True)
    days = fields.List(fields.Nested(SkillDayShown))
    evidence = fields.List(fields.Nested(TaughtShown))


class SkillsShown(Schema):
    """Your skills, those with the most work first."""

    skills = fields.List(fields.Nested(SkillShown))


@quality_api.get("/me/skill")
@needs(Permission.WORK_DO)
@quality_api.response(200, SkillsShown)
def get_skill() -> dict[str, Any]:
    """Your own skill over time, with what taught it.

    What known answers say is told in sums, and once their day is over.
    """
    with transaction() as session:
        return {"skills": queries.skill_history(session, me())}
