"""Reads of webhooks, scoped to the organisation of the viewer; none shows a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from marketplace.delivery.rules.parcels import body_of
from marketplace.delivery.rules.webhooks import DeliveryState, Outcome, WebhookState
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.outbox import Event

LIMIT_MAX = 200
HOURS = 48


@dataclass(frozen=True, slots=True)
class Hour:
    """How the attempts of an hour ended."""

    at: datetime
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class DeliveryWhole:
    """A delivery with its attempts, the oldest first, and the body that it carries."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    attempts: Sequence[WebhookAttempt]
    body: bytes


def webhook_of(session: Session, viewer: Actor, hook_id: UUID) -> WebhookEndpoint:
    """The endpoint; Missing when it is not there, retired or another organisation's."""
    viewer.require(Permission.WEBHOOKS_MANAGE)
    found = session.get(WebhookEndpoint, hook_id)
    if found is None or found.organisation_id != viewer.organisation_id:
        raise Missing("There is no such webhook.")
    if found.state is WebhookState.RETIRED:
        raise Missing("This webhook was deleted.")
    return found


def webhooks_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[WebhookEndpoint]:
    """Endpoints of the viewer's organisation that are not retired, newest first."""
    viewer.require(Permission.WEBHOOKS_MANAGE)
    found = select(WebhookEndpoint).where(
        WebhookEndpoint.organisation_id == viewer.organisation(),
        WebhookEndpoint.state != WebhookState.RETIRED,
    )
    if after is not None:
        found = found.where(WebhookEndpoint.id < after)
    newest = found.order_by(WebhookEndpoint.id.desc()).limit(max(1, min(limit, LIMIT_MAX)))
    return session.scalars(newest).all()


def deliveries_of(
    session: Session,
    viewer: Actor,
    hook_id: UUID,
    *,
    state: DeliveryState | None = None,
    kind: str = "",
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[WebhookDelivery]:
    """What was, or is to be, delivered to an endpoint, newest first."""
    endpoint = webhook_of(session, viewer, hook_id)
    found = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
    if state is not None:
        found = found.where(WebhookDelivery.state == state)
    if kind:
        found = found.where(WebhookDelivery.kind == kind)
    if after is not None:
        found = found.where(WebhookDelivery.id < after)
    newest = found.order_by(WebhookDelivery.id.desc()).limit(max(1, min(limit, LIMIT_MAX)))
    return session.scalars(newest).all()


def delivery_of(session: Session, viewer: Actor, delivery_id: UUID) -> DeliveryWhole:
    """One delivery with its attempts and its body; Missing when it is another organisation's."""
    viewer.require(Permission.WEBHOOKS_MANAGE)
    found = session.get(WebhookDelivery, delivery_id)
    if found is None:
        raise Missing("There is no such delivery.")
    endpoint = webhook_of(session, viewer, found.endpoint_id)
    attempts = select(WebhookAttempt).where(WebhookAttempt.delivery_id == found.id)
    event = session.get(Event, found.event_id) if found.event_id is not None else None
    rows = session.scalars(attempts.order_by(WebhookAttempt.id).limit(LIMIT_MAX)).all()
    return DeliveryWhole(found, endpoint, rows, body_of(found.id, found.created_at, event))


def attempts_by_delivery(
    session: Session, deliveries: Sequence[WebhookDelivery]
) -> Mapping[UUID, WebhookAttempt]:
    """The last attempt at each of these deliveries, which the caller has found for its viewer."""
    last = (
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id.in_([each.id for each in deliveries]))
        .ext(distinct_on(WebhookAttempt.delivery_id))
        .order_by(WebhookAttempt.delivery_id, WebhookAttempt.id.desc())
    )
    return {each.delivery_id: each for each in session.scalars(last.limit(LIMIT_MAX))}


def waiting_count(session: Session, viewer: Actor, hook_id: UUID) -> int:
    """How many deliveries of an endpoint wait, counted up to a thousand."""
    endpoint = webhook_of(session, viewer, hook_id)
    some = (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .limit(1_000)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def health_of(session: Session, viewer: Actor, hook_id: UUID) -> list[Hour]:
    """How the attempts of the last 48 hours ended, hour by hour, the empty ones too."""
    endpoint = webhook_of(session, viewer, hook_id)
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    first = now - timedelta(hours=HOURS - 1)
    hour = func.date_trunc("hour", WebhookAttempt.started_at, "UTC")
    good = WebhookAttempt.outcome == Outcome.DELIVERED
    rows = session.execute(
        select(hour, func.count().filter(good), func.count().filter(~good))
        .where(WebhookAttempt.endpoint_id == endpoint.id, WebhookAttempt.started_at >= first)
        .group_by(hour)
        .limit(HOURS + 1)
    )
    told = {at: (delivered, failed) for at, delivered, failed in rows}
    hours = [first + timedelta(hours=number) for number in range(HOURS)]
    return [Hour(at, *told.get(at, (0, 0))) for at in hours]
