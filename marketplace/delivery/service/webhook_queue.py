"""Deliveries on their way: made of events, leased to whoever sends them, recorded, put back.

An endpoint's row is locked while its deliveries are leased or recorded, so that however many
workers there are, no more go to it at once than it can bear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.delivery.models import WebhookDelivery, WebhookEndpoint
from marketplace.delivery.rules import webhooks as rules
from marketplace.delivery.rules.kinds import public_kind, sources_of
from marketplace.delivery.rules.parcels import Parcel, body_of
from marketplace.delivery.rules.webhooks import DeliveryState, Origin, WebhookState
from marketplace.ids import new_id
from marketplace.outbox import ChainHead, Event

ENDPOINTS_AT_ONCE = 32
EVENTS_AT_ONCE = 500
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Room:
    """How many attempts there is room for: in all, and of those at endpoints that fail or are
    slow, which never get all of it."""

    all: int
    failing: int


def make_deliveries(session: Session, *, limit: int = EVENTS_AT_ONCE) -> int:
    """Make deliveries of events that were numbered since each endpoint was last looked at.

    limit: how many events are looked at for each of up to 32 endpoints. Returns how many were.
    """
    scope = func.concat("organisation:", WebhookEndpoint.organisation_id)
    behind = (
        select(WebhookEndpoint, ChainHead.number)
        .join(ChainHead, ChainHead.scope == scope)
        .where(
            WebhookEndpoint.state == WebhookState.ACTIVE,
            ChainHead.number > WebhookEndpoint.reached,
        )
        .order_by(WebhookEndpoint.id)
        .limit(ENDPOINTS_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True, of=WebhookEndpoint)
        .execution_options(populate_existing=True)
    )
    looked_at = 0
    for endpoint, head in session.execute(behind).all():
        through = min(head, endpoint.reached + limit)
        _make(session, endpoint, through)
        looked_at += through - endpoint.reached
        endpoint.reached = through
    return looked_at


def _make(session: Session, endpoint: WebhookEndpoint, through: int) -> None:
    asked = select(Event.id, Event.kind, Event.organisation_number).where(
        Event.organisation_id == endpoint.organisation_id,
        Event.organisation_number > endpoint.reached,
        Event.organisation_number <= through,
        Event.kind.in_(sources_of(endpoint.kinds)),
    )
    now = clock.now()
    rows = [
        {
            "id": new_id(),
            "endpoint_id": endpoint.id,
            "event_id": event_id,
            "kind": public_kind(kind),
            "number": number,
            "origin": Origin.EVENT,
            "state": DeliveryState.WAITING,
            "attempts": 0,
            "next_at": now,
            "created_at": now,
        }
        for event_id, kind, number in session.execute(asked.order_by(Event.organisation_number))
    ]
    if rows:
        session.execute(insert(WebhookDelivery), rows)


def lease_deliveries(session: Session, room: Room) -> list[Parcel]:
    """Take deliveries that are due, the oldest of each endpoint first, for a minute.

    One that is not recorded by then, since its worker was killed, is taken again: whoever gets it
    twice knows it by its webhook-id.
    """
    now = clock.now()
    parcels: list[Parcel] = []
    failing_left = room.failing
    for endpoint, in_flight in session.execute(_ready(now)).all():
        failing = endpoint.failures > 0 or endpoint.slow
        most = rules.AT_ONCE_FAILING if failing else rules.AT_ONCE
        left = room.all - len(parcels)
        quota = min(most - in_flight, left, failing_left if failing else left)
        if quota <= 0:
            continue
        taken = _take(session, endpoint, quota, now)
        failing_left -= len(taken) if failing else 0
        endpoint.served_at = now
        parcels += _parcels(session, endpoint, taken, failing=failing)
    return parcels


def _free(now: datetime) -> Select[UUID]:
    """Due deliveries of the endpoint of the outer statement that nobody has in hand."""
    leased = WebhookDelivery.leased_until
    return select(WebhookDelivery.id).where(
        WebhookDelivery.endpoint_id == WebhookEndpoint.id,
        WebhookDelivery.state == DeliveryState.WAITING,
        WebhookDelivery.next_at <= now,
        or_(leased.is_(None), leased < now),
    )


def _ready(now: datetime) -> Select[WebhookEndpoint, int]:
    in_hand = and_(
        WebhookDelivery.endpoint_id == WebhookEndpoint.id,
        WebhookDelivery.state == DeliveryState.WAITING,
        WebhookDelivery.leased_until >= now,
    )
    in_flight = select(func.count()).select_from(WebhookDelivery).where(in_hand).scalar_subquery()
    rests = WebhookEndpoint.rest_until
    return (
        select(WebhookEndpoint, in_flight)
        .where(
            WebhookEndpoint.state == WebhookState.ACTIVE,
            or_(rests.is_(None), rests <= now),
            exists(_free(now).correlate(WebhookEndpoint)),
        )
        .order_by(WebhookEndpoint.served_at.nulls_first())
        .limit(ENDPOINTS_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True, of=WebhookEndpoint)
        .execution_options(populate_existing=True)
    )


def _take(
    session: Session, endpoint: WebhookEndpoint, quota: int, now: datetime
) -> Sequence[WebhookDelivery]:
    leased = WebhookDelivery.leased_until
    due = (
        select(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.next_at <= now,
            or_(leased.is_(None), leased < now),
        )
        .order_by(WebhookDelivery.next_at, WebhookDelivery.number, WebhookDelivery.id)
        .limit(quota)
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(due).all()
    ids = [each.id for each in rows]
    session.execute(
        update(WebhookDelivery).where(WebhookDelivery.id.in_(ids)).values(leased_until=now + LEASE),
        execution_options={"synchronize_session": False},
    )
    return rows


def _parcels(
    session: Session,
    endpoint: WebhookEndpoint,
    rows: Sequence[WebhookDelivery],
    *,
    failing: bool,
) -> list[Parcel]:
    ids = [each.event_id for each in rows if each.event_id is not None]
    found = session.scalars(select(Event).where(Event.id.in_(ids)))
    events = {each.id: each for each in found}
    secrets = _secrets(endpoint, clock.now())
    parcels = []
    for each in rows:
        event = events[each.event_id] if each.event_id is not None else None
        body = body_of(each.id, each.created_at, event)
        message_id = each.event_id or each.id
        parcels.append(
            Parcel(each.id, endpoint.id, endpoint.url, secrets, message_id, body, failing)
        )
    return parcels


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> tuple[str, ...]:
    """The newest first; the former one only while it overlaps."""
    assert endpoint.secret is not None  # noqa: S101 - only a retired endpoint has none.
    former, until = endpoint.former_secret, endpoint.former_until
    if former is None or until is None or until <= now:
        return (endpoint.secret,)
    return endpoint.secret, former
