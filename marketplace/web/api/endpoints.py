"""Model endpoints over the API; a key goes in and never comes out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.endpoints import queries, service
from marketplace.endpoints.rules import OUTCOME_WORDS, Outcome
from marketplace.identity.rules import Permission
from marketplace.web import api
from marketplace.web.endpoints import tried
from marketplace.web.guards import me, needs

endpoints_api = api.blueprint("model_endpoints", "Model endpoints: where your models answer.")


class EndpointChange(Schema):
    """What may change. api_key: null forgets it; left out, it stays, unless base_url changes."""

    base_url = fields.String()
    model = fields.String()
    api_key = fields.String(allow_none=True, load_only=True)
    system_prompt = fields.String()
    temperature = fields.Float(allow_none=True)
    top_p = fields.Float(allow_none=True)
    limit_field = fields.String()
    tokens_a_turn_max = fields.Integer(strict=True)
    turns_max = fields.Integer(strict=True)
    calls_a_job_max = fields.Integer(strict=True)
    timeout_seconds = fields.Integer(strict=True)


class NewEndpoint(EndpointChange):
    """A new endpoint. name: as templates call it; it stays for good."""

    name = fields.String(required=True)
    base_url = fields.String(required=True)
    model = fields.String(required=True)


class EndpointShown(EndpointChange):
    """An endpoint. has_key: whether one is kept; version: counts changes; test_outcome: of the
    last try of this version."""

    id = fields.UUID()
    name = fields.String()
    has_key = fields.Function(
        lambda endpoint: endpoint.api_key is not None, metadata={"type": "boolean"}
    )
    version = fields.Integer()
    created_at = fields.AwareDateTime()
    retired_at = fields.AwareDateTime(allow_none=True)
    tested_at = fields.AwareDateTime(allow_none=True)
    test_outcome = fields.String(allow_none=True)


class TestShown(Schema):
    """How a try ended. reply: what the model said, empty unless it answered."""

    outcome = fields.String()
    message = fields.String()
    reply = fields.String()
    seconds = fields.Float()


@endpoints_api.post("/model-endpoints")
@needs(Permission.JOBS_EDIT)
@api.once
@endpoints_api.arguments(NewEndpoint)
@endpoints_api.response(201, EndpointShown)
def post_endpoint(session: Session, asked: dict[str, Any]) -> Any:
    """Set up an endpoint."""
    return service.create_endpoint(session, me(), asked)


@endpoints_api.get("/model-endpoints")
@needs(Permission.JOBS_VIEW)
@endpoints_api.arguments(api.PageQuery, location="query")
@endpoints_api.response(200, api.listing(EndpointShown))
def list_endpoints(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's endpoints that are not retired, newest first."""
    with transaction() as session:
        rows = queries.endpoints_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


@endpoints_api.get("/model-endpoints/<uuid:endpoint_id>")
@needs(Permission.JOBS_VIEW)
@endpoints_api.response(200, EndpointShown)
def get_endpoint(endpoint_id: UUID) -> Any:
    """One endpoint."""
    with transaction() as session:
        return queries.endpoint_of(session, me(), endpoint_id)


@endpoints_api.patch("/model-endpoints/<uuid:endpoint_id>")
@needs(Permission.JOBS_EDIT)
@api.once
@endpoints_api.arguments(EndpointChange)
@endpoints_api.response(200, EndpointShown)
def patch_endpoint(session: Session, asked: dict[str, Any], endpoint_id: UUID) -> Any:
    """Change what is given."""
    return service.change_endpoint(session, me(), endpoint_id, asked)


@endpoints_api.delete("/model-endpoints/<uuid:endpoint_id>")
@needs(Permission.JOBS_EDIT)
@endpoints_api.response(204)
def delete_endpoint(endpoint_id: UUID) -> Response:
    """Retire it: nothing is asked there any more, and its key is gone."""
    with transaction() as session:
        service.retire_endpoint(session, me(), endpoint_id)
    return Response(status=204)


@endpoints_api.post("/model-endpoints/<uuid:endpoint_id>/test")
@needs(Permission.JOBS_EDIT)
@endpoints_api.response(200, TestShown)
def post_test(endpoint_id: UUID) -> dict[str, Any]:
    """Ask the model one small question; it counts against no job."""
    reply = tried(me(), endpoint_id)
    return {
        "outcome": Outcome(reply.outcome).value,
        "message": OUTCOME_WORDS[reply.outcome],
        "reply": reply.text,
        "seconds": reply.seconds,
    }
