"""Webhooks over the API: endpoints, their secrets, what was delivered, and once more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.delivery.models import WebhookEndpoint
from marketplace.delivery.queries import webhooks as queries
from marketplace.delivery.rules.webhooks import (
    DESCRIPTION_MAX,
    KINDS_MAX,
    OVERLAP_MAX,
    URL_MAX,
    DeliveryState,
    WebhookState,
)
from marketplace.delivery.service import webhook_wishes as wishes
from marketplace.delivery.service import webhooks as delivery
from marketplace.identity.rules import Permission
from marketplace.web import api
from marketplace.web.api.events import NUMBER_MAX, events_api
from marketplace.web.guards import me, needs

HOURS_MAX = int(OVERLAP_MAX.total_seconds() // 3600)


class WebhookChange(Schema):
    """What may change. kinds: names or groups such as `task.*`; all where the list is empty."""

    url = fields.String(validate=validate.Length(max=URL_MAX))
    description = fields.String(validate=validate.Length(max=DESCRIPTION_MAX))
    kinds = fields.List(fields.String(), validate=validate.Length(max=KINDS_MAX))
    state = fields.String(
        validate=validate.OneOf([WebhookState.ACTIVE.value, WebhookState.PAUSED.value])
    )
    missed = fields.String(
        load_only=True,
        validate=validate.OneOf(["send", "skip"]),
        metadata={"description": "With state `active`: what happened while it was off"},
    )


class NewWebhook(Schema):
    """A new endpoint, told from now on."""

    url = fields.String(
        required=True,
        validate=validate.Length(max=URL_MAX),
        metadata={"example": "https://example.com/hooks"},
    )
    description = fields.String(load_default="", validate=validate.Length(max=DESCRIPTION_MAX))
    kinds = fields.List(fields.String(), load_default=list, validate=validate.Length(max=KINDS_MAX))


class WebhookShown(Schema):
    """An endpoint. state: active, paused by you, or disabled by us (stopped_why); reached: the
    number of the last event that it is or was told of; failures: attempts that failed since one
    succeeded; former_until: until when the former secret signs as well."""

    id = fields.UUID()
    url = fields.String()
    description = fields.String()
    kinds = fields.List(fields.String())
    state = fields.String()
    stopped_why = fields.String(allow_none=True)
    stopped_at = fields.AwareDateTime(allow_none=True)
    reached = fields.Integer()
    failures = fields.Integer()
    succeeded_at = fields.AwareDateTime(allow_none=True)
    former_until = fields.AwareDateTime(allow_none=True)
    created_at = fields.AwareDateTime()


class WebhookMade(WebhookShown):
    """A new endpoint with its secret, which is shown this one time."""

    secret = fields.String(allow_none=True)


class RotationAsked(Schema):
    """How long the former secret signs as well; 0 for one that has leaked."""

    overlap_hours = fields.Integer(
        load_default=24, strict=True, validate=validate.Range(min=0, max=HOURS_MAX)
    )


class RotationMade(Schema):
    """The new secret, shown this one time."""

    secret = fields.String(allow_none=True)
    former_until = fields.AwareDateTime(allow_none=True)


class ReplayAsked(Schema):
    """Numbers of your organisation's events: after the first, up to and with the last."""

    after = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=0, max=NUMBER_MAX)
    )
    through = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=NUMBER_MAX),
    )


class ReplayMade(Schema):
    """How many events are delivered once more."""

    deliveries = fields.Integer()


class RedeliveryAsked(Schema):
    """To which endpoint; to all that ask for such events where it is left out."""

    hook_id = fields.UUID(load_default=None, allow_none=True)


class DeliveryQuery(api.PageQuery):
    """Which deliveries of an endpoint."""

    state = fields.Enum(DeliveryState, by_value=True, load_default=None)
    kind = fields.String(load_default="", validate=validate.Length(max=100))


class DeliveryShown(Schema):
    """One event on its way to one endpoint. event_id: also its `webhook-id`, null for a test;
    origin: event, again or test; next_at: when it is tried next, while it waits."""

    id = fields.UUID()
    hook_id = fields.UUID(attribute="endpoint_id")
    event_id = fields.UUID(allow_none=True)
    kind = fields.String()
    number = fields.Integer()
    origin = fields.String()
    state = fields.String()
    attempts = fields.Integer()
    next_at = fields.AwareDateTime()
    created_at = fields.AwareDateTime()
    ended_at = fields.AwareDateTime(allow_none=True)


class DeliveryAttemptShown(Schema):
    """One try. status: null where nothing answered; answer: the beginning of what came back."""

    number = fields.Integer()
    started_at = fields.AwareDateTime()
    milliseconds = fields.Integer()
    outcome = fields.String()
    status = fields.Integer(allow_none=True)
    answer = fields.String(allow_none=True)


class DeliveryWholeShown(DeliveryShown):
    """A delivery with its body and its attempts, the oldest first."""

    payload = fields.Dict(keys=fields.String())
    tries = fields.List(fields.Nested(DeliveryAttemptShown))


class DeliveriesMade(Schema):
    """What was put on its way."""

    items = fields.List(fields.Nested(DeliveryShown))


@events_api.post("/webhook-endpoints")
@needs(Permission.WEBHOOKS_MANAGE)
@api.once(secrets=["secret"])
@events_api.arguments(NewWebhook)
@events_api.response(201, WebhookMade)
def post_webhook(session: Session, asked: dict[str, Any]) -> WebhookEndpoint:
    """Set up an endpoint. Its answer holds the secret, which is not shown again."""
    return delivery.create_webhook(session, me(), **asked)


