"""Hybrid pipelines over the API: the policy, its progress and estimates, and each item's route."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from marshmallow.validate import OneOf, Range
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.jobs import queries as jobs
from marketplace.quality import queries, service
from marketplace.quality.models import Pipeline
from marketplace.quality.rules.pipeline import ROUNDS_MAX, Route
from marketplace.web import api
from marketplace.web.guards import me, needs

pipelines_api = api.blueprint(
    "pipelines", "Hybrid pipelines: models first, specialists for what is unsure."
)


class PipelineAsked(Schema):
    """The policy. confidence_target: 0.5..0.999, what is sure enough; audit_ratio: the share of
    sure items that specialists look at; items_max: the most items that specialists judge, for
    which money is reserved; slice_field: a field of the items' metadata; rounds_max: how often
    more is sent where the audit finds errors; kept_share: 0..0.9, the part of items_max that unsure
    items leave to the audit and to later rounds, half to each."""

    confidence_target = fields.Decimal(required=True)
    audit_ratio = fields.Decimal(required=True)
    items_max = fields.Integer(required=True, strict=True)
    slice_field = fields.String(load_default=None, allow_none=True)
    rounds_max = fields.Integer(load_default=ROUNDS_MAX, strict=True)
    # The description of the API is JSON, which knows no decimal.
    kept_share = fields.Decimal(
        load_default=service.KEPT_SHARE_USUAL,
        metadata={"default": float(service.KEPT_SHARE_USUAL)},
    )


class PipelineRoundShown(Schema):
    """What one round found in each slice and sent."""

    number = fields.Integer()
    made_at = fields.AwareDateTime()
    sent = fields.Function(lambda one: one.facts["sent"], metadata={"type": "integer"})
    slices = fields.Function(
        lambda one: one.facts["slices"], metadata={"type": "array", "items": {"type": "object"}}
    )


class PipelineShown(Schema):
    """The policy with what is known. report: of the last computing, None before the first: routes,
    the accuracy of models alone and of the labels, by slice, shares and means, each with a 90 %
    interval; null where the audit does not carry it yet, `wanting` then says about how many more
    audited items do."""

    state = fields.String()
    confidence_target = fields.Float()
    audit_ratio = fields.Float()
    items_max = fields.Integer()
    slice_field = fields.String(allow_none=True)
    rounds_max = fields.Integer()
    kept_share = fields.Float()
    round = fields.Integer()
    seed = fields.Integer()
    items_routed = fields.Integer()
    items_seated = fields.Integer()
    item_count = fields.Integer()
    computed_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)
    report = fields.Raw(allow_none=True, metadata={"type": "object"})
    rounds = fields.List(fields.Nested(PipelineRoundShown))


class PipelineRouteShown(Schema):
    """One item: its route with the reason, the chance with which specialists were to see it, and
    how sure models were of it when it was routed."""

    external_id = fields.String()
    position = fields.Integer()
    route = fields.String()
    reason = fields.String()
    round = fields.Integer()
    inclusion = fields.Float()
    confidence = fields.Float()
    slice = fields.String()


class RoutesQuery(Schema):
    """A page of routes; after: the last position seen."""

    after = fields.Integer(load_default=0, validate=Range(min=0, max=2**40))
    limit = fields.Integer(load_default=50, validate=Range(min=1, max=200))
    route = fields.String(load_default=None, validate=OneOf([*Route]))


class PipelineRoutesShown(Schema):
    """Routes in the order of their items; next: the position to go on after, or null."""

    items = fields.List(fields.Nested(PipelineRouteShown))
    next = fields.Integer(allow_none=True)


def _found(session: Any, job_id: UUID) -> Pipeline:
    found = queries.pipeline_of(session, me(), job_id)
    if found is None:
        raise Missing("This job has no pipeline: specialists judge every item.")
    return found


def _answer(job_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        found = _found(session, job_id)
        facts = {name: getattr(found, name, None) for name in PipelineShown().fields}
        return facts | {
            "state": found.state.value,
            "item_count": job.item_count,
            "items_seated": job.items_seated,
            "rounds": queries.rounds_of(session, me(), job_id),
        }


@pipelines_api.get("/jobs/<uuid:job_id>/pipeline")
@needs(Permission.JOBS_VIEW)
@pipelines_api.response(200, PipelineShown)
def get_pipeline(job_id: UUID) -> dict[str, Any]:
    """The policy, how far it is, and what is known of the whole set; 404 without a pipeline."""
    return _answer(job_id)


@pipelines_api.put("/jobs/<uuid:job_id>/pipeline")
@needs(Permission.JOBS_EDIT)
@pipelines_api.arguments(PipelineAsked)
@pipelines_api.response(200, PipelineShown)
def put_pipeline(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Let models judge first in a draft; 409 once it is published. The same again changes
    nothing."""
    with transaction() as session:
        service.set_pipeline(session, me(), job_id, **asked)
    return _answer(job_id)


@pipelines_api.delete("/jobs/<uuid:job_id>/pipeline")
@needs(Permission.JOBS_EDIT)
@pipelines_api.response(204)
def delete_pipeline(job_id: UUID) -> Response:
    """Let specialists judge every item of a draft again."""
    with transaction() as session:
        service.drop_pipeline(session, me(), job_id)
    return Response(status=204)


@pipelines_api.get("/jobs/<uuid:job_id>/pipeline/items")
@needs(Permission.JOBS_VIEW)
@pipelines_api.arguments(RoutesQuery, location="query")
@pipelines_api.response(200, PipelineRoutesShown)
def list_routes(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Every item's route with its reason, in the order of the items."""
    route = Route(asked["route"]) if asked["route"] else None
    with transaction() as session:
        found = _found(session, job_id)
        rows = queries.routes_of(
            session, me(), job_id, route=route, after=asked["after"], limit=asked["limit"]
        )
        names = found.slices
    items = [
        {"external_id": external_id, "slice": names[item.slice] if names else ""}
        | {
            name: getattr(item, name)
            for name in ("position", "route", "reason", "round", "inclusion", "confidence")
        }
        for item, external_id in rows
    ]
    last = items[-1]["position"] if len(items) == asked["limit"] else None
    return {"items": items, "next": last}