@events_api.get("/webhook-endpoints")
@needs(Permission.WEBHOOKS_MANAGE)
@events_api.arguments(api.PageQuery, location="query")
@events_api.response(200, api.listing(WebhookShown))
def list_webhooks(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's endpoints, newest first."""
    with transaction() as session:
        rows = queries.webhooks_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


@events_api.get("/webhook-endpoints/<uuid:hook_id>")
@needs(Permission.WEBHOOKS_MANAGE)
@events_api.response(200, WebhookShown)
def get_webhook(hook_id: UUID) -> WebhookEndpoint:
    """One endpoint."""
    with transaction() as session:
        return queries.webhook_of(session, me(), hook_id)


@events_api.patch("/webhook-endpoints/<uuid:hook_id>")
@needs(Permission.WEBHOOKS_MANAGE)
@api.once
@events_api.arguments(WebhookChange)
@events_api.response(200, WebhookShown)
def patch_webhook(session: Session, asked: dict[str, Any], hook_id: UUID) -> WebhookEndpoint:
    """Change what is given; with `state`, switch it off or on."""
    state, missed = asked.pop("state", None), asked.pop("missed", "send")
    endpoint = delivery.change_webhook(session, me(), hook_id, asked)
    if state == WebhookState.PAUSED:
        return delivery.pause_webhook(session, me(), hook_id)
    if state == WebhookState.ACTIVE:
        return delivery.resume_webhook(session, me(), hook_id, missed=missed == "send")
    return endpoint


@events_api.delete("/webhook-endpoints/<uuid:hook_id>")
@needs(Permission.WEBHOOKS_MANAGE)
@events_api.response(204)
def delete_webhook(hook_id: UUID) -> Response:
    """Delete it: nothing is sent there any more, and its secrets are gone."""
    with transaction() as session:
        delivery.retire_webhook(session, me(), hook_id)
    return Response(status=204)


@events_api.post("/webhook-endpoints/<uuid:hook_id>/rotate")
@needs(Permission.WEBHOOKS_MANAGE)
@api.once(secrets=["secret"])
@events_api.arguments(RotationAsked)
@events_api.response(200, RotationMade)
def post_rotation(session: Session, asked: dict[str, Any], hook_id: UUID) -> WebhookEndpoint:
    """Make a new secret; until `former_until` each delivery is signed with both."""
    overlap = timedelta(hours=asked["overlap_hours"])
    return delivery.rotate_secret(session, me(), hook_id, overlap=overlap)


@events_api.post("/webhook-endpoints/<uuid:hook_id>/test")
@needs(Permission.WEBHOOKS_MANAGE)
@api.once
@events_api.response(202, DeliveryShown)
def post_webhook_test(session: Session, hook_id: UUID) -> Any:
    """Have a test delivered, of the kind `endpoint.test`; it is tried once."""
    return wishes.send_test(session, me(), hook_id)


@events_api.post("/webhook-endpoints/<uuid:hook_id>/replay")
@needs(Permission.WEBHOOKS_MANAGE)
@api.once
@events_api.arguments(ReplayAsked)
@events_api.response(202, ReplayMade)
def post_replay(session: Session, asked: dict[str, Any], hook_id: UUID) -> dict[str, int]:
    """Deliver a range of events once more, each under its own id; at most 10,000."""
    return {"deliveries": wishes.replay(session, me(), hook_id, **asked)}


@events_api.get("/webhook-endpoints/<uuid:hook_id>/deliveries")
@needs(Permission.WEBHOOKS_MANAGE)
@events_api.arguments(DeliveryQuery, location="query")
@events_api.response(200, api.listing(DeliveryShown))
def list_deliveries(asked: dict[str, Any], hook_id: UUID) -> dict[str, Any]:
    """What was, or is to be, delivered, newest first; kept for thirty days."""
    asked["limit"] += 1
    with transaction() as session:
        rows = queries.deliveries_of(session, me(), hook_id, **asked)
    return api.page(rows, limit=asked["limit"] - 1, key=lambda row: row.id)


@events_api.get("/webhook-deliveries/<uuid:delivery_id>")
@needs(Permission.WEBHOOKS_MANAGE)
@events_api.response(200, DeliveryWholeShown)
def get_delivery(delivery_id: UUID) -> dict[str, Any]:
    """One delivery: what it carries, and what came of each try."""
    with transaction() as session:
        whole = queries.delivery_of(session, me(), delivery_id)
    names = [name for name in DeliveryShown().fields if name != "hook_id"]
    shown = {name: getattr(whole.delivery, name) for name in names}
    return shown | {
        "endpoint_id": whole.delivery.endpoint_id,
        "payload": json.loads(whole.body),
        "tries": whole.attempts,
    }


@events_api.post("/events/<uuid:event_id>/redeliver")
@needs(Permission.WEBHOOKS_MANAGE)
@api.once
@events_api.arguments(RedeliveryAsked)
@events_api.response(202, DeliveriesMade)
def post_redelivery(session: Session, asked: dict[str, Any], event_id: UUID) -> dict[str, Any]:
    """Deliver an event once more, under its own id."""
    made = wishes.redeliver(session, me(), event_id, hook_id=asked["hook_id"])
    return {"items": made}
